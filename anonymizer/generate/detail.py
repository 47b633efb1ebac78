"""Fine detail around a hole that the coarse answer of the generator lacks, taken from the erased frame alone.

On the ring outside the hole, where frame and answer are blended, only what is coarse is exchanged: the frame's own
detail stays (Burt and Adelson, "A multiresolution spline", 1983). Inside, hair, cloth and grain of what lies across
the edge go on, fading out, so that no band of haze lies about the new face.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.faces import FaceCrop, Floats, Mask, SyntheticFace
from anonymizer.generate.across import across, smoothed

quiet.silence()  # numba's cache folder, before numba is imported

from numba import njit  # noqa: E402  (after the line above)

from anonymizer.generate.layers import around, layer  # noqa: E402

# Detail is what a blur of so many crop px (standard deviation) takes away; set by the gradients across the edge of
# photos, beside those of the untouched photos.
OUTSIDE_PX, INSIDE_PX = 1.25, 2.0
LIMIT = 40.0  # levels, inside: strong edges, of a collar or an ear, are no texture
LEAST_PAINTED = 0.05  # share of a px that is painted, not the guide's
ALIKE = 50.0  # levels (mean of the channels): what is painted this unlike what lies there gets no detail of it


def detail_around(
    out: npt.NDArray[np.uint8],
    hole: Mask,
    where: tuple[slice, slice],
    blend: Floats,
    crop: FaceCrop,
    face: SyntheticFace,
) -> npt.NDArray[np.int16]:
    """Levels to add to what the generator paints at `where` (h, w, 3), for the frame out (H, W, 3) as erased by hole
    (H, W); 0 where blend (h, w) is, and in the hole where the guide shows."""
    layers = np.concatenate([_layers(crop), face.inpaint_rgb * np.float32(255)], 2)
    painted = 1 - face.matte * crop.guide_coverage
    layers[..., 2] *= np.where(painted > LEAST_PAINTED, painted, 0)
    corner = (where[0].start, where[1].start)
    return np.asarray(_detail(out, hole, corner, blend, layers, np.ascontiguousarray(crop.crop_from_frame)), np.int16)


def _layers(crop: FaceCrop) -> Floats:
    """(S, S, 9) float32: way from a px to where its detail is taken (x, y, frame px), its weight, and the smooth
    surroundings for the inside and for the ring (levels)."""
    import cv2

    where = across(crop)
    to_frame = -np.linalg.inv(crop.crop_from_frame[:, :2]).astype(np.float32)
    way = [where.back_px * (row[0] * where.inward_x + row[1] * where.inward_y) for row in to_frame]
    smooth = [smoothed(crop, sigma_px) * np.float32(255) for sigma_px in (INSIDE_PX, OUTSIDE_PX)]
    parts = [*way, where.share, *(each for part in smooth for each in cv2.split(part))]
    return np.asarray(cv2.merge(parts))


@njit(cache=True, nogil=True, fastmath=True)
def _detail(out, hole, corner, blend, layers, matrix):  # type: ignore[no-untyped-def]
    height, width = blend.shape
    last = np.float32(layers.shape[0] - 1)
    detail = np.zeros((height, width, 3), np.int16)
    for y in range(height):
        for x in range(width):
            fx, fy = corner[1] + x, corner[0] + y
            if blend[y, x] <= 0 or not _is_within(matrix, fx, fy, last):
                continue
            at, weights = around(layers, matrix, fx, fy)
            if hole[fy, fx] == 0:
                for k in range(3):
                    detail[y, x, k] = np.float32(out[fy, fx, k]) - layer(layers, at, weights, 6 + k)
            elif layers[at[1], at[0], 2] > 0:
                _go_on(out, hole, layers, matrix, at, weights, fx, fy, detail[y, x])
    return detail


@njit(inline="always")
def _go_on(out, hole, layers, matrix, at, weights, fx, fy, detail):  # type: ignore[no-untyped-def]
    """The detail of what lies across the edge, for a px of the hole; where that is unknown or unlike nothing."""
    qx, qy = np.float32(fx) + layer(layers, at, weights, 0), np.float32(fy) + layer(layers, at, weights, 1)
    ix, iy = int(np.floor(qx)), int(np.floor(qy))
    if not _is_known(hole, ix, iy) or not _is_within(matrix, qx, qy, np.float32(layers.shape[0] - 1)):
        return
    there, there_weights = around(layers, matrix, qx, qy)
    unlike = np.float32(0)
    for k in range(3):
        unlike += abs(layer(layers, at, weights, 9 + k) - layer(layers, there, there_weights, 3 + k))
    weight = layer(layers, at, weights, 2) * max(np.float32(0), np.float32(1) - unlike * np.float32(1 / (3 * ALIKE)))
    rx, ry, one, limit = qx - np.float32(ix), qy - np.float32(iy), np.float32(1), np.float32(LIMIT)
    shares = (one - rx) * (one - ry), rx * (one - ry), (one - rx) * ry, rx * ry
    for k in range(3):
        upper = shares[0] * np.float32(out[iy, ix, k]) + shares[1] * np.float32(out[iy, ix + 1, k])
        lower = shares[2] * np.float32(out[iy + 1, ix, k]) + shares[3] * np.float32(out[iy + 1, ix + 1, k])
        seen = upper + lower - layer(layers, there, there_weights, 3 + k)
        detail[k] = weight * min(max(seen, -limit), limit)


@njit(inline="always")
def _is_known(hole, x, y):  # type: ignore[no-untyped-def]
    """Are that px and those right of and below it in the frame, and in no hole?"""
    if x < 0 or y < 0 or x >= hole.shape[1] - 1 or y >= hole.shape[0] - 1:
        return False
    return hole[y, x] == 0 and hole[y, x + 1] == 0 and hole[y + 1, x] == 0 and hole[y + 1, x + 1] == 0


@njit(inline="always")
def _is_within(matrix, x, y, last):  # type: ignore[no-untyped-def]
    """Does the crop show that px of the frame? Beyond it nothing is known of what is smooth there."""
    cx = matrix[0, 0] * (x + 0.5) + matrix[0, 1] * (y + 0.5) + matrix[0, 2] - 0.5
    cy = matrix[1, 0] * (x + 0.5) + matrix[1, 1] * (y + 0.5) + matrix[1, 2] - 0.5
    return cx >= 0 and cy >= 0 and cx <= last and cy <= last
