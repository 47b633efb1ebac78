"""The losses, each a function of images and masks: what SELF must match, what CROSS must keep, what a critic says."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.discriminator import Verdicts
from models.generator import Layers


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values (B, C, h, w) where mask (B, 1, h, w) is 1."""
    return (values * mask).sum() / (mask.sum() * values.shape[1]).clamp(min=1)


def multi_scale_l1(out: Tensor, photo: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """L1 at full size, and its mean over sizes 1/2, 1/4 and 1/8: colours of regions."""
    fine = _mean((out - photo).abs(), weight)
    coarse = out.new_zeros(())
    difference = out - photo
    for _ in range(3):
        difference, weight = F.avg_pool2d(difference, 2), F.avg_pool2d(weight, 2)
        coarse = coarse + _mean(difference.abs(), weight) / 3
    return fine, coarse


def gradient_l1(out: Tensor, photo: Tensor, weight: Tensor) -> Tensor:
    """L1 of the differences of neighbours: edges sit where they should."""
    difference = out - photo
    dx = _mean((difference[..., 1:] - difference[..., :-1]).abs(), weight[..., 1:])
    dy = _mean((difference[..., 1:, :] - difference[..., :-1, :]).abs(), weight[..., 1:, :])
    return dx + dy


def edges(out: Tensor, where: Tensor) -> Tensor:
    """L1 of the differences of neighbours at half size: no outline where the guide ends."""
    out, where = F.avg_pool2d(out, 2), F.avg_pool2d(where, 2)
    dx = _mean((out[..., 1:] - out[..., :-1]).abs(), where[..., 1:])
    dy = _mean((out[..., 1:, :] - out[..., :-1, :]).abs(), where[..., 1:, :])
    return dx + dy


def structure(out: Tensor, guide: Tensor, where: Tensor) -> Tensor:
    """1 − correlation of the high-pass luminance of out and guide: the persona's detail survives.

    `where` must end well inside the guide: its own edge is no detail to keep.
    """
    a, b = _detail(out) * where, _detail(guide) * where
    dot = (a * b).sum((1, 2, 3))
    correlation = dot / (a.square().sum((1, 2, 3)) * b.square().sum((1, 2, 3)) + 1e-6).sqrt()
    return (1 - correlation).mean()


def _detail(rgb: Tensor) -> Tensor:
    grey = rgb.mean(1, keepdim=True)
    low = F.interpolate(F.avg_pool2d(grey, 4), size=grey.shape[-2:], mode="bilinear", align_corners=False)
    return grey - low


def light(out: Tensor, photo: Tensor, weight: Tensor) -> Tensor:
    """L1 of colours averaged over 16 × 16 cells: the light and tone that the scene asks for."""
    cell = out.shape[-1] // 16
    mass = F.avg_pool2d(weight, cell)
    low = F.avg_pool2d((out - photo) * weight, cell) / mass.clamp(min=0.05)
    return _mean(F.avg_pool2d(low, 3, 1, 1).abs(), mass)


def grid_roughness(layers: Layers) -> Tensor:
    """Total variation of the colour grid, in log gain and bias; what its channels differ by counts twice: faces had
    teal temples and orange cheeks."""
    grid = torch.cat([layers.gain.log(), layers.bias], 1)
    hue = torch.cat([part - part.mean(1, keepdim=True) for part in grid.chunk(2, 1)], 1)
    return _variation(grid) + _variation(hue)


def _variation(grid: Tensor) -> Tensor:
    return (grid[..., 1:] - grid[..., :-1]).abs().mean() + (grid[..., 1:, :] - grid[..., :-1, :]).abs().mean()


def matte_hole(layers: Layers, inner: Tensor) -> Tensor:
    """How much of the inner guide is painted over."""
    return _mean(1 - layers.matte, inner)


def out_of_range(out: Tensor) -> Tensor:
    return (F.relu(out - 1) + F.relu(-out)).mean()


def generator_says(verdicts: Verdicts, blend: Tensor) -> Tensor:
    """Non-saturating loss of the generator over the patches that hold synthesised pixels, and the whole."""
    return _over_patches(verdicts, blend, -1.0)


def discriminator_says(verdicts: Verdicts, blend: Tensor, real: bool) -> Tensor:
    """Logistic loss of the discriminator on real or composed images."""
    return _over_patches(verdicts, blend, -1.0 if real else 1.0)


def _over_patches(verdicts: Verdicts, blend: Tensor, sign: float) -> Tensor:
    total = F.softplus(sign * verdicts.whole).mean()
    for logits in verdicts.patches:
        touched = F.adaptive_max_pool2d(blend, logits.shape[-2:])
        total = total + _mean(F.softplus(sign * logits), touched)
    return total / (1 + len(verdicts.patches))


def gradient_penalty(verdicts: Verdicts, images: Tensor) -> Tensor:
    """R1: squared gradient of the logits by the real images, (B,) averaged."""
    total = verdicts.whole.sum()
    for logits in verdicts.patches:
        total = total + logits.mean((1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
