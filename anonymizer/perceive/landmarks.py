"""Finds 478 landmarks and 52 expression coefficients of one face, given where it is and how it is rolled.

The three networks are those of MediaPipe's Face Landmarker; what happens around them follows its published graphs
(mediapipe/tasks/cc/vision/face_landmarker: region 1.5 times the face's bounds, upright by the eye corners, 256 px),
but the region comes from our own detectors or from the frame before, so no detector runs for a face in sight.
"""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.errors import WeightsError
from anonymizer.faces import LANDMARK_COUNT, Box, Floats
from anonymizer.frames import RgbImage
from anonymizer.perceive.network import Network
from anonymizer.weights.locate import weight_bytes

REGION_SCALE = 1.5  # side of the region over the longer side of the face's bounds, as the network was trained
INPUT_PX = 256
LEFT_CORNER, RIGHT_CORNER = 33, 263  # outer eye corners, at the image's left and right when the head is upright

# The landmarks the expression network reads (MediaPipe, face_blendshapes_graph.cc).
EXPRESSION_LANDMARKS = np.array(
    "0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93 95 103 "
    "105 107 109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 168 172 173 176 "
    "178 181 185 191 195 197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 295 296 297 300 308 310 "
    "311 312 314 317 318 321 323 324 332 334 336 338 356 361 362 365 373 374 375 377 378 379 380 381 382 384 385 386 "
    "387 388 389 390 397 398 400 402 405 409 415 454 466 468 469 470 471 472 473 474 475 476 477".split(),
    dtype=np.intp,
)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A square of the frame. center in frame px, side_px its length, roll_rad its turn, clockwise as seen."""

    center: tuple[float, float]
    side_px: float
    roll_rad: float

    def frame_from_input(self) -> npt.NDArray[np.float64]:
        """(2, 3): p_frame = M @ (x, y, 1) for x, y in [0, INPUT_PX]."""
        scale = self.side_px / INPUT_PX
        c, s = math.cos(self.roll_rad) * scale, math.sin(self.roll_rad) * scale
        half = INPUT_PX / 2
        return np.array([[c, -s, self.center[0] - (c - s) * half], [s, c, self.center[1] - (s + c) * half]])


@dataclass(frozen=True, slots=True, eq=False)
class FacePoints:
    """landmarks_px: (478, 3) float32 in frame px. expression: (52,) float32 [0, 1]. presence: [0, 1], how sure."""

    landmarks_px: Floats
    expression: Floats
    presence: float


def region_of_box(box: Box, roll_rad: float = 0.0) -> Region:
    """The region for a detector's box."""
    return Region(box.center, max(box.width, box.height) * REGION_SCALE, roll_rad)


def region_of_landmarks(landmarks_px: Floats) -> Region:
    """The region in which the next frame's landmarks are looked for: bounds along the face's own axes."""
    roll = roll_of(landmarks_px)
    c, s = math.cos(roll), math.sin(roll)
    upright = landmarks_px[:, :2] @ np.array([[c, -s], [s, c]], np.float32)
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = (low + high) / 2
    side = float((high - low).max()) * REGION_SCALE
    return Region((float(c * x - s * y), float(s * x + c * y)), side, roll)


def roll_of(landmarks_px: Floats) -> float:
    """The head's turn in the image plane by its eyes' outer corners; radians, clockwise as seen."""
    left, right = landmarks_px[LEFT_CORNER, :2], landmarks_px[RIGHT_CORNER, :2]
    return math.atan2(float(right[1] - left[1]), float(right[0] - left[0]))


def bounds(landmarks_px: Floats) -> Box:
    """The upright box around all landmarks."""
    (x0, y0), (x1, y1) = landmarks_px[:, :2].min(axis=0), landmarks_px[:, :2].max(axis=0)
    return Box(float(x0), float(y0), float(x1), float(y1))


