"""Which tracks are believed to be somebody's face."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import EXPRESSION_COUNT, LANDMARK_COUNT, Box, Face
from anonymizer.perceive.evidence import has_landmarks, is_mistake
from anonymizer.perceive.tracks import Track

SIZE_PX = (1280, 720)


def track(side_px: float, bare: list[float], landmarks: list[float]) -> Track:
    """Sightings of one size: scores of bare boxes, then presences of landmarks."""
    box = Box(400, 100, 400 + side_px, 100 + side_px)
    points = np.zeros((LANDMARK_COUNT, 3), np.float32)
    faces = [Face(box, score) for score in bare]
    faces += [Face(box, presence, points, np.zeros(EXPRESSION_COUNT, np.float32)) for presence in landmarks]
    return Track(0, 0, tuple(faces), (box,) * len(faces))


@pytest.mark.parametrize(
    ("case", "mistake", "persona"),
    [
        (track(100, [0.2, 0.41, 0.3] * 20, [0.93, 0.6, 0.53, 0.84]), True, False),
        (track(100, [0.2, 0.55, 0.3] * 20, []), False, False),
        (track(100, [0.2, 0.3, 0.3] * 20 + [0.51], []), True, False),
        (track(100, [0.3] * 4, [0.95] * 3), False, True),
        (track(16, [0.2, 0.3, 0.25], []), False, False),
        (track(250, [], [0.99] * 30), False, True),
    ],
    ids=[
        "a pot",
        "a profile that is sure now and then",
        "another pot",
        "a face half hidden",
        "a tiny face",
        "a plain face",
    ],
)
def test_large_boxes_need_sure_sightings_or_landmarks_that_stay(case: Track, mistake: bool, persona: bool) -> None:
    """What is hardly ever sure is no face if it is large; small ones are believed; lasting landmarks make a persona."""
    assert is_mistake(case, SIZE_PX) == mistake
    assert has_landmarks(case) == persona


def test_what_comes_and_goes_is_no_face() -> None:
    """A true face is seen in most frames between its first sighting and its last."""
    often, rare = track(18, [0.25] * 30, []), track(18, [0.25] * 30, [])
    gaps = tuple(face if index % 5 == 0 or index == 29 else None for index, face in enumerate(rare.faces))
    assert not is_mistake(often, SIZE_PX)
    assert is_mistake(Track(0, 0, gaps, rare.boxes), SIZE_PX)


def test_half_a_face_at_the_edge_is_believed() -> None:
    """Somebody who leans in was seen in 9 of 50 frames, once with .5: the same in the middle is no face."""
    scores = {0: 0.47, 1: 0.38, 2: 0.23, 3: 0.27, 45: 0.21, 46: 0.27, 47: 0.37, 48: 0.46, 49: 0.49}
    for x, mistake in ((1280 - 30, False), (600, True)):
        box = Box(x, 100, x + 30, 200)
        faces = tuple(Face(box, scores[index]) if index in scores else None for index in range(50))
        assert is_mistake(Track(0, 0, faces, (box,) * 50), SIZE_PX) is mistake
    chair = Box(1260, 100, 1279, 140)
    faint = tuple(Face(chair, 0.22) if index in (15, 20, 49) else None for index in range(50))
    assert is_mistake(Track(0, 0, faint, (chair,) * 50), SIZE_PX)


@pytest.mark.parametrize(("denied", "mistake"), [(40, True), (39, False), (0, False)])
def test_what_a_second_look_denies_each_time_is_no_face(denied: int, mistake: bool) -> None:
    """A plant at the edge, seen often and up to .5; one sighting that is backed or unasked, and it stays."""
    box = Box(-20, 100, 80, 260)
    faces = tuple(Face(box, 0.45) for _ in range(40))
    case = Track(0, 0, faces, (box,) * 40)
    backed = {id(face): index >= denied for index, face in enumerate(faces)}
    assert is_mistake(case, SIZE_PX, backed) is mistake
    assert is_mistake(case, SIZE_PX, {id(face): False for face in faces[:denied]}) is mistake
    few = Track(0, 0, faces[:5], (box,) * 5)
    assert not is_mistake(few, SIZE_PX, backed)


def test_a_plain_face_hidden_most_of_the_time_is_one() -> None:
    """Seen in 16 frames of 60, hidden between: only landmarks that a second look denies are a mistake."""
    plain = track(100, [], [0.99] * 60)
    faces = tuple(face if index < 15 or index == 59 else None for index, face in enumerate(plain.faces))
    case = Track(0, 0, faces, plain.boxes)
    first = faces[0]
    assert not is_mistake(case, SIZE_PX)
    assert not is_mistake(case, SIZE_PX, {id(first): True, id(faces[-1]): False})
    assert is_mistake(case, SIZE_PX, {id(first): False, id(faces[-1]): False})


def test_landmarks_that_come_up_for_a_moment_want_backing() -> None:
    """Landmarks lay on leaves for five frames with a presence of 1; nothing else spoke for them."""
    leaves = track(100, [], [0.99] * 5)
    assert is_mistake(leaves, SIZE_PX, {id(leaves.faces[0]): False})
    assert not is_mistake(leaves, SIZE_PX, {id(leaves.faces[0]): True})
    assert not is_mistake(leaves, SIZE_PX)


def test_only_what_touches_the_edge_must_be_looked_at_again() -> None:
    """A plant that leaves the edge for some frames is still none; there the plain rule asks for more anyway."""
    at_edge, inside = Box(-20, 100, 80, 260), Box(40, 100, 140, 260)
    boxes = (at_edge,) * 30 + (inside,) * 10
    faces = tuple(Face(box, 0.45) for box in boxes)
    case = Track(0, 0, faces, boxes)
    assert is_mistake(case, SIZE_PX, {id(face): False for face in faces[:30]})
    assert not is_mistake(case, SIZE_PX, {id(face): False for face in faces[:29]})
