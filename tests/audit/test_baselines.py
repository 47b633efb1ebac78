"""The floor's finished faces: the same for everybody, another one for each number, and nothing beside the face."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.audit.baselines import pasted_face, reference_hull
from anonymizer.audit.seen import Seen
from anonymizer.frames import RgbImage
from anonymizer.persona.face_model import load_face_model

SIZE_PX = 200


@pytest.fixture(scope="module")
def photo() -> RgbImage:
    """(200, 200, 3) of noise."""
    return np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8)


@pytest.fixture(scope="module")
def face() -> Seen:
    """The average head, 90 px wide, in the middle."""
    points = load_face_model().head(np.zeros(52, np.float32))
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:468] = points * (90 / np.ptp(points[:, 0])) + [SIZE_PX / 2, SIZE_PX / 2, 0]
    landmarks[468:] = landmarks[467]
    return Seen(landmarks, np.zeros(52, np.float32))


def test_nothing_of_the_face_is_left_and_nothing_else_is_touched(photo: RgbImage, face: Seen) -> None:
    """Two photos with the same surroundings and other faces give the same floor."""
    hull = reference_hull(photo, face) > 0
    other = photo.copy()
    other[hull] = 255 - other[hull]
    floor = pasted_face(photo, face)
    assert (floor == pasted_face(other, face)).all()
    assert (floor[~hull] == photo[~hull]).all()


def test_each_number_is_another_face(photo: RgbImage, face: Seen) -> None:
    """And the same one each time it is asked for."""
    faces = [pasted_face(photo, face, which).astype(np.int16) for which in range(4)]
    for i, one in enumerate(faces):
        assert (one == pasted_face(photo, face, i)).all()
        for another in faces[:i]:
            assert np.abs(one - another).max() > 30
