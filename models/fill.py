"""Smooth fills from what is known: pyramid down, pyramid up. What the generator's inpainting starts from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from anonymizer.generate.conditioning import CONTEXT, COVERAGE, GUIDE, HOLE

_SMALLEST_PX = 4
_TRUST = 4.0  # a cell that is known to a quarter speaks for itself
_DOUBT = 0.01  # a coarsest cell of which nothing is known takes the mean of all


def fills(conditioning: Tensor, gain: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three pictures (B, 3, S / 2, S / 2) in [0, 1]: surroundings and lit guide, and between them colours that go
    smoothly from one to the other; the surroundings alone, gone on with into the hole; the guide alone, gone on with
    outwards.

    An edge of a jaw before a wall is where the second takes over from the third; the first knows none. gain, bias:
    (B, 3, G, G).
    """
    colours = conditioning[:, : COVERAGE.stop]
    small = F.interpolate(colours, scale_factor=0.5, mode="bilinear", align_corners=False)  # means of 2 × 2, quickly
    hole = small[:, HOLE]
    covered = small[:, COVERAGE] * hole
    context = (small[:, CONTEXT] + (1 - hole)) / 2
    guide = (small[:, GUIDE] * hole + covered) / 2
    light = F.interpolate(torch.cat([gain, bias], 1), size=guide.shape[-2:], mode="bilinear", align_corners=False)
    lit = light[:, :3] * guide + light[:, 3:] * covered
    colours = torch.stack([context + lit, context, lit], 1)  # as one batch: a third of the operations
    known = torch.stack([1 - hole + covered, 1 - hole, covered], 1)
    filled = push_pull(colours.flatten(0, 1), known.flatten(0, 1)).clamp(0, 1).reshape(colours.shape)
    return filled[:, 0], filled[:, 1], filled[:, 2]


def push_pull(premultiplied: Tensor, known: Tensor) -> Tensor:
    """Colours (B, C, h, w), premultiplied by known (B, 1, h, w) in [0, 1] -> colours everywhere."""
    levels = [torch.cat([premultiplied, known], 1)]
    while levels[-1].shape[-1] > _SMALLEST_PX:
        levels.append(F.avg_pool2d(levels[-1], 2))
    colours, weight = levels[-1][:, :-1], levels[-1][:, -1:]
    mean = colours.mean((2, 3), keepdim=True) / weight.mean((2, 3), keepdim=True).clamp(min=1e-3)
    out = (colours + _DOUBT * mean) / (weight + _DOUBT)
    for level in reversed(levels[:-1]):
        coarse = F.interpolate(out, scale_factor=2.0, mode="bilinear", align_corners=False)
        colours, weight = level[:, :-1], level[:, -1:]
        trust = (weight * _TRUST).clamp(max=1)
        out = coarse + trust * (colours / weight.clamp(min=1e-3) - coarse)
    return out
