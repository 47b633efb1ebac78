"""Erase holes from a frame before anything else reads it, and find where the blend falls off outside them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats, Mask
from anonymizer.frames import RgbImage


def erase(rgb: RgbImage, hole: Mask) -> npt.NDArray[np.uint8]:
    """A copy of the frame (H, W, 3) with 0 wherever hole (H, W) is not 0. From here on the hole is unknown."""
    import cv2

    return np.asarray(cv2.copyTo(rgb, cv2.bitwise_not(hole)), np.uint8)


def blend_outside(hole: Mask, ring_px: float) -> Floats:
    """(H, W) float32: 1 on the hole, falling linearly to 0 at ring_px outside it."""
    import cv2

    distance = cv2.distanceTransform(cv2.bitwise_not(hole), cv2.DIST_L2, 3)
    return np.asarray(np.clip(1 - distance / max(ring_px, 1.0), 0, 1), np.float32)


def bounds(
    outlines: list[npt.NDArray[np.float64]], margin_px: float, shape: tuple[int, int]
) -> tuple[slice, slice] | None:
    """Rows and columns of the frame of shape (H, W) that hold all outlines and a margin; None if outside it."""
    points = np.concatenate(outlines)
    low = np.floor(points.min(0) - margin_px).astype(int)
    high = np.ceil(points.max(0) + margin_px).astype(int) + 1
    x0, y0 = (int(v) for v in np.maximum(low, 0))
    x1, y1 = min(int(high[0]), shape[1]), min(int(high[1]), shape[0])
    return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None
