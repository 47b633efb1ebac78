"""What others would cover in a single frame, for the table of recall: deface as it comes, and one detector alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import cv2
import numpy as np

from anonymizer.faces import Mask
from anonymizer.frames import RgbImage
from anonymizer.guard.coverage import box_outline, fill_hole
from anonymizer.perceive.fullrange import FullRange

Coverer = Callable[[RgbImage], Mask]
"""A frame (H, W, 3) -> what would be covered of it, (H, W)."""
DEFACE_THRESHOLD, DEFACE_MASK_SCALE = 0.2, 1.3  # its defaults, version 1.5.0
FULL_RANGE_SCALE = 1.3


def deface() -> Coverer:
    """deface 1.5.0 at its defaults. It is no dependency: `pip install --no-deps deface==1.5.0` puts it there."""
    try:
        module: Any = importlib.import_module("deface.centerface")
    except ImportError as error:
        raise SystemExit(
            f"deface is not installed ({error}); for this table alone: pip install --no-deps deface==1.5.0"
        ) from error
    with redirect_stdout(StringIO()):
        network = module.CenterFace(backend="opencv")

    def covers(rgb: RgbImage) -> Mask:
        height, width = rgb.shape[:2]
        mask = np.zeros((height, width), np.uint8)
        found, _ = network(np.ascontiguousarray(rgb), threshold=DEFACE_THRESHOLD)
        for x0, y0, x1, y1 in found[:, :4].astype(int):
            grow = DEFACE_MASK_SCALE - 1  # to each side, as its scale_bb does
            left, right = max(0, round(x0 - (x1 - x0) * grow)), min(width - 1, round(x1 + (x1 - x0) * grow))
            top, bottom = max(0, round(y0 - (y1 - y0) * grow)), min(height - 1, round(y1 + (y1 - y0) * grow))
            middle = left + (right - left) // 2, top + (bottom - top) // 2
            axes = max(0, (right - left) // 2), max(0, (bottom - top) // 2)
            cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
        return mask

    return covers


def full_range_alone() -> Coverer:
    """MediaPipe's full-range detector at its usual threshold, boxes grown by 1.3."""
    network = FullRange()

    def covers(rgb: RgbImage) -> Mask:
        mask = np.zeros(rgb.shape[:2], np.uint8)
        for found in network.detect(rgb):
            fill_hole(mask, box_outline(found.box.scaled(FULL_RANGE_SCALE)))
        return mask

    return covers
