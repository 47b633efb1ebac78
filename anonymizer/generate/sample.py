"""Look up a texture at every drawn pixel, shade it, and leave 0 where nothing is drawn: one sweep, numba, one thread.

Bilinear, rounded to the nearest level as cv2.remap does; edges are repeated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.faces import Floats

quiet.silence()  # numba's cache folder, before numba is imported

from numba import njit  # noqa: E402  (after the line above)


def sample(texture: npt.NDArray[np.uint8], drawn: Floats, which: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """texture (h, w, 3); drawn (H, W, 3+): u, v in [0, 1], shade; which (H, W) < 0: nothing is there -> (H, W, 3)."""
    out = np.zeros((*which.shape, 3), np.uint8)
    _sample(np.ascontiguousarray(texture), drawn, which, out)
    return out


@njit(cache=True, nogil=True, fastmath=False)
def _sample(texture, drawn, which, out):  # type: ignore[no-untyped-def]
    rows, columns = which.shape
    height, width = texture.shape[0], texture.shape[1]
    for y in range(rows):
        for x in range(columns):
            if which[y, x] < 0:
                continue
            u = np.float32(drawn[y, x, 0] * np.float32(width) - np.float32(0.5))
            v = np.float32(drawn[y, x, 1] * np.float32(height) - np.float32(0.5))
            left, top = np.floor(u), np.floor(v)
            ix, iy, fx, fy = int(left), int(top), u - left, v - top
            x0, x1 = min(max(ix, 0), width - 1), min(max(ix + 1, 0), width - 1)
            y0, y1 = min(max(iy, 0), height - 1), min(max(iy + 1, 0), height - 1)
            shade = drawn[y, x, 2]
            for k in range(3):
                upper = texture[y0, x0, k] + fx * (np.float32(texture[y0, x1, k]) - np.float32(texture[y0, x0, k]))
                lower = texture[y1, x0, k] + fx * (np.float32(texture[y1, x1, k]) - np.float32(texture[y1, x0, k]))
                seen = np.rint(upper + fy * (lower - upper))
                out[y, x, k] = np.uint8(seen * shade) if shade < np.float32(0.998) else np.uint8(seen)
