"""A bone along which the colour changes is not believed, however well looks agree on it."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.frames import RgbImage
from anonymizer.guard.hands import drawn_mask, finger_px, sure_mask
from anonymizer.perceive.hand_evidence import doubting
from anonymizer.perceive.hands import Hand
from anonymizer.perceive.hands_in_time import planned_hand
from tests.joints import points_of

POINTS = points_of((160, 120), 60)
EDGE = POINTS[[10, 11], 1].mean()
HALF_PX = finger_px(POINTS)
NOTHING = np.zeros((240, 320), np.uint8)
SKIN, FACE = (205, 150, 120), (170, 105, 95)


def painted(hidden: bool, gain: float = 1.0) -> RgbImage:
    """A hand on a wall; hidden: its fingertips lie behind something else."""
    rgb = np.full((240, 320, 3), 90, np.uint8)
    hand = planned_hand(Hand(POINTS, np.zeros(21), 1.0))
    rgb[drawn_mask(hand, rgb.shape) > 0] = SKIN
    if hidden:
        rgb[: int(EDGE)] = FACE
    return np.asarray(np.clip(rgb * gain + np.random.default_rng(0).normal(0, 2, rgb.shape), 0, 255), np.uint8)


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_a_hand_in_sight_is_believed(gain: float) -> None:
    """One colour from root to tip: nothing is added to what its joints may be wrong by."""
    grown = doubting(painted(False, gain), POINTS, np.full(21, 0.3), HALF_PX)
    np.testing.assert_array_equal(grown, np.full(21, 0.3))


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_fingers_that_end_behind_something_are_not(gain: float) -> None:
    """From the bone on that crosses its edge they are not sure: nothing of what hides them is shown."""
    grown = doubting(painted(True, gain), POINTS, np.zeros(21), HALF_PX)
    sure, before = (sure_mask([planned_hand(Hand(POINTS, s, 1.0))], NOTHING) > 0 for s in (grown, np.zeros(21)))
    assert before[: int(EDGE)].any()
    assert not sure[: int(EDGE)].any()
    assert sure[int(EDGE) :].sum() > 0.6 * before[int(EDGE) :].sum()


def test_a_hand_outside_the_frame_is_not_believed() -> None:
    """There is nothing to look at."""
    grown = doubting(painted(False), POINTS + 2000, np.zeros(21), HALF_PX)
    hand = planned_hand(Hand(POINTS + 2000, grown, 1.0))
    assert not sure_mask([hand], np.zeros((2400, 2400), np.uint8)).any()
