"""Hands before faces over a clip or in one photo: which of them are sure enough to stay in front, and how far.

In a clip a hand must be seen in several frames one after the other, each time about where it was before, and surely in
a third of them; in the others it is drawn, so that it flickers less. It comes and goes over a few frames; a frame or
two in which it was not found are drawn between, and what it moved meanwhile counts as what its joints may be wrong by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from anonymizer.faces import Box, Face, MotionCode, PlannedFace, PlannedHand
from anonymizer.frames import RgbImage
from anonymizer.guard.hands import sure_share
from anonymizer.perceive.hands import Hand

FACE_WIDTH_CM = 15.5
LEAST_FACE_PX = 40.0  # a hand before a smaller one has fingers of three px
IDLE_EVERY = 2  # frames from one look to the next while no hand is in sight
LEAST_RUN, LONGEST_GAP = 5, 2  # frames
SURE_FRAMES = 0.3  # of a run, in which something of the hand must be sure
RAMP_FRAMES = 4  # in which a hand comes and goes
SAME_REACH = 0.6  # of the palm's length: how far a hand's middle goes from frame to frame
REACH_CM = 20.0  # from a face's middle to a hand's, at most, for the hand to count as before it


class LooksForHands(Protocol):
    """Gives the hands near faces."""

    def find(self, rgb: RgbImage, faces: Iterable[Box]) -> tuple[Hand, ...]: ...


class HandsInTime:
    """All hands of a clip, frame by frame."""

    def __init__(self, finder: LooksForHands) -> None:
        self._finder = finder
        self._runs: list[dict[int, Hand]] = []  # by frame, in order
        self._open: list[dict[int, Hand]] = []
        self._boxes: list[Box] = []  # of faces, also while a hand hides them
        self._seen = False

    def observe(self, index: int, rgb: RgbImage, faces: Sequence[Face], cut: bool) -> None:
        """Look at a frame whose faces are known; frames in order."""
        if cut:
            self._open, self._boxes = [], []
        if not self._seen and index % IDLE_EVERY:
            return
        self._boxes = [face.box_px for face in faces if face.box_px.width >= LEAST_FACE_PX] or self._boxes
        hands = self._finder.find(rgb, self._boxes)
        self._seen = bool(hands)
        self._open = [run for run in self._open if index - max(run) <= LONGEST_GAP + 1]
        free = list(self._open)
        for hand in hands:
            near = [run for run in free if _goes_on(run[max(run)], hand, index - max(run))]
            run = min(near, key=lambda each: _apart(each[max(each)], hand)) if near else {}
            if near:
                free.remove(run)
            else:
                self._runs.append(run)
                self._open.append(run)
            run[index] = hand

    def plan(self, planned: list[list[PlannedFace]]) -> None:
        """Give every hand that stays in front to the face it is nearest to, in place."""
        for run in self._runs:
            first, last = min(run), max(run)
            sure = [sure_share(planned_hand(hand)) > 0 for hand in run.values()]
            if len(run) < LEAST_RUN or sum(sure) < SURE_FRAMES * len(run):
                continue
            for index in range(first, last + 1):
                ramp = min(index - first, last - index) + 1
                strength = min(1.0, ramp / (RAMP_FRAMES + 1))
                _give(planned[index], planned_hand(_at(run, index), strength))


def with_hands(planned: Sequence[PlannedFace], rgb: RgbImage, finder: LooksForHands) -> tuple[PlannedFace, ...]:
    """The same for one photo, of which nothing else is known."""
    out = list(planned)
    boxes = [_box_of(face.code) for face in planned if face.code is not None]
    for hand in finder.find(rgb, [box for box in boxes if box.width >= LEAST_FACE_PX]):
        if sure_share(planned_hand(hand)) > 0:
            _give(out, planned_hand(hand))
    return tuple(out)


def _at(run: dict[int, Hand], index: int) -> Hand:
    if index in run:
        return run[index]
    before, after = max(i for i in run if i < index), min(i for i in run if i > index)
    share = (index - before) / (after - before)
    a, b = run[before], run[after]
    moved = np.linalg.norm(b.points_px - a.points_px, axis=1)
    points = a.points_px * (1 - share) + b.points_px * share
    return Hand(points, np.maximum(a.spread_px, b.spread_px) + moved, min(a.presence, b.presence))


def _box_of(code: MotionCode) -> Box:
    x, y = (float(value) for value in code.center_px)
    half = FACE_WIDTH_CM / 2 * code.scale_px_per_cm
    return Box(x - half, y - half, x + half, y + half)


def planned_hand(hand: Hand, strength: float = 1.0) -> PlannedHand:
    """What is kept of it."""
    return PlannedHand(hand.points_px.astype(np.float32), hand.spread_px.astype(np.float32), strength)


def _apart(a: Hand, b: Hand) -> float:
    return float(np.linalg.norm(a.points_px.mean(0) - b.points_px.mean(0)))


def _goes_on(before: Hand, after: Hand, frames: int) -> bool:
    return _apart(before, after) <= SAME_REACH * frames * max(before.palm_px, after.palm_px)


def _give(faces: list[PlannedFace], hand: PlannedHand) -> None:
    middle = hand.points_px.mean(0)
    near = [
        (float(np.linalg.norm(face.code.center_px - middle)) / face.code.scale_px_per_cm, number)
        for number, face in enumerate(faces)
        if face.code is not None and face.cover_outline is None
    ]
    if near and min(near)[0] <= REACH_CM:
        number = min(near)[1]
        faces[number] = replace(faces[number], hands=(*faces[number].hands, hand))
