"""What is painted between the hole's upper rim and the new face goes with that face."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.forehead import BRIGHTER_SHARE, SHARE, one_forehead

S, G = 192, 24
ORANGE, GUIDE, HAIR, WALL = (0.62, 0.36, 0.22), (0.6, 0.5, 0.46), (0.06, 0.05, 0.05), (0.2, 0.3, 0.8)
LUMA = np.array([0.299, 0.587, 0.114])
STRIP = (slice(48, 56), slice(84, 108))  # of the crop, above the guide's middle

Colour = tuple[float, float, float]


def crop(coverage: float = 1.0) -> FaceCrop:
    """A hole from row 44 to 164 before a wall, a guide of one colour in it from row 60 on."""
    hole = np.zeros((S, S), np.float32)
    hole[44:164, 46:146] = 1
    context = np.full((S, S, 3), WALL, np.float32) * (1 - hole[..., None])
    covered = np.zeros((S, S), np.float32)
    covered[60:160, 56:136] = coverage
    guide = covered[..., None] * np.array(GUIDE, np.float32)
    return FaceCrop(context, hole, guide, covered, guide * 0, np.eye(2, 3))


def face(strip: Colour) -> SyntheticFace:
    """The guide as it is, and above it that colour painted down to its rim."""
    grid = np.ones((G, G, 3), np.float32)
    painted = np.full((S, S, 3), WALL, np.float32)
    painted[40:62, 46:146] = strip
    return SyntheticFace(grid, grid * 0, painted, np.ones((S, S), np.float32))


def apart(rgb: Floats, strip: Colour) -> tuple[float, Floats]:
    """By how much a colour is brighter than another, log, and what its channels differ by from that."""
    log = np.log(rgb) - np.log(np.array(strip))
    return float(log @ LUMA), np.asarray(log - log @ LUMA)


def test_a_strip_of_forehead_takes_the_new_faces_hue() -> None:
    """SHARE of the way; it stays as dark as it was."""
    got = one_forehead(face(ORANGE), crop()).inpaint_rgb[STRIP].mean((0, 1))
    brighter, hue = apart(got, GUIDE)
    before, hue_before = apart(np.array(ORANGE), GUIDE)
    assert before < 0
    assert brighter == pytest.approx(before, abs=0.02)
    kept = 1 - SHARE * (1 + before / 1.5)
    np.testing.assert_allclose(hue, kept * hue_before, atol=0.02)


def test_what_is_brighter_than_the_new_face_is_less_so() -> None:
    """By SHARE of BRIGHTER_SHARE."""
    bright: Colour = (0.9, 0.75, 0.69)  # of the guide's hue
    got = one_forehead(face(bright), crop()).inpaint_rgb[STRIP].mean((0, 1))
    before, after = apart(np.array(bright), GUIDE)[0], apart(got, GUIDE)[0]
    assert after == pytest.approx((1 - SHARE * BRIGHTER_SHARE) * before, abs=0.02)


@pytest.mark.parametrize("strip", [HAIR, WALL])
def test_hair_and_walls_stay(strip: Colour) -> None:
    """Nothing that is no skin changes; nor does anything below the forehead, or the matte and the light."""
    before = face(strip)
    got = one_forehead(before, crop())
    np.testing.assert_allclose(got.inpaint_rgb, before.inpaint_rgb, atol=1e-6)
    skin = one_forehead(face(ORANGE), crop())
    np.testing.assert_array_equal(skin.inpaint_rgb[80:], before.inpaint_rgb[80:])
    assert (skin.gain == before.gain).all()
    assert (skin.matte == before.matte).all()


def test_without_a_guide_nothing_changes() -> None:
    """The same face comes back, and the one given is never written to."""
    given = face(ORANGE)
    assert one_forehead(given, crop(coverage=0)) is given
    painted = given.inpaint_rgb.copy()
    one_forehead(given, crop())
    np.testing.assert_array_equal(given.inpaint_rgb, painted)
