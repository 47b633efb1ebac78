"""A forehead is lit as the face below it is."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.lit_forehead import LEAST, lit_forehead

S, G = 96, 24
ORANGE = np.array([1.3, 1.0, 0.77], np.float32)


def crop(covered: bool = True) -> FaceCrop:
    """A guide in the middle two thirds."""
    coverage = np.zeros((S, S), np.float32)
    coverage[16:80, 16:80] = covered
    nothing = np.zeros((S, S, 3), np.float32)
    return FaceCrop(nothing, coverage, nothing, coverage, nothing, np.eye(2, 3))


def face(forehead: Floats) -> SyntheticFace:
    """Lit by .8, by `forehead` above row 8 of the grid."""
    gain = np.full((G, G, 3), 0.8, np.float32)
    gain[:8] = forehead
    return SyntheticFace(gain, 0 * gain, np.zeros((S, S, 3), np.float32), np.ones((S, S), np.float32))


def test_a_dark_orange_forehead_becomes_as_light_as_the_face_and_of_its_hue() -> None:
    """LEAST of the light below it, and no orange."""
    got = lit_forehead(face(0.4 * ORANGE), crop()).gain[4:7, 8:16]
    assert got.mean() == pytest.approx(LEAST * 0.8, rel=0.06)
    assert np.ptp(got.mean((0, 1))) < 0.02


def test_the_face_below_keeps_its_light() -> None:
    """From the eyes down nothing changes."""
    before = face(0.4 * ORANGE)
    np.testing.assert_allclose(lit_forehead(before, crop()).gain[14:], before.gain[14:], rtol=1e-4)


def test_a_lit_forehead_stays_and_light_from_a_side_keeps_its_side() -> None:
    """Brighter than the face below: as it was. A face half in shadow: its forehead, too."""
    before = face(np.float32(0.9) * ORANGE)
    np.testing.assert_allclose(lit_forehead(before, crop()).gain, before.gain, rtol=1e-4)
    half = face(np.full(3, 0.8, np.float32))
    half.gain[:, : G // 2] *= 0.5
    got = lit_forehead(half, crop()).gain
    assert got[5, 6].mean() < 0.75 * got[5, 17].mean()


def test_without_a_guide_the_face_stays() -> None:
    """To the bit."""
    before = face(0.4 * ORANGE)
    assert lit_forehead(before, crop(covered=False)) is before
