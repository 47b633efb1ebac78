"""Guides drawn on the device: persona textures sampled through UV maps, and their tone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def sample_textures(fine: Tensor, coarse: Tensor, uv: Tensor, share: Tensor) -> Tensor:
    """Textures (B, 3, T, T) uint8 and their half-size versions seen through uv (B, 2, S, S) in [0, 1]
    -> (B, 3, S, S) in [0, 1]. share (B,) in [0, 1] of the half-size one: the live renderer meets the
    texture at many scales, from minified to magnified."""
    grid = (uv * 2 - 1).permute(0, 2, 3, 1)
    seen = [
        F.grid_sample(level.float(), grid, mode="bilinear", padding_mode="border", align_corners=False) / 255
        for level in (fine, coarse)
    ]
    return torch.lerp(seen[0], seen[1], share[:, None, None, None])


def half_size(textures: Tensor) -> Tensor:
    """(M, 3, T, T) uint8 -> (M, 3, T/2, T/2) uint8."""
    return F.avg_pool2d(textures.float(), 2).round().byte()


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


def unit(normals: Tensor) -> Tensor:
    """(B, 3, S, S) of length 1, 0 where there is none; on a CPU `F.normalize` over channels takes ten times as long."""
    return normals * torch.rsqrt(normals.square().sum(1, keepdim=True) + 1e-6)
