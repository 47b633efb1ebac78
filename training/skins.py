"""Other skin on the same people: neck, ears, hands and face darker or lighter together.

Seven hundred portraits hold few dark skins, and a network that learnt from them alone made every face middling. What
follows neck and ears here has to be read from them.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from training.augment import Batch

ODDS = 0.35
DARKEST, LIGHTEST = -0.65, 0.45  # log gain
REDDER = (0.85, 1.02, 1.13)  # of the log gain, by channel: dark skin is redder
# Middle and reach of skin's chroma Cr and Cb of 0 to 1 (ITU-R BT.601; Chai and Ngan, 1999).
_CHROMA = ((0.605, 0.075), (0.42, 0.09))
_DARK, _SOFT = 0.1, 40.0


def draw_skins(count: int) -> Tensor:
    """(B, 3, 1, 1) log gains, drawn on the CPU; 0 for those that stay."""
    gain = DARKEST + torch.rand(count, 1, 1, 1) * (LIGHTEST - DARKEST)
    return gain * (torch.rand(count, 1, 1, 1) < ODDS) * torch.tensor(REDDER)[None, :, None, None]


def with_skins(batch: Batch, gains: Tensor) -> Batch:
    """The batch with the skin of its photos multiplied by exp(gains) (B, 3, 1, 1)."""
    photo = batch.photo
    skin = torch.maximum(_skin(photo) * batch.person, batch.own.skin)
    skin = F.avg_pool2d(F.avg_pool2d(skin, 3, 1, 1), 3, 1, 1)
    shine = photo.amin(1, keepdim=True) ** 3  # of the skin's surface, not of its colour: it stays
    toned = (photo * torch.exp(gains.to(photo.device) * skin * (1 - shine))).clamp(0, 1)
    return replace(batch, photo=toned, guide_photo=toned)


def _skin(rgb: Tensor) -> Tensor:
    """(B, 1, S, S): how likely by its colour each px is skin."""
    red, green, blue = rgb.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = 0.713 * (red - luma) + 0.5, 0.564 * (blue - luma) + 0.5
    likely = torch.sigmoid((luma - _DARK) * _SOFT)
    for value, (middle, reach) in zip(chroma, _CHROMA, strict=True):
        likely = likely * torch.sigmoid((reach - (value - middle).abs()) * 2 * _SOFT)
    return likely[:, None]
