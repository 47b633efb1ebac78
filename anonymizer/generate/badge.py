"""A visible mark in the corner of a frame: that faces in it were replaced."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

TEXT = "AI: faces replaced"
_HEIGHT_SHARE = 0.035  # of the frame's shorter side
_MIN_HEIGHT_PX = 9
_DARK_RGB, _LIGHT_RGB = (24, 24, 24), (240, 240, 240)
_SEEN_THROUGH = 0.35  # share of the frame that shows through the plate
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def add_badge(rgb: npt.NDArray[np.uint8]) -> None:
    """Draw the badge into (H, W, 3) uint8 RGB, lower left; a frame too small for it is left as it is."""
    height, width = rgb.shape[:2]
    text_px = max(_MIN_HEIGHT_PX, round(_HEIGHT_SHARE * min(height, width)))
    thickness = max(1, text_px // 12)
    scale = cv2.getFontScaleFromHeight(_FONT, text_px, thickness)
    (text_width, _), below = cv2.getTextSize(TEXT, _FONT, scale, thickness)
    pad = text_px // 2
    x0, y1 = pad, height - pad
    y0, x1 = y1 - text_px - below - pad, x0 + text_width + 2 * pad
    if y0 < 0 or x1 > width:
        return
    plate = rgb[y0:y1, x0:x1]
    shown = plate * _SEEN_THROUGH + np.array(_DARK_RGB) * (1 - _SEEN_THROUGH)
    plate[:] = np.rint(shown).astype(np.uint8)
    at = (x0 + pad, y1 - below - pad // 2)
    cv2.putText(rgb, TEXT, at, _FONT, scale, _LIGHT_RGB, thickness, cv2.LINE_AA)
