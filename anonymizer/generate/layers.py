"""Reads the layers of a crop between its pixels, from compiled code."""

from __future__ import annotations

import numpy as np

from anonymizer import quiet

quiet.silence()  # numba's cache folder, before numba is imported

from numba import njit  # noqa: E402  (after the line above)


@njit(inline="always")
def around(layers, matrix, x, y):  # type: ignore[no-untyped-def]
    """The four crop px around a pixel (x0, y0, x1, y1), and their weights."""
    one, limit = np.float32(1), np.float32(layers.shape[0] - 1.001)
    cx = np.float32(matrix[0, 0] * (x + 0.5) + matrix[0, 1] * (y + 0.5) + matrix[0, 2] - 0.5)
    cy = np.float32(matrix[1, 0] * (x + 0.5) + matrix[1, 1] * (y + 0.5) + matrix[1, 2] - 0.5)
    cx, cy = min(max(cx, np.float32(0)), limit), min(max(cy, np.float32(0)), limit)
    ix, iy = np.uint32(cx), np.uint32(cy)  # unsigned: no test for indices that count from the end
    fx, fy = cx - np.float32(ix), cy - np.float32(iy)
    at = (ix, iy, np.uint32(ix + np.uint32(1)), np.uint32(iy + np.uint32(1)))
    return at, ((one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy)


@njit(inline="always")
def layer(layers, at, weights, k):  # type: ignore[no-untyped-def]
    """One layer between the four crop px around a place."""
    x0, y0, x1, y1 = at
    upper = weights[0] * layers[y0, x0, k] + weights[1] * layers[y0, x1, k]
    return upper + weights[2] * layers[y1, x0, k] + weights[3] * layers[y1, x1, k]
