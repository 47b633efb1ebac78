"""When a track is given up in frames it was not seen in."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import EXPRESSION_COUNT, LANDMARK_COUNT, Box, Face
from anonymizer.perceive.elsewhere import seen_elsewhere
from anonymizer.perceive.tracks import Track

POINTS, EXPRESSION = np.zeros((LANDMARK_COUNT, 3), np.float32), np.zeros(EXPRESSION_COUNT, np.float32)
SMALL, LARGE, BESIDE = Box(400, 80, 480, 180), Box(360, 20, 600, 260), Box(440, 80, 520, 180)


def sure(box: Box) -> Face:
    return Face(box, 0.99, POINTS, EXPRESSION)


def track(slot: int, box: Box, faces: dict[int, Face], end: int = 60) -> Track:
    """In frames 0 to end, seen in some."""
    return Track(slot, 0, tuple(faces.get(index) for index in range(end)), (box,) * end)


def test_a_box_too_large_about_a_plain_face_is_no_second_one() -> None:
    """Seen thrice, never surely, each time holding the other's box: only those three are kept."""
    plain = track(0, SMALL, {index: sure(SMALL) for index in range(20, 60)})
    doubled = track(1, LARGE, {index: Face(LARGE, 0.4) for index in (2, 3, 46)})
    assert seen_elsewhere(doubled, [plain, doubled]) == set(range(60)) - {2, 3, 46}
    assert seen_elsewhere(plain, [plain, doubled]) == set()


def test_of_a_face_that_is_hardly_ever_sure_only_its_sure_frames_count() -> None:
    """The other is sure in a third of its sightings: elsewhere both stay covered."""
    faint = {index: Face(SMALL, 0.3) for index in range(30)} | {index: sure(SMALL) for index in range(45, 60)}
    doubled = track(1, LARGE, {index: Face(LARGE, 0.4) for index in (2, 3, 46)})
    assert seen_elsewhere(doubled, [track(0, SMALL, faint), doubled]) == set(range(45, 60)) - {46}


@pytest.mark.parametrize(
    "other",
    [
        track(1, BESIDE, {index: Face(BESIDE, 0.4) for index in (2, 3, 46)}),
        track(1, LARGE, {2: Face(LARGE, 0.4), 3: sure(LARGE)}),
        track(1, Box(0, 0, 60, 80), {index: Face(Box(0, 0, 60, 80), 0.4) for index in (2, 3)}),
    ],
    ids=["half beside it", "once sure", "far away"],
)
def test_whoever_may_be_somebody_else_stays_covered(other: Track) -> None:
    """Nothing is given up."""
    plain = track(0, SMALL, {index: sure(SMALL) for index in range(60)})
    assert seen_elsewhere(other, [plain, other]) == set()


@pytest.mark.parametrize(("start", "joined"), [(23, True), (40, False)])
def test_a_face_that_goes_on_as_another_track_is_covered_once(start: int, joined: bool) -> None:
    """Lost in frame 20, seen again where it was expected: neither reaches over the other's sightings."""
    before = track(0, SMALL, {index: sure(SMALL) for index in range(21)})
    after = track(1, SMALL, {index: sure(SMALL) for index in range(start, 60)})
    both = [before, after]
    assert seen_elsewhere(before, both) == (set(range(start, 60)) if joined else set())
    assert seen_elsewhere(after, both) == (set(range(21)) if joined else set())


def test_two_who_are_seen_together_are_two() -> None:
    """One vanishes behind the other, who was there before: the reach of the first stays."""
    front = track(0, SMALL, {index: sure(SMALL) for index in range(60)})
    hidden = track(1, SMALL, {index: sure(SMALL) for index in range(21)})
    assert seen_elsewhere(hidden, [front, hidden]) == set()
