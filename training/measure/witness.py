"""An onlooker that judges a rendered frame from the raw one: was a face plainly in view, and did the hole hold it?

Looks at each frame alone, with no memory and no smoothing, so that what a track's smoothing moves is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Mask
from anonymizer.frames import RgbImage
from anonymizer.perceive.centerface import CenterFace
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.landmarks import Landmarker, bounds
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIPS_INNER, LIPS_OUTER

PLAIN_SCORE = 0.6  # of CenterFace
PLAIN_PRESENCE = 0.8  # of the landmark network
PLAIN_SIDE_PX = 64.0
# Brows, nose and outer lips, numbered as in MediaPipe's face mesh.
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 64, 294)
INNER = (*EYE_LEFT, *EYE_RIGHT, *BROWS, *NOSE, *LIPS_OUTER, *LIPS_INNER)
_LOWEST = FACE_OVAL.index(361)
JAW = FACE_OVAL[_LOWEST : FACE_OVAL.index(132) + 1]  # from ear lobe to ear lobe below the chin
FOREHEAD = (54, 103, 67, 109, 10, 338, 297, 332, 284)


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """width_px: of the landmarks' box. *_out: how far the worst point of a group lies outside the hole, as a share of
    that width; 0 = all inside. inner: eyes, brows, nose, mouth."""

    box: Box
    width_px: float
    inner_out: float
    jaw_out: float
    forehead_out: float


class Witness:
    """Holds the networks."""

    def __init__(self, threads: int = 1, long_side_px: int = 640) -> None:
        self._centerface, self._landmarker = CenterFace(threads), Landmarker(threads)
        self._long_side_px = long_side_px

    def plain_faces(self, rgb: RgbImage, hole: Mask) -> list[SeenFace]:
        """Faces of at least 64 px on which detector and landmarks agree, and how the hole (H, W) holds each."""
        outside = distance_outside(hole)
        seen = []
        for detection in self._centerface.detect(rgb, self._long_side_px, PLAIN_SCORE):
            if min(detection.box.width, detection.box.height) < PLAIN_SIDE_PX:
                continue
            points = self._landmarker.at_box(rgb, detection.box, detection.roll_rad)
            if points is None or points.presence < PLAIN_PRESENCE:
                continue
            box = bounds(points.landmarks_px)
            if not same_face(box, detection.box):
                continue
            out = [
                _worst(outside, points.landmarks_px[list(group), :2]) / box.width for group in (INNER, JAW, FOREHEAD)
            ]
            seen.append(SeenFace(box, box.width, *out))
        return seen


def distance_outside(hole: Mask) -> npt.NDArray[np.float32]:
    """(H, W) px from each pixel to the hole, 0 in it; the frame's diagonal where there is no hole."""
    import cv2

    if not hole.any():
        return np.full(hole.shape, float(np.hypot(*hole.shape)), np.float32)
    return np.asarray(cv2.distanceTransform(cv2.bitwise_not(hole), cv2.DIST_L2, 5), np.float32)


def _worst(outside: npt.NDArray[np.float32], points_px: npt.NDArray[np.float32]) -> float:
    """Of the points that lie in the frame."""
    height, width = outside.shape
    xy = np.floor(points_px).astype(int)
    inside = ((xy >= 0) & (xy < (width, height))).all(1)
    return float(outside[xy[inside, 1], xy[inside, 0]].max()) if inside.any() else 0.0
