"""Other walls behind the people of the photos.

A few hundred photos have a few hundred walls. A network that saw no others drew blue rims about ears and pink faces
before a plain blue one; here each wall takes another colour, or becomes a blurred part of another photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from training.augment import Batch

ODDS = 0.6  # share of the photos that get another wall
BRIGHTNESS, TINT = 0.4, 0.35  # log gain of the wall that stays: all channels, each channel
NEUTRAL_ODDS, NEUTRAL, BRIGHT = 0.5, 0.15, 0.5  # of the plain ones: nearly grey ones; their hue; their exponent
BLURRED_ODDS = 0.3  # of the new walls, that they are of another photo
BLURRED_CELLS = 16  # of the crop's side
SURELY_WALL, SURELY_PERSON = 0.1, 0.5  # share of a person in a px


@dataclass(frozen=True, slots=True, eq=False)
class Walls:
    """gain (B, 3, 1, 1) of the old wall; colours (B, 3, 2, 2) at the corners of the new one; blurred (B, 1, 1, 1):
    1 where it is another photo instead; share (B, 1, 1, 1) of the new wall in what is shown, 0 = as it was."""

    gain: Tensor
    colours: Tensor
    blurred: Tensor
    share: Tensor


def draw_walls(count: int) -> Walls:
    """Random walls, drawn on the CPU."""
    chosen = (torch.rand(count, 1, 1, 1) < ODDS).float()
    gain = torch.randn(count, 1, 1, 1) * BRIGHTNESS + torch.randn(count, 3, 1, 1) * TINT
    hue, neutral = torch.rand(count, 3, 1, 1), torch.rand(count, 1, 1, 1) < NEUTRAL_ODDS
    grey = hue.mean(1, keepdim=True)
    colours = torch.where(neutral, grey**BRIGHT + NEUTRAL * (hue - grey), hue)  # as most rooms' walls
    colours = colours + torch.randn(count, 1, 2, 2) * 0.12 + torch.randn(count, 3, 2, 2) * 0.04
    blurred = (torch.rand(count, 1, 1, 1) < BLURRED_ODDS).float()
    share = torch.rand(count, 1, 1, 1).sqrt()
    return Walls(torch.exp(gain * chosen), colours.clamp(0, 1), blurred, share * chosen)


def before_walls(batch: Batch, walls: Walls) -> Batch:
    """The same people before these walls; where no px is surely wall, nothing changes."""
    photo = batch.photo
    gain, colours, blurred, share = (
        v.to(photo.device) for v in (walls.gain, walls.colours, walls.blurred, walls.share)
    )
    wall = ((SURELY_PERSON - batch.person) / (SURELY_PERSON - SURELY_WALL)).clamp(0, 1)
    size = photo.shape[-2:]
    plain = F.interpolate(colours, size=size, mode="bilinear", align_corners=True)
    others = F.avg_pool2d(photo.roll(1, 0), max(photo.shape[-1] // BLURRED_CELLS, 1))
    others = F.interpolate(others, size=size, mode="bilinear", align_corners=False)
    new = torch.lerp((photo * gain).clamp(0, 1), torch.lerp(plain, others, blurred), share)
    shown = torch.lerp(photo, new, wall)
    return replace(batch, photo=shown, guide_photo=shown)
