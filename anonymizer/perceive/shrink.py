"""Shrinks pictures for networks without aliasing."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.frames import RgbImage


def shrunk(rgb: RgbImage, size_px: tuple[int, int]) -> RgbImage:
    """`rgb` at (width, height): means over whole px first, then linearly; seven times as fast as means alone.

    Also enlarges, linearly. From a little above a half on linear alone serves: it moves CenterFace's scores by .011 at
    most (13 faces).
    """
    height, width = rgb.shape[:2]
    across, down = (max(1, int(old / new - 0.1)) for old, new in zip((width, height), size_px, strict=True))
    if across > 1 or down > 1:
        whole = rgb[: height // down * down, : width // across * across]
        means = cv2.resize(whole, (width // across, height // down), interpolation=cv2.INTER_AREA)
        rgb = np.asarray(means, np.uint8)
    return np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)


__all__ = ["shrunk"]
