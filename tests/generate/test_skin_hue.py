"""A face goes with the forehead above it, or with the neck, in hue alone."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.skin_hue import REDDER, SHARE, STRONGER, _trust, in_hue_of_skin, skin_above

S, G = 96, 12
TAN, BLUE, GUIDE = (0.75, 0.55, 0.38), (0.2, 0.3, 0.8), (0.6, 0.42, 0.36)
LUMA = np.array([0.299, 0.587, 0.114])


Colour = tuple[float, float, float]


def crop(above: Colour, inside: float = 0.0, neck: Colour = BLUE) -> FaceCrop:
    """A hole in `inside`, over it a band of that colour, below it another, blue beside it; a guide of GUIDE."""
    hole = np.zeros((S, S), np.float32)
    hole[24:84, 24:72] = 1
    context = np.full((S, S, 3), BLUE, np.float32)
    context[:24], context[84:] = above, neck
    context[hole > 0] = inside
    coverage = np.zeros((S, S), np.float32)
    coverage[30:80, 30:66] = 1
    guide = coverage[..., None] * np.array(GUIDE, np.float32)
    return FaceCrop(context, hole, guide, coverage, guide * 0, np.eye(2, 3))


def face() -> SyntheticFace:
    grid = np.full((G, G, 3), 1.1, np.float32)
    return SyntheticFace(grid, grid * 0.02, np.zeros((S, S, 3), np.float32), np.ones((S, S), np.float32))


def lit(got: SyntheticFace) -> Floats:
    return np.asarray(got.gain[0, 0] * np.array(GUIDE) + got.bias[0, 0])


def hue(rgb: Floats) -> Floats:
    log = np.log(rgb)
    return np.asarray(log - log.mean())


def only_more_colourful(got: SyntheticFace) -> bool:
    """Of the face's own hue STRONGER, as bright as before."""
    before, after = lit(face()), lit(got)
    return bool(np.allclose(hue(after), STRONGER * hue(before), atol=2e-3)) and float(after @ LUMA) == pytest.approx(
        float(before @ LUMA), rel=1e-3
    )


def test_a_face_takes_a_share_of_the_foreheads_hue() -> None:
    """As bright as before, and SHARE of the way to skin that is a little redder than the forehead."""
    before, after = lit(face()), lit(in_hue_of_skin(face(), crop(TAN)))
    assert float(after @ LUMA) == pytest.approx(float(before @ LUMA), rel=1e-3)
    strong = STRONGER * hue(before)
    wanted = strong + SHARE * (hue(np.array(TAN)) + REDDER - strong) - hue(before)
    np.testing.assert_allclose(hue(after) - hue(before), wanted, atol=2e-3)


def test_under_a_hat_the_neck_counts() -> None:
    """As much as a forehead would."""
    by_neck, by_forehead = (lit(in_hue_of_skin(face(), crop(*each))) for each in ((BLUE, 0, TAN), (TAN, 0, BLUE)))
    np.testing.assert_allclose(by_neck, by_forehead, atol=1e-3)
    assert np.abs(by_neck - lit(face())).max() > 0.01


def test_a_forehead_goes_before_a_neck() -> None:
    """Where it is trusted whole, a neck of another hue changes nothing."""
    red = (0.72, 0.45, 0.42)
    first, second = (in_hue_of_skin(face(), crop(TAN, 0, neck)).gain for neck in (red, BLUE))
    np.testing.assert_array_equal(first, second)


def test_without_skin_in_sight_the_face_follows_nothing() -> None:
    """Under a blue hat, over a blue scarf, it is no other hue than its own."""
    assert only_more_colourful(in_hue_of_skin(face(), crop(BLUE)))


def test_without_a_guide_the_face_stays() -> None:
    """To the bit."""
    made, view = face(), crop(TAN)
    view.guide_coverage[:] = 0
    assert in_hue_of_skin(made, view) is made


def test_nothing_in_the_hole_counts() -> None:
    """Whatever the erased px hold, the same skin is seen."""
    first, second = (skin_above(crop(TAN, inside)) for inside in (0.0, 0.6))
    assert len(first) > 100
    np.testing.assert_array_equal(first, second)


def test_hair_that_looks_like_skin_is_too_dark() -> None:
    """Brown above the hole, far darker than the face, is not followed."""
    brown = (0.75 * 0.4, 0.55 * 0.4, 0.38 * 0.4)
    assert len(skin_above(crop(brown)))
    assert only_more_colourful(in_hue_of_skin(face(), crop(brown)))


def test_nothing_jumps_when_skin_comes_into_sight() -> None:
    """Px by px, and as it darkens, the hue changes little at a time."""
    trusts = [[_trust(px, 0.1) for px in range(60)], [_trust(60, 0.01 * step) for step in range(60)]]
    for each in trusts:
        assert max(each) == 1
        assert min(each) == 0
        assert np.abs(np.diff(each)).max() < 0.07


def test_a_hole_that_reaches_the_top_leaves_the_face_its_hue() -> None:
    """Nothing is above it, nor beside its upper part."""
    view = crop(TAN)
    view.hole[:60] = 1
    assert only_more_colourful(in_hue_of_skin(face(), view))
