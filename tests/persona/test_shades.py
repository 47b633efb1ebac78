"""No moustache on a face that has none, and two brows."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import Floats
from anonymizer.persona import atlas
from anonymizer.persona.persona import eyes_and_brows
from anonymizer.persona.shades import BROWS_ALLOWED, LIPS_ALLOWED, without_shades
from tests.heads import MODEL

ABOVE_LIP, BESIDE_LIP, LIP, CHEEK, BETWEEN = (
    (slice(262, 274), slice(225, 287)),
    (slice(296, 310), slice(172, 186)),
    (slice(290, 316), slice(232, 280)),
    (slice(220, 260), slice(120, 160)),
    (slice(95, 125), slice(240, 272)),
)
ORANGE = np.array([0.1, 0.0, -0.1], np.float32)


def skin(*dark: tuple[slice, slice]) -> Floats:
    """Of one colour, but .5 darker and more orange in places."""
    log = np.zeros((atlas.FACE_ROWS, atlas.WIDTH_PX, 3), np.float32)
    for place in dark:
        log[place] = ORANGE - 0.5
    return log


def cleaned(log: Floats) -> Floats:
    return without_shades(log, eyes_and_brows(), MODEL)


@pytest.mark.parametrize(("place", "left"), [(ABOVE_LIP, 0.3), (BESIDE_LIP, 0.3), (BETWEEN, 0.45)])
def test_shades_about_lips_and_between_brows_become_skin(place: tuple[slice, slice], left: float) -> None:
    """Their middle is as light as skin, but for what is allowed and left, and not orange."""
    before, got = skin(place), cleaned(skin(place))
    rows, columns = ((part.start + part.stop) // 2 for part in place)
    assert -left < got[rows, columns].mean() < 0
    assert np.ptp(got[rows, columns]) < 0.7 * np.ptp(before[rows, columns])


def test_lips_and_cheeks_stay_as_they_are() -> None:
    """Dark lips and a dark cheek, to within .02."""
    before = skin(LIP, CHEEK)
    got = cleaned(before)
    for rows, columns in (LIP, CHEEK):
        inner = slice(rows.start + 6, rows.stop - 6), slice(columns.start + 6, columns.stop - 6)
        np.testing.assert_allclose(got[inner], before[inner], atol=0.02)


def test_a_little_shade_is_allowed() -> None:
    """A shadow that is no darker than that stays, to the bit."""
    faint = skin(ABOVE_LIP, BETWEEN) * np.float32(min(LIPS_ALLOWED, BROWS_ALLOWED) / 0.5 * 0.9)
    np.testing.assert_allclose(cleaned(faint), faint, atol=1e-6)
