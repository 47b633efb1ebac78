"""Guides drawn on the device: persona textures sampled through UV maps, and their tone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def sample_textures(textures: Tensor, uv: Tensor, coarse: Tensor) -> Tensor:
    """(B, 3, T, T) uint8 seen through uv (B, 2, S, S) in [0, 1] -> (B, 3, S, S) in [0, 1].

    coarse: (B,) in [0, 1], how much of the texture's half-size version is mixed in: the live renderer
    meets the texture at many scales, from minified to magnified.
    """
    fine = textures.float() / 255
    half = F.interpolate(F.avg_pool2d(fine, 2), scale_factor=2.0, mode="nearest")
    mixed = torch.lerp(fine, half, coarse[:, None, None, None])
    grid = (uv * 2 - 1).permute(0, 2, 3, 1)
    return F.grid_sample(mixed, grid, mode="bilinear", padding_mode="border", align_corners=False)


def masked_mean(rgb: Tensor, mask: Tensor) -> Tensor:
    """(B, 3, 1, 1) mean colour of rgb (B, 3, S, S) where mask (B, 1, S, S) is 1."""
    total: Tensor = (rgb * mask).sum((2, 3), keepdim=True)
    return total / mask.sum((2, 3), keepdim=True).clamp(min=1)


def match_tone(guide: Tensor, coverage: Tensor, skin: Tensor, error: Tensor) -> Tensor:
    """Scale the guide's mean colour to `skin` (B, 3, 1, 1), off by exp(error) (B, 3, 1, 1)."""
    gain = skin.clamp(min=0.02) / masked_mean(guide, coverage).clamp(min=0.02)
    return (guide * (gain.clamp(0.2, 4.0) * torch.exp(error))).clamp(0, 1)


def blur_inside(rgb: Tensor, coverage: Tensor, cells: int) -> Tensor:
    """Heavy blur that looks only where coverage is 1: averages over cells² boxes, smoothly joined."""
    size = rgb.shape[-2:]
    pool = max(size[0] // cells, 1)
    total = F.avg_pool2d(F.avg_pool2d(rgb * coverage, pool), 3, 1, 1)
    weight = F.avg_pool2d(F.avg_pool2d(coverage, pool), 3, 1, 1)
    low = total / weight.clamp(min=1e-3)
    return F.interpolate(low, size=size, mode="bilinear", align_corners=False)
