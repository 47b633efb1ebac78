"""The looks that detectors take at a frame: at all of it, at parts and turned, and closely at one place.

Scores are on CenterFace's scale. What it says above `min_score` is believed: of 175 frames without a face (made rooms
and a filmed one) none has a detection of .2 or more that is not on somebody's head; true faces of 12 px have .2 to .5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from anonymizer.faces import Box
from anonymizer.frames import RgbImage
from anonymizer.perceive.centerface import CenterFace
from anonymizer.perceive.detections import Detection, same_face, suppressed
from anonymizer.perceive.fullrange import FullRange
from anonymizer.perceive.views import View

NEAR_INPUT_PX = 160
NEAR_FACE_PX = 52.0  # as large a close look shows the face that is looked for
NEAR_SIZES_PX = (104.0, 52.0, 76.0, 36.0)  # a second look, those first that hear most of half faces
NEAR_REACH = 0.75  # how far, in sides of the box, it may have gone
NEAR_SIZE_RATIO = 1.9
_CLOCKWISE = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class LookSettings:
    """side_px: the frame's longer side as CenterFace sees it. threads: of each network.

    min_score: above it CenterFace is believed. near_score: the same in a close look at a place where a face was.
    turned_score: the same of a face on its side or head. full_range_score: above it the other detector is heard;
    sure_full_range_score: believed alone. agreed: nobody is there only when both detectors say so on this very frame,
    and what either of them hears of is believed (`strict`).
    """

    side_px: int = 640
    threads: int = 1
    min_score: float = 0.2
    near_score: float = 0.15
    turned_score: float = 0.4
    full_range_score: float = 0.5
    sure_full_range_score: float = 0.85
    agreed: bool = False


class Looks:
    """Holds both detectors."""

    def __init__(self, settings: LookSettings) -> None:
        self.settings = settings
        self._centerface = CenterFace(settings.threads)
        self._full_range = FullRange()

    def at_all(self, rgb: RgbImage) -> tuple[Detection, ...]:
        """CenterFace over the whole frame."""
        return self._centerface.detect(rgb, self.settings.side_px, self.settings.min_score)

    def fast(self, rgb: RgbImage) -> tuple[Detection, ...]:
        """The other detector alone, as it says it."""
        return self._full_range.detect(rgb, self.settings.full_range_score)

    def both(self, rgb: RgbImage, first: tuple[Detection, ...] | None = None) -> tuple[Detection, ...]:
        """CenterFace's detections, or `first` where they are known, and what only the other detector sees."""
        first = self.at_all(rgb) if first is None else first
        alone = [each for each in self.fast(rgb) if not _among(each.box, first)]
        return (*first, *(self.weighed(each) for each in alone))

    def in_view(self, rgb: RgbImage, view: View) -> tuple[Detection, ...]:
        """A part of the frame, turned; of turned ones only the sure are believed, the others want confirming."""
        part = view.cut(rgb)
        if view.turns:
            part = np.asarray(cv2.rotate(part, _CLOCKWISE[view.turns]), np.uint8)  # ten times as fast as copying rot90
        found = self._centerface.detect(part, view.detector_side_px, self.settings.min_score)
        in_frame = [view.to_frame(each, (part.shape[1], part.shape[0])) for each in found]
        if not view.turns:
            return tuple(in_frame)
        sure = self.settings.turned_score
        return tuple(each if each.score >= sure else self.doubted(each) for each in in_frame)

    def near(self, rgb: RgbImage, box: Box, roll_rad: float = 0.0) -> Detection | None:
        """The face at or about `box`, upright after undoing roll_rad; None when none is there."""
        side = max(box.width, box.height)
        if not (math.isfinite(side) and side >= 2):
            return None
        scale = NEAR_FACE_PX / side
        part, frame_from_part = _cut(rgb, box.center, scale, roll_rad)
        best = self._best(part, NEAR_FACE_PX, self.settings.near_score)
        return None if best is None else _placed(best, frame_from_part, scale, roll_rad)

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
        """Does any close look, at several sizes and with roll_rad undone, hear of a face at or about `box`?"""
        side = max(box.width, box.height)
        if not (math.isfinite(side) and side >= 2):
            return True
        parts = ((_cut(rgb, box.center, size / side, roll_rad)[0], size) for size in NEAR_SIZES_PX)
        return any(self._best(part, size, least_score) is not None for part, size in parts)

    def _best(self, part: RgbImage, face_px: float, least_score: float) -> Detection | None:
        """The surest face about the middle of a close look, of about face_px."""
        best: Detection | None = None
        for found in self._centerface.detect(part, NEAR_INPUT_PX, least_score):
            x, y = (at - NEAR_INPUT_PX / 2 for at in found.box.center)
            size = found.side_px / face_px
            near = math.hypot(x, y) <= NEAR_REACH * face_px
            if near and 1 / NEAR_SIZE_RATIO <= size <= NEAR_SIZE_RATIO and (best is None or found.score > best.score):
                best = found
        return best

    def weighed(self, detection: Detection) -> Detection:
        """A full-range detection on CenterFace's scale: believed only where it is very sure itself."""
        sure = self.settings.agreed or detection.score >= self.settings.sure_full_range_score
        return detection if sure else self.doubted(detection)

    def doubted(self, detection: Detection) -> Detection:
        """Heard, but not believed unless landmarks confirm it."""
        return Detection(detection.box, min(detection.score, self.settings.min_score * 0.99), detection.roll_rad)


