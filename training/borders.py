"""SELF's guide with a persona's border: outline, jaw and forehead as personas end, around the photo's own face.

What a network is shown in use ends like this, and the photo says what should be there instead.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from training.textures import masked_mean, match_tone, unit

ODDS = 0.6
WIDTHS = (1, 4)  # means of 3 × 3 cells: the border is about as many cells wide
CELLS = 32  # of the crop's side
TONE_ERROR = 0.08  # log error between border and face

Drawn = tuple[Tensor, Tensor, Tensor]  # straight colours (B, 3, S, S), coverage (B, 1, S, S), normals (B, 3, S, S)


def with_border(own: Drawn, persona: Drawn) -> tuple[Drawn, Tensor]:
    """The persona with the own face inside, for some of the rows; where (B, 1, S, S) the face is the own one."""
    (face, covered, facing), (persona_face, persona_covered, persona_facing) = own, persona
    count, size, device = len(face), face.shape[-1], face.device
    chosen = (torch.rand(count, 1, 1, 1) < ODDS).to(device)
    both = F.interpolate(covered * persona_covered, size=(CELLS, CELLS), mode="bilinear", align_corners=False)
    for _ in range(int(torch.randint(WIDTHS[0], WIDTHS[1] + 1, ()).item())):
        both = F.avg_pool2d(both, 3, 1, 1)
    inner = F.interpolate((2 * both - 1).clamp(0, 1), size=(size, size), mode="bilinear", align_corners=False)
    inner = torch.where(chosen, inner * inner * (3 - 2 * inner), torch.ones_like(inner))
    error = (torch.randn(count, 3, 1, 1) * TONE_ERROR).to(device)
    border = match_tone(persona_face, persona_covered, masked_mean(face, covered), error)
    coverage = torch.where(chosen, persona_covered, covered)
    guide = torch.lerp(border, face, inner) * (coverage > 0)
    return (guide, coverage, unit(torch.lerp(persona_facing, facing, inner)) * coverage), inner * covered