def cut_region(rgb: RgbImage, region: Region) -> Floats:
    """(256, 256, 3) float32 [0, 1]: the region, upright; beyond the frame its edge goes on."""
    shrink = max(1, int(region.side_px / INPUT_PX))
    matrix = region.frame_from_input()
    if shrink > 1:  # a plain warp would skip pixels; average them first
        rgb, matrix = _shrunk(rgb, matrix, region, shrink)
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # pixel centres lie at .5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(rgb, matrix, (INPUT_PX, INPUT_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.float32) / np.float32(255)


def _shrunk(
    rgb: RgbImage, matrix: npt.NDArray[np.float64], region: Region, shrink: int
) -> tuple[RgbImage, npt.NDArray[np.float64]]:
    reach = region.side_px * 0.71 + shrink  # half the diagonal
    (cx, cy), (h, w) = region.center, rgb.shape[:2]
    x0, y0 = int(max(0, cx - reach)), int(max(0, cy - reach))
    x1, y1 = int(min(w, cx + reach)), int(min(h, cy + reach))
    wide, high = (x1 - x0) // shrink, (y1 - y0) // shrink
    if wide < 1 or high < 1:
        return rgb, matrix
    part = rgb[y0 : y0 + high * shrink, x0 : x0 + wide * shrink]
    small = cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA)
    moved = matrix.copy()
    moved[:, 2] -= (x0, y0)
    return np.asarray(small, np.uint8), moved / shrink


class Landmarker:
    """Holds the landmark and expression networks; use as a context manager or `close()` it."""

    def __init__(self, threads: int = 1) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(weight_bytes("face_landmarker"))) as bundle:
                points = bundle.read("face_landmarks_detector.tflite")
                expression = bundle.read("face_blendshapes.tflite")
        except (zipfile.BadZipFile, KeyError) as error:
            raise WeightsError(f"face_landmarker.task does not hold its networks ({error}); reinstall") from error
        self._points = Network(points, "face landmarks", threads)
        self._expression = Network(expression, "expression", 1)

    def at_region(self, rgb: RgbImage, region: Region) -> FacePoints | None:
        """One look at `region`; None when it lies outside the frame or is too small to hold anything."""
        h, w = rgb.shape[:2]
        (cx, cy), reach = region.center, region.side_px / 2
        inside = cx + reach > 0 and cy + reach > 0 and cx - reach < w and cy - reach < h
        if not (math.isfinite(cx + cy + reach) and reach >= 4 and inside):
            return None
        raw, flag, _ = self._points.run(cut_region(rgb, region))
        seen = raw.reshape(LANDMARK_COUNT, 3)
        matrix = region.frame_from_input()
        landmarks = np.empty((LANDMARK_COUNT, 3), np.float32)
        landmarks[:, :2] = seen[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        landmarks[:, 2] = seen[:, 2] * (region.side_px / INPUT_PX)
        presence = 1 / (1 + math.exp(-float(np.clip(flag.item(), -30, 30))))
        return FacePoints(landmarks, self._expression_of(landmarks), presence)

    def at_box(self, rgb: RgbImage, box: Box, roll_rad: float = 0.0, looks: int = 2) -> FacePoints | None:
        """Landmarks in a detector's box. Each further look starts from the landmarks of the one before."""
        found = self.at_region(rgb, region_of_box(box, roll_rad))
        for _ in range(looks - 1):
            if found is None or found.presence < 0.1:
                break
            found = self.at_region(rgb, region_of_landmarks(found.landmarks_px)) or found
        return found

    def at_landmarks(self, rgb: RgbImage, landmarks_px: Floats) -> FacePoints | None:
        """Landmarks where they were, or were predicted to be."""
        return self.at_region(rgb, region_of_landmarks(landmarks_px))

    def _expression_of(self, landmarks_px: Floats) -> Floats:
        values = self._expression.run(landmarks_px[EXPRESSION_LANDMARKS, :2])[0]
        return np.clip(values, 0, 1).astype(np.float32)

    def close(self) -> None:
        """Drop the networks."""
        self.__dict__.clear()

    def __enter__(self) -> Landmarker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
