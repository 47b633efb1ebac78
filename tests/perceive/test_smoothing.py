"""Smoothers: no lag, no lost ends, gaps filled, still values steadied."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.perceive.motion import UNMOVED, kept_still
from anonymizer.perceive.smoothing import OneEuroFilter, fill_gaps, smooth_series


@given(st.integers(1, 60), st.floats(0, 12), st.floats(-5, 5))
def test_a_steady_motion_passes_unchanged(length: int, sigma: float, slope: float) -> None:
    """A straight line, ends included, is left as it is: no lag and no pull at the ends."""
    line = (slope * np.arange(length))[:, None]
    np.testing.assert_allclose(smooth_series(line, sigma), line, atol=1e-9)


@given(st.floats(0.5, 4))
def test_a_symmetric_peak_stays_in_its_place(sigma: float) -> None:
    """What is smoothed does not move in time."""
    bump = np.exp(-0.5 * ((np.arange(81) - 40) / 3) ** 2)[:, None]
    smooth = smooth_series(bump, sigma)[:, 0]
    assert smooth.argmax() == 40
    np.testing.assert_allclose(smooth, smooth[::-1], atol=1e-12)


def test_each_column_has_its_own_sigma_and_noise_falls() -> None:
    """Sigma 0 leaves a column alone; a larger sigma leaves less noise."""
    noise = np.random.default_rng(3).normal(size=(400, 3))
    smooth = smooth_series(noise, (0, 1, 4))
    np.testing.assert_array_equal(smooth[:, 0], noise[:, 0])
    assert smooth[:, 2].std() < smooth[:, 1].std() < 0.7


def test_gaps_are_drawn_straight_and_the_ends_go_on() -> None:
    """NaN samples lie between their neighbours; before the first and after the last, the value stays."""
    nan = float("nan")
    filled = fill_gaps(np.array([[nan, 1.0], [1.0, nan], [nan, nan], [3.0, 4.0], [nan, nan]]))
    np.testing.assert_allclose(filled, [[1, 1], [1, 2], [2, 3], [3, 4], [3, 4]])


def test_a_column_of_nothing_is_refused() -> None:
    """There is nothing to draw a line between."""
    with pytest.raises(ValueError, match="no known value"):
        smooth_series(np.full((4, 2), np.nan), 1.0)


def test_one_euro_steadies_what_is_still_and_follows_what_moves() -> None:
    """Noise at rest shrinks; a fast ramp is followed with a lag of less than two frames."""
    rng = np.random.default_rng(5)
    still = OneEuroFilter(1.0, 0.02)
    out = np.array([still(rng.normal(size=4), k / 30) for k in range(200)])
    assert out[50:].std() < 0.6
    moving = OneEuroFilter(1.0, 0.02)
    last = [moving([30.0 * k], k / 30) for k in range(60)][-1]
    assert 30 * 59 - last[0] < 60


def test_one_euro_forgets_on_reset_and_keeps_still_when_time_does() -> None:
    """After a reset the first value passes; a repeated time gives the same answer; NaN is refused."""
    euro = OneEuroFilter()
    euro([0.0], 0.0)
    before = euro([1.0], 0.1)
    np.testing.assert_array_equal(euro([99.0], 0.1), before)
    euro.reset()
    assert euro([5.0], 0.2)[0] == 5.0
    with pytest.raises(ValueError, match="not finite"):
        euro([float("nan")], 0.3)


@pytest.mark.parametrize(("px_per_cm", "times"), [(40.0, 1.0), (16.0, 1.0), (10.0, 1.6), (4.0, 2.0)])
def test_a_still_face_is_drawn_still_and_a_moving_one_without_steps(px_per_cm: float, times: float) -> None:
    """Noise within the bands, which are wider for small faces, moves nothing; a slow turn is followed in equal steps,
    no further behind than a band."""
    rng = np.random.default_rng(3)
    row = np.concatenate([[320.0, 240.0, np.log(px_per_cm), 0.1, -0.2, 0.0], np.full(56, 0.4)])
    unit = UNMOVED * times * np.r_[px_per_cm, px_per_cm, np.ones(60)]
    drawn = row
    for _ in range(50):
        drawn = kept_still(drawn, row + rng.uniform(-1, 1, 62) * unit)
        assert (drawn == row).all()
    turn = [row + np.eye(62)[4] * np.deg2rad(0.1) * step for step in range(30)]
    followed = [drawn := kept_still(drawn, now) for now in turn]
    caught_up = math.ceil(UNMOVED[4] * times / np.deg2rad(0.1)) + 1
    np.testing.assert_allclose(np.diff([f[4] for f in followed[caught_up:]]), np.deg2rad(0.1), atol=1e-9)
    assert turn[-1][4] - followed[-1][4] == pytest.approx(UNMOVED[4] * times)


def test_small_expressions_are_followed_and_noise_is_not() -> None:
    """What moves by a few bands about a moment is drawn as it is; noise within one is not, and poses stay held."""
    wave = 0.4 + 2 * UNMOVED[6] * np.sin(np.arange(60) / 3)
    rows = np.concatenate([np.tile([320.0, 240.0, np.log(16.0), 0.1, -0.2, 0.0], (60, 1)), np.full((60, 56), 0.4)], 1)
    rows[:, 31] = wave
    rows[:, 40] += np.random.default_rng(4).uniform(-0.5, 0.5, 60) * UNMOVED[40]
    drawn = [rows[0]]
    for step in range(1, 60):
        drawn.append(kept_still(drawn[-1], rows[step], rows[max(0, step - 8) : step + 9]))
    np.testing.assert_allclose(np.array(drawn)[8:, 31], wave[8:], atol=1e-9)
    assert np.ptp(np.array(drawn)[:, 40]) == 0
    assert np.ptp([kept_still(rows[0], row)[31] for row in rows[:4]]) < np.ptp(wave[:4])
