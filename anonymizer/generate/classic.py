"""The honest baseline: no network. The guide takes on the colour of the ring around the hole, softly pasted.

Frozen: the network is measured against it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.conditioning import GRID_DIVISOR, RING_SHARE

SIZE_PX = 128
GAIN_RANGE = (0.35, 2.2)
EDGE_SHARE = 0.05  # of the crop: over this width the guide's rim gives way to the fill


class ClassicGenerator:
    """A FaceGenerator of colour statistics."""

    size_px = SIZE_PX

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        return tuple(_paste(crop) for crop in crops)


def _paste(crop: FaceCrop) -> SyntheticFace:
    import cv2

    size = crop.hole.shape[0]
    known = (crop.hole <= 0).astype(np.float32)
    fill = _fill(crop.context_rgb * known[..., None], known)
    reach = 2 * int(RING_SHARE * size) + 1
    ring = cv2.dilate(crop.hole, np.ones((reach, reach), np.uint8)) * known
    covered = crop.guide_coverage > 0
    skin = ring * _like_skin(crop.context_rgb)
    around = skin if skin.sum() > 20 else ring
    target = _mean(crop.context_rgb, around)
    guide = _mean(crop.guide_rgb, covered.astype(np.float32))
    gain = np.clip(target / np.maximum(guide, 0.02), *GAIN_RANGE).astype(np.float32)
    grid = size // GRID_DIVISOR
    depth = cv2.distanceTransform(covered.astype(np.uint8), cv2.DIST_L2, 3)
    matte = np.clip(depth / (EDGE_SHARE * size), 0, 1).astype(np.float32)
    return SyntheticFace(
        gain=np.broadcast_to(gain, (grid, grid, 3)).copy(),
        bias=np.zeros((grid, grid, 3), np.float32),
        inpaint_rgb=fill,
        matte=matte,
    )


def _mean(rgb: Floats, weight: Floats) -> Floats:
    return np.asarray((rgb * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1.0), np.float32)


def _like_skin(rgb: Floats) -> Floats:
    """1 where red leads green leads blue by about what skin does."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return ((r > g * 1.08) & (g > b * 0.95) & (r < g * 2.2) & (r > 0.15)).astype(np.float32)


def _fill(colour: Floats, weight: Floats) -> Floats:
    import cv2

    total, norm = np.zeros_like(colour), np.full(weight.shape, 1e-6, np.float32)
    for sigma, share in ((4, 1.0), (12, 1e-2), (40, 1e-4)):
        norm += share * cv2.GaussianBlur(weight, (0, 0), sigma)
        total += share * cv2.GaussianBlur(colour, (0, 0), sigma)
    smooth = total / norm[..., None]
    return np.asarray(colour * weight[..., None] + smooth * (1 - weight[..., None]), np.float32)
