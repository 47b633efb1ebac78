"""The calm cover for a face that cannot get a persona. Made of what surrounds the hole, never of what was in it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Mask

Fallback = Literal["blur", "solid"]
SOLID_RGB = (96, 96, 96)
_LEAST_KNOWN = 0.1  # share of a cell that must be known for its colour to count
_CELLS = 24  # the surroundings are seen through this many cells along the longer side


def cover(out: npt.NDArray[np.uint8], hole: Mask, all_holes: Mask, style: Fallback) -> None:
    """Fill `hole` in out (H, W, 3), in place. `all_holes` marks every pixel that may not be read.

    `blur`: colours of the surroundings run into the hole. `solid`: one grey.
    """
    if style == "solid":
        out[hole > 0] = SOLID_RGB
        return
    import cv2

    cv2.copyTo(diffuse(out, all_holes), hole, out)


def diffuse(rgb: npt.NDArray[np.uint8], unknown: Mask) -> npt.NDArray[np.uint8]:
    """(H, W, 3): known pixels spread smoothly into the unknown ones; unknown values are never read."""
    import cv2

    height, width = unknown.shape
    scale = min(1.0, _CELLS / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    known = cv2.bitwise_not(unknown)
    weight = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32) / 255
    colour = np.asarray(cv2.resize(cv2.copyTo(rgb, known), size, interpolation=cv2.INTER_AREA), np.float32)
    colour[weight < _LEAST_KNOWN], weight[weight < _LEAST_KNOWN] = 0, 0  # too little to tell a colour in whole steps
    total, norm = np.zeros_like(colour), np.full(weight.shape, 1e-6, np.float32)
    for sigma, share in ((1.5, 1.0), (4.0, 1e-2), (12.0, 1e-4)):
        norm += share * cv2.GaussianBlur(weight, (0, 0), sigma)
        total += share * cv2.GaussianBlur(colour, (0, 0), sigma)
    small = np.clip(np.rint(total / norm[..., None]), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
