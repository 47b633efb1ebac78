"""Hair beside a hole goes on in it; walls, ears and smooth pictures change nothing of what is painted."""

from __future__ import annotations

import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.strands import with_strands

S = 96
BESIDE = slice(70, 74)  # columns of the hole, near its edge
HAIR, SKIN = np.array([0.30, 0.28, 0.27], np.float32), np.array([0.70, 0.50, 0.40], np.float32)


def stripes(colour: Floats, depth: float = 0.6) -> Floats:
    """(S, S, 3): upright strands, one in 12 px, of that colour."""
    wave = 1 + depth * np.sin(2 * np.pi * np.arange(S, dtype=np.float32) / 12.0)
    return np.asarray(np.broadcast_to(wave[None, :, None] * colour, (S, S, 3)), np.float32)


def crop(picture: Floats) -> FaceCrop:
    """A square hole with a guide of skin in its middle."""
    hole, coverage = np.zeros((S, S), np.float32), np.zeros((S, S), np.float32)
    hole[16:80, 20:76] = 1
    coverage[24:72, 30:66] = 1
    guide = coverage[..., None] * SKIN
    return FaceCrop(picture * (1 - hole[..., None]), hole, guide, coverage, guide * 0, np.eye(2, 3))


def face(painted: Floats) -> SyntheticFace:
    """Skin as it is, that paint beside it."""
    grid = np.ones((S // 8, S // 8, 3), np.float32)
    picture = np.asarray(np.broadcast_to(painted, (S, S, 3)), np.float32).copy()
    return SyntheticFace(grid, grid * 0, picture, np.ones((S, S), np.float32))


def test_hair_goes_on() -> None:
    """Painted plain, beside strands it has strands: not all of their contrast, the finest comes from `detail`."""
    got = with_strands(face(HAIR * 1.1), crop(stripes(HAIR))).inpaint_rgb
    columns = got[64:70, 67:76].mean((0, 2))
    assert np.ptp(columns) > 0.08
    assert abs(columns.mean() - HAIR.mean()) < 0.1


def test_outside_and_deep_inside_nothing_changes() -> None:
    """To the bit outside the hole, and further in than texture reaches."""
    before = face(HAIR * 1.1)
    view = crop(stripes(HAIR))
    got = with_strands(before, view).inpaint_rgb
    assert (got[view.hole == 0] == before.inpaint_rgb[view.hole == 0]).all()
    assert (got[36:60, 40:56] == before.inpaint_rgb[36:60, 40:56]).all()


def test_a_wall_changes_nothing() -> None:
    """Where nothing has texture the paint stays."""
    before = face(HAIR * 1.1)
    got = with_strands(before, crop(np.broadcast_to(HAIR, (S, S, 3)).astype(np.float32))).inpaint_rgb
    np.testing.assert_array_equal(got, before.inpaint_rgb)


def test_paint_that_is_unlike_the_hair_stays() -> None:
    """A light cheek beside dark hair is no hair."""
    before = face(SKIN * 1.3)
    got = with_strands(before, crop(stripes(HAIR, 0.2))).inpaint_rgb
    assert np.abs(got - before.inpaint_rgb).max() < 0.02


def test_ears_do_not_come_twice() -> None:
    """At an ear's height what is as red as the skin stays outside; below it goes on."""
    before = face(SKIN)
    changed = np.abs(with_strands(before, crop(stripes(SKIN * 0.9))).inpaint_rgb - before.inpaint_rgb).mean(2)
    assert changed[36:52, BESIDE].max() < 1e-6
    assert changed[64:70, BESIDE].mean() > 0.01


def test_without_a_guide_the_sides_stay() -> None:
    """Nothing says what skin is: at an ear's height nothing goes on."""
    view = crop(stripes(HAIR))
    view.guide_coverage[:] = 0
    before = face(HAIR * 1.1)
    got = with_strands(before, view).inpaint_rgb
    assert (got[36:52, BESIDE] == before.inpaint_rgb[36:52, BESIDE]).all()
