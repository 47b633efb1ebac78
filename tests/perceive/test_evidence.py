"""Which tracks are believed to be somebody's face."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import EXPRESSION_COUNT, LANDMARK_COUNT, Box, Face
from anonymizer.perceive.evidence import has_landmarks, is_mistake
from anonymizer.perceive.tracks import Track


def track(side_px: float, bare: list[float], landmarks: list[float]) -> Track:
    """Sightings of one size: scores of bare boxes, then presences of landmarks."""
    box = Box(10, 10, 10 + side_px, 10 + side_px)
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
    assert is_mistake(case) == mistake
    assert has_landmarks(case) == persona


def test_what_comes_and_goes_is_no_face() -> None:
    """A true face is seen in most frames between its first sighting and its last."""
    often, rare = track(18, [0.25] * 30, []), track(18, [0.25] * 30, [])
    gaps = tuple(face if index % 5 == 0 or index == 29 else None for index, face in enumerate(rare.faces))
    assert not is_mistake(often)
    assert is_mistake(Track(0, 0, gaps, rare.boxes))
