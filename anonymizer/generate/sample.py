"""Draw a textured mesh: at every pixel the nearest triangle's texture, shaded; 0 where nothing is. numba, one thread.

Bilinear, rounded to the nearest level as cv2.remap does; edges are repeated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.faces import Floats, Mask
from anonymizer.persona.rasterise import visible

quiet.silence()  # numba's cache folder, before numba is imported

from numba import njit  # noqa: E402  (after the line above)


def sample(texture: npt.NDArray[np.uint8], drawn: Floats, which: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """texture (h, w, 3); drawn (H, W, 3+): u, v in [0, 1], shade; which (H, W) < 0: nothing is there -> (H, W, 3)."""
    out = np.zeros((*which.shape, 3), np.uint8)
    _sample(np.ascontiguousarray(texture), drawn, which, out)
    return out


def draw_textured(
    vertices_px: Floats,
    triangles: npt.NDArray[np.int32],
    attributes: Floats,
    texture: npt.NDArray[np.uint8],
    size_px: tuple[int, int],
    parts: tuple[int, ...] = (),
) -> tuple[npt.NDArray[np.uint8], Mask]:
    """A mesh of vertices_px (V, 3) with attributes (V, 3) u, v, shade in an image of size_px = (width, height)
    -> colours (H, W, 3) uint8; coverage (H, W), 0 or 255.

    parts: vertices with which another part of the mesh begins; borders between parts are smoothed over a px to each
    side, or eyes end in steps.
    """
    width, height = size_px
    out = np.zeros((height, width, 3), np.uint8)
    coverage = np.zeros((height, width), np.uint8)
    _draw_textured(
        np.ascontiguousarray(vertices_px, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        np.ascontiguousarray(attributes, np.float32),
        np.ascontiguousarray(texture),
        np.array(parts, np.int32),
        out,
        coverage,
    )
    return out, coverage


@njit(cache=True, nogil=True, fastmath=False)
def _draw_textured(vertices, triangles, attributes, texture, parts, out, coverage):  # type: ignore[no-untyped-def]
    rows, columns = coverage.shape
    depth = np.full((rows, columns), np.inf, np.float32)
    which = np.full((rows, columns), -1, np.int32)
    weights = visible(vertices, triangles, depth, which)
    for y in range(rows):
        for x in range(columns):
            t = which[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa = np.float32(weights[t, 0] * x + weights[t, 1] * y + weights[t, 2])
            wb = np.float32(weights[t, 3] * x + weights[t, 4] * y + weights[t, 5])
            wc = np.float32(1) - wa - wb
            u = wa * attributes[a, 0] + wb * attributes[b, 0] + wc * attributes[c, 0]
            v = wa * attributes[a, 1] + wb * attributes[b, 1] + wc * attributes[c, 1]
            shade = wa * attributes[a, 2] + wb * attributes[b, 2] + wc * attributes[c, 2]
            _texel(texture, u, v, shade, out, y, x)
            coverage[y, x] = 255
    if len(parts):
        _smooth_borders(np.searchsorted(parts, triangles[:, 0], side="right"), which, out)


@njit(cache=True, nogil=True, fastmath=False)
def _smooth_borders(part, which, out):  # type: ignore[no-untyped-def]
    """Binomial means of 3 × 3 at px beside another part. part (T,): of each triangle."""
    rows, columns = which.shape
    before = out.copy()
    for y in range(1, rows - 1):
        for x in range(1, columns - 1):
            if which[y, x] < 0:
                continue
            own, border = part[which[y, x]], False
            for t in (which[y, x - 1], which[y, x + 1], which[y - 1, x], which[y + 1, x]):
                border |= t >= 0 and part[t] != own
            if not border:
                continue
            for k in range(3):
                total, weight = 0, 0
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        if which[y + dy, x + dx] >= 0:
                            share = (2 - abs(dy)) * (2 - abs(dx))
                            total += share * before[y + dy, x + dx, k]
                            weight += share
                out[y, x, k] = np.uint8((total + weight // 2) // weight)


@njit(cache=True, nogil=True, fastmath=False)
def _sample(texture, drawn, which, out):  # type: ignore[no-untyped-def]
    rows, columns = which.shape
    for y in range(rows):
        for x in range(columns):
            if which[y, x] >= 0:
                _texel(texture, drawn[y, x, 0], drawn[y, x, 1], drawn[y, x, 2], out, y, x)


@njit(inline="always")
def _texel(texture, u, v, shade, out, y, x):  # type: ignore[no-untyped-def]
    """out[y, x] = the shaded texture at (u, v)."""
    height, width = texture.shape[0], texture.shape[1]
    column = np.float32(u * np.float32(width) - np.float32(0.5))
    row = np.float32(v * np.float32(height) - np.float32(0.5))
    left, top = np.floor(column), np.floor(row)
    ix, iy, fx, fy = int(left), int(top), column - left, row - top
    x0, x1 = min(max(ix, 0), width - 1), min(max(ix + 1, 0), width - 1)
    y0, y1 = min(max(iy, 0), height - 1), min(max(iy + 1, 0), height - 1)
    for k in range(3):
        upper = texture[y0, x0, k] + fx * (np.float32(texture[y0, x1, k]) - np.float32(texture[y0, x0, k]))
        lower = texture[y1, x0, k] + fx * (np.float32(texture[y1, x1, k]) - np.float32(texture[y1, x0, k]))
        seen = upper + fy * (lower - upper) + np.float32(0.5)
        out[y, x, k] = np.uint8(np.int32(seen) * shade) if shade < np.float32(0.998) else np.uint8(np.int32(seen))
