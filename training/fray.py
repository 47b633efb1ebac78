"""SELF's guide with another outline than the face's: what a persona's is to the wearer's face.

A guide that ends where the face ends teaches nothing of jaws, foreheads and hair lines. Here it ends elsewhere: where
it falls short the network learns to go on with the skin, where it reaches too far to paint hair, ears, neck and wall
over it, each with the photo as its target.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.fill import push_pull
from training.textures import unit

ODDS = 0.75
SCALE = 0.07  # larger or smaller by so much at most
BEND = 0.05  # standard deviation of the outline's displacement, in half sides of the crop
_BENDS = 5  # a side


def fray(guide: Tensor, coverage: Tensor, normals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Straight colours (B, 3, S, S), coverage (B, 1, S, S) and normals (B, 3, S, S) with an outline that is smoothly
    displaced; beyond the old one skin and normals go on."""
    count, size, device = len(guide), guide.shape[-1], guide.device
    chosen = (torch.rand(count, 1, 1, 1) < ODDS).float()
    scale = 1 + chosen * SCALE * (torch.rand(count, 1, 1, 1) * 2 - 1)
    bend = torch.randn(count, 2, _BENDS, _BENDS) * (BEND * chosen)
    field = F.interpolate(bend.to(device), size=(size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    still = F.affine_grid(
        torch.eye(2, 3, device=device).expand(count, 2, 3), [count, 1, size, size], align_corners=False
    )
    other = F.grid_sample(coverage, still * scale.to(device) + field, padding_mode="zeros", align_corners=False)
    known = (coverage > 0.5).float()
    beyond = push_pull(torch.cat([guide, normals], 1) * known, known) * (1 - known)
    guide, normals = guide * known + beyond[:, :3], normals * known + beyond[:, 3:]
    return guide * (other > 0), other, unit(normals) * other