def _cut(
    rgb: RgbImage, center: tuple[float, float], scale: float, roll_rad: float
) -> tuple[RgbImage, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """The square around a place, upright, and how its px (x, y, 1) map to the frame: (2, 3)."""
    height, width = rgb.shape[:2]
    reach = NEAR_INPUT_PX / 2 * math.sqrt(2) / scale + 2
    x0, y0 = max(0, math.floor(center[0] - reach)), max(0, math.floor(center[1] - reach))
    x1, y1 = min(width, math.ceil(center[0] + reach)), min(height, math.ceil(center[1] + reach))
    part = rgb[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] if x0 < width and y0 < height else rgb[:1, :1]
    shrink = np.ones(2)
    if scale < 0.6:  # a plain warp would skip pixels; average them first
        size = max(1, round(part.shape[1] * scale * 1.2)), max(1, round(part.shape[0] * scale * 1.2))
        shrink = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    c, s = math.cos(roll_rad) / scale, math.sin(roll_rad) / scale
    linear = np.array([[c, -s], [s, c]])
    half = NEAR_INPUT_PX / 2
    shift = np.array(center) - linear @ np.array([half, half])
    frame_from_part = np.concatenate([linear, shift[:, None]], 1)
    warp = frame_from_part.copy()
    warp[:, 2] = (warp[:, 2] - (x0, y0)) * shrink + (linear.sum(1) / 2) * shrink - 0.5
    warp[:, :2] *= shrink[:, None]
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR)
    seen = cv2.warpAffine(part, warp, (NEAR_INPUT_PX, NEAR_INPUT_PX), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    # Black beyond the frame: with its edge drawn on, 2 of 24 half-hidden faces at the border were found, so 24.
    return np.asarray(seen, np.uint8), frame_from_part


def _placed(
    found: Detection,
    frame_from_part: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    scale: float,
    roll_rad: float,
) -> Detection:
    """A detection of the upright part, back in the frame; a turned box becomes one that holds it."""
    cx, cy = (float(v) for v in frame_from_part[:, :2] @ np.array(found.box.center) + frame_from_part[:, 2])
    half_w, half_h = found.box.width / scale / 2, found.box.height / scale / 2
    c, s = abs(math.cos(roll_rad)), abs(math.sin(roll_rad))
    wide, high = c * half_w + s * half_h, s * half_w + c * half_h
    box = Box(cx - wide, cy - high, cx + wide, cy + high)
    return Detection(box, found.score, math.remainder(found.roll_rad + roll_rad, 2 * math.pi))


def _among(box: Box, detections: Iterable[Detection]) -> bool:
    return any(same_face(box, each.box) for each in detections)


__all__ = ["LookSettings", "Looks", "suppressed"]
