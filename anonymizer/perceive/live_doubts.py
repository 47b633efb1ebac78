"""Live, a new face that may be none is looked at again before it is covered, and a place before it is left bare.

A clip's tracks tell a plant from a face by many frames; a live frame cannot wait. So the second look (`second_look`)
is taken at once, in the one frame where a doubted face is new, and what it denies is left alone for a while.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from anonymizer.faces import Box, Face
from anonymizer.frames import Frame
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.evidence import LARGE_PX
from anonymizer.perceive.second_look import DOUBTED_SCORE, MOST_LOOKS, Listens, is_backed
from anonymizer.perceive.tracks import edges
from anonymizer.stages import PersonMasker

DENIED_S = 1.0  # a place that was denied is looked at again after so long,
SCORE_STEP = 0.1  # or as soon as a detector is surer than it was by so much
# Of a close look at a whole face: 170 with landmarks, dark and blurred too, had .71 and more, 7 without .66 and more;
# a plant beside somebody's hair, on which landmarks had come to lie for two seconds, at most .25
LEAST_PLAIN = 0.3
LYING_RAD = 0.8  # of roll; from here on landmarks are believed as they are
_TURNS_RAD = 0.0, math.pi / 2, -math.pi / 2


class LiveDoubts:
    """Asked about every new face of a frame. believe_all: nothing is ever denied (`strict`)."""

    def __init__(self, finder: Listens, masker: PersonMasker, believe_all: bool = False) -> None:
        self._finder, self._masker, self._believe_all = finder, masker, believe_all
        self._denied: list[tuple[Box, float, float]] = []  # box, confidence, when
        self._asked_at_s, self._asked = 0.0, 0

    def denies(self, frame: Frame, face: Face, witnessed: Sequence[Box]) -> bool:
        """Does nothing speak for a new face? witnessed: where CenterFace was sure of one a moment ago."""
        at_s, box = frame.captured_at_s, face.box_px
        if self._believe_all or not _is_doubted(face, frame) or any(same_face(box, sure) for sure in witnessed):
            return False
        self._denied = [each for each in self._denied if at_s - each[2] < DENIED_S]
        if any(same_face(box, old) and face.confidence < score + SCORE_STEP for old, score, _ in self._denied):
            return True
        if self._may_look(frame) and not self._speaks_for(face, frame):
            self._denied.append((box, face.confidence, at_s))
            return True
        return False

    def is_there(self, frame: Frame, box: Box) -> bool:
        """Does anything speak for a face in a box? Yes as well where a frame has had its share of looks."""
        return not self._may_look(frame) or is_backed(self._finder, self._masker, frame, box)

    def _speaks_for(self, face: Face, frame: Frame) -> bool:
        seen_px = face.detected_box or face.box_px  # without the room for where it may have gone
        if edges(face.box_px, _size_px(frame)):
            return is_backed(self._finder, self._masker, frame, seen_px, face.roll_rad)
        rolls = [face.roll_rad + turn for turn in _TURNS_RAD]  # landmarks may lie crosswise
        return any(self._finder.heard_of(frame.rgb, seen_px, LEAST_PLAIN, roll) for roll in rolls)

    def _may_look(self, frame: Frame) -> bool:
        if self._asked_at_s != frame.captured_at_s:
            self._asked_at_s, self._asked = frame.captured_at_s, 0
        self._asked += 1
        return not self._believe_all and self._asked <= MOST_LOOKS


def _is_doubted(face: Face, frame: Frame) -> bool:
    """Upright landmarks, or a face of which no detector is sure; large, or cut by the frame's edge. Small ones and
    lying heads are believed as they are: 3 of 350 photos turned by 90° were not heard again."""
    if face.box_px.width < LARGE_PX and not edges(face.box_px, _size_px(frame)):
        return False
    return abs(face.roll_rad) < LYING_RAD if face.landmarks_px is not None else face.confidence < DOUBTED_SCORE


def _size_px(frame: Frame) -> tuple[int, int]:
    return frame.rgb.shape[1], frame.rgb.shape[0]


__all__ = ["LiveDoubts"]
