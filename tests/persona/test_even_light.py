"""A persona's skin brings no light of its portrait's: neither from a side nor shadows of hair or of brows."""

from __future__ import annotations

import numpy as np

from anonymizer.faces import Floats
from anonymizer.persona import atlas
from anonymizer.persona.even_sides import ALLOWED, with_even_sides
from anonymizer.persona.lip_line import with_lip_line
from anonymizer.persona.persona import eyes_and_brows
from anonymizer.persona.sockets import SOCKETS, with_light_sockets
from anonymizer.persona.temples import with_light_temples
from tests.heads import MODEL

NOSE_SIDE = slice(170, 210), slice(270, 300)
CHEEK = slice(220, 260), slice(330, 370)
TEMPLE, OVER_BROW = (slice(60, 200), slice(60, 110)), (slice(60, 110), slice(60, 150))
BROW, BESIDE_BROW = (slice(70, 78), slice(125, 145)), (slice(70, 78), slice(150, 160))
DARK = 0.4


def skin(*dark: tuple[slice, slice], by: float = DARK) -> Floats:
    """Of one colour, but darker by that in places."""
    log = np.zeros((atlas.FACE_ROWS, atlas.WIDTH_PX, 3), np.float32)
    for place in dark:
        log[place] -= np.float32(by)
    return log


def middle(log: Floats, place: tuple[slice, slice]) -> float:
    """Brightness in the middle half of a place."""
    rows, columns = (slice(p.start + (p.stop - p.start) // 4, p.stop - (p.stop - p.start) // 4) for p in place)
    return float(log[rows, columns].mean())


def mirrored(place: tuple[slice, slice]) -> tuple[slice, slice]:
    return place[0], slice(atlas.WIDTH_PX - place[1].stop, atlas.WIDTH_PX - place[1].start)


def test_the_darker_side_becomes_as_light_as_the_other() -> None:
    """Of a nose's dark side a quarter and what is allowed are left, and the other side is as it was."""
    got = with_even_sides(skin(NOSE_SIDE), eyes_and_brows())
    assert middle(got, NOSE_SIDE) > -0.25 * DARK - ALLOWED
    assert abs(middle(got, mirrored(NOSE_SIDE))) < 1e-6


def test_what_is_dark_on_both_sides_stays() -> None:
    """Nostrils, folds and cheeks in shadow, and all within features, to the bit."""
    both = skin(NOSE_SIDE, mirrored(NOSE_SIDE), CHEEK, mirrored(CHEEK))
    np.testing.assert_allclose(with_even_sides(both, eyes_and_brows()), both, atol=1e-6)
    brow = skin(BROW)
    assert abs(middle(with_even_sides(brow, eyes_and_brows()), BROW) - middle(brow, BROW)) < 0.15 * DARK


def test_shadows_of_hair_at_the_temples_go_with_what_lies_on_them() -> None:
    """A dark temple is light, up to the brow, and the brow in it is still as much darker than the skin about it."""
    log = skin(TEMPLE, OVER_BROW) + skin(BROW)
    got = with_light_temples(log, eyes_and_brows())
    assert middle(got, TEMPLE) > -0.4 * DARK
    assert abs(middle(got, BESIDE_BROW) - middle(got, BROW) - (middle(log, BESIDE_BROW) - middle(log, BROW))) < 0.25


def test_dark_wedges_beside_the_nose_are_lighter_and_less_orange() -> None:
    """A third of the depth at least is taken, and some of the hue; cheeks stay."""
    (x, y), orange = SOCKETS[0], np.array([0.2, 0.0, -0.2], np.float32)
    wedge = slice(y - 25, y + 25), slice(x - 25, x + 25)
    log = skin(wedge, CHEEK, by=0.6)
    log[wedge] += orange
    got = with_light_sockets(log, eyes_and_brows())
    assert got[y, x].mean() > -0.6 * 2 / 3
    assert np.ptp(got[y, x]) < 0.8 * np.ptp(orange)
    assert abs(middle(got, CHEEK) - middle(log, CHEEK)) < 1e-5


def test_noses_mouths_and_even_faces_stay_as_they_are() -> None:
    """What is further in than the temples, however dark, and a face of one colour, to the bit."""
    inner = skin(NOSE_SIDE, (slice(290, 320), slice(210, 300)))
    np.testing.assert_allclose(with_light_temples(inner, eyes_and_brows()), inner, atol=1e-5)
    even = skin((slice(None), slice(None)))
    np.testing.assert_allclose(with_light_temples(even, eyes_and_brows()), even, atol=1e-5)


def test_between_shut_lips_lies_a_dark_line() -> None:
    """Where no triangle lies it is darker than the lips, which stay, and the light that was there is gone."""
    lips = slice(296, 312), slice(215, 297)
    log = skin(lips)
    log[303:306, 207:305] = 0.3  # as light as cheeks, and lighter
    got = with_lip_line(log, MODEL)
    assert (got[304, 220:292].mean(1) < -DARK - 0.2).all()
    np.testing.assert_allclose(got[:294], log[:294], atol=0.03)
    np.testing.assert_allclose(got[316:], log[316:], atol=0.03)
