"""Keeps what the network paints beside a face within the colours that are there: no rims lighter than the wall behind.

A young network overshoots where wall, ear and neck meet. Nothing that is painted in may be lighter than the lightest of
what is in sight around it, or of the guide.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats

REACH_SHARE = 0.2  # of the crop's side, to each side: from the neck beside a chin to the wall and the collar
MARGIN = 0.01
_KNOWN_HOLE = 0.02  # a px of which less lies in the hole is in sight


def in_range(inpaint_rgb: Floats, crop: FaceCrop) -> Floats:
    """inpaint_rgb (S, S, 3) of [0, 1], nowhere lighter than the crop's context and guide nearby."""
    known = crop.hole < _KNOWN_HOLE
    drawn = crop.guide_coverage > 0
    colours = np.where(known[..., None], crop.context_rgb, crop.guide_rgb)
    window = _window(crop.hole.shape[0])
    high = cv2.dilate(np.where(known | drawn, _lightest(colours), np.float32(0)), window)
    high[high == 0] = 1  # nothing is in reach
    high = cv2.blur(high, window.shape[::-1]) + np.float32(MARGIN)  # else the window's corners show
    share = np.minimum(high / np.maximum(_lightest(inpaint_rgb), np.float32(1e-6)), 1)
    return np.asarray(inpaint_rgb * share[..., None], np.float32)


def _lightest(rgb: Floats) -> Floats:
    """(S, S): the largest of the three; forty times as fast as `max` over the last axis."""
    return np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])


def _window(size_px: int) -> npt.NDArray[np.uint8]:
    side = 2 * round(REACH_SHARE * size_px) + 1
    return np.ones((side, side), np.uint8)


__all__ = ["in_range"]
