"""What a face detector says, and how the answers of several are made one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from anonymizer.faces import Box


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """box in frame px; score [0, 1]; roll_rad the head's turn in the image plane, clockwise as seen."""

    box: Box
    score: float
    roll_rad: float = 0.0

    @property
    def side_px(self) -> float:
        return max(self.box.width, self.box.height)


def roll_of_eyes(left: tuple[float, float], right: tuple[float, float]) -> float:
    """Roll from the eye at the image's left and the other, for an upright head; radians, clockwise."""
    return math.atan2(right[1] - left[1], right[0] - left[0])


def same_face(a: Box, b: Box, overlap: float = 0.3) -> bool:
    """Do two boxes mean one face? They overlap well, or the smaller lies in the other and is not a mere spot of it."""
    if a.iou(b) >= overlap:
        return True
    small, large = sorted((a.width * a.height, b.width * b.height))
    return small > 0.15 * large and a.intersection(b) > 0.7 * small


def suppressed(detections: Iterable[Detection], overlap: float = 0.3) -> tuple[Detection, ...]:
    """One detection a face, the best-scored first."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda each: -each.score):
        if not any(same_face(detection.box, other.box, overlap) for other in kept):
            kept.append(detection)
    return tuple(kept)
