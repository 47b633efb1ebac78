"""Where the faces of a picture are, for an attacker who will not be put off by a detector's miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.faces import Box, Face, Floats
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.finder import Finder, FinderSettings

DETECTOR_SIDE_PX = 640
DETECTED_OVERLAP = 0.3  # intersection over union at which the other detector found this face


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face with landmarks (478, 3) px and expression (52,). found: by the finder in this very picture; else the
    points are those of the raw picture, where the face must be."""

    landmarks_px: Floats
    expression: Floats
    found: bool = True


def audit_finder(threads: int = 1) -> Finder:
    """The product's own detectors, used here on BEFORE and AFTER alike."""
    return Finder(FinderSettings(side_px=DETECTOR_SIDE_PX, threads=threads))


def faces_of(finder: Finder, rgb: RgbImage) -> list[Seen]:
    """All faces with landmarks, largest first."""
    faces = [f for f in finder.find(Frame(rgb)) if f.landmarks_px is not None]
    return [seen for f in sorted(faces, key=lambda f: -f.box_px.width) if (seen := as_seen(f)) is not None]


def as_seen(face: Face) -> Seen | None:
    if face.landmarks_px is None or face.expression is None:
        return None
    return Seen(face.landmarks_px, face.expression)


def same_place(raw: Seen, candidates: Sequence[Seen]) -> Seen:
    """The candidate where the raw face was, or the raw face's own points, marked as not found."""
    box = box_of(raw)
    near = [other for other in candidates if same_face(box_of(other), box)]
    best = max(near, key=lambda other: box.iou(box_of(other)), default=None)
    return best or Seen(raw.landmarks_px, raw.expression, found=False)


def box_of(seen: Seen) -> Box:
    (x0, y0), (x1, y1) = seen.landmarks_px[:, :2].min(0), seen.landmarks_px[:, :2].max(0)
    return Box(float(x0), float(y0), float(x1), float(y1))


class OtherDetector:
    """dlib's HOG detector (King 2015): of another kind than any in the product, and it needs no model file."""

    def __init__(self) -> None:
        import dlib

        self._detect = dlib.get_frontal_face_detector()

    def boxes(self, rgb: RgbImage, long_side_px: int = 640) -> list[Box]:
        """Frontal faces of about 80 px or more at that size."""
        import cv2

        height, width = rgb.shape[:2]
        scale = long_side_px / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.ascontiguousarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else 1))
        return [
            Box(r.left() / scale, r.top() / scale, (r.right() + 1) / scale, (r.bottom() + 1) / scale)
            for r in self._detect(small, 0)
        ]

    def sees(self, rgb: RgbImage, face: Box) -> bool:
        """Does it find a face where `face` is?"""
        return any(box.iou(face) >= DETECTED_OVERLAP for box in self.boxes(rgb))
