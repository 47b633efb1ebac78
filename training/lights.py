"""Other light on the same people: brighter and warmer from one side than from the other.

A network that saw each photo in its own light alone remembered it: light on faces was .051 off on photos it learnt
from and .063 on others (L1 of colours over cells, [0, 1]). What falls on neck, ears and hair as well has to be read
from them.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from training.augment import Batch

ODDS, WALL_ODDS = 0.5, 0.5  # of a row; of a lit row's wall being lit likewise
SIDES = 3  # random cells of the crop's side, smoothly joined
SPREAD, TINT_SPREAD = 0.3, 0.04  # log gain: all channels, each channel


def draw_lights(count: int) -> tuple[Tensor, Tensor]:
    """Log gains (B, 3, 3, 3) drawn on the CPU, 0 for the rows that stay; (B, 1, 1, 1), 1 where walls are lit, too."""
    gains = torch.randn(count, 1, SIDES, SIDES) * SPREAD + torch.randn(count, 3, SIDES, SIDES) * TINT_SPREAD
    lit = (torch.rand(count, 1, 1, 1) < ODDS).float()
    return gains * lit, (torch.rand(count, 1, 1, 1) < WALL_ODDS).float()


def with_lights(batch: Batch, gains: Tensor, walls: Tensor) -> Batch:
    """The batch in that light. The photo that SELF's guide is made of stays: a guide has none of the scene's light."""
    device, size = batch.photo.device, batch.photo.shape[-2:]
    field = F.interpolate(gains.to(device), size=size, mode="bicubic", align_corners=True)
    where = torch.maximum(batch.person, walls.to(device))
    return replace(batch, photo=(batch.photo * torch.exp(field * where)).clamp(0, 1))
