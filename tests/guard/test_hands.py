"""Of a hand before a face only what is surely hand is shown; the rest is drawn, and covers stay on top."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.guard.hands import drawn_mask, finger_px, in_front, put_in_front, sure_mask
from tests.joints import planned_hand_at

SHAPE = (240, 320)
NOTHING = np.zeros(SHAPE, np.uint8)


def test_sure_pixels_lie_within_the_drawn_hand() -> None:
    """What is shown as it is has a rim around it that is drawn."""
    hand = planned_hand_at((160, 120), 70, 20)
    sure, drawn = sure_mask([hand], NOTHING) > 0, drawn_mask(hand, SHAPE) > 0
    assert sure.sum() > 0.2 * drawn.sum()
    assert not (sure & ~drawn).any()


@given(
    st.floats(0, 12),
    st.integers(0, 5),
    st.tuples(st.floats(60, 260), st.floats(60, 180)),
    st.floats(20, 90),
    st.floats(-180, 180),
)
@settings(max_examples=60)
def test_joints_that_are_wrong_by_what_they_say_show_nothing_but_the_hand(
    wrong_px: float, seed: int, center: tuple[float, float], palm_px: float, turn_deg: float
) -> None:
    """Whichever way the fingers' joints are wrong: the sure pixels lie on the true hand."""
    rng = np.random.default_rng(seed)
    true = planned_hand_at(center, palm_px, turn_deg)
    angle = rng.uniform(0, 2 * np.pi)
    shift = np.float32(0.75 * wrong_px) * np.array([np.cos(angle), np.sin(angle)], np.float32)
    seen = type(true)(true.points_px + shift, np.full(21, wrong_px, np.float32))
    sure = sure_mask([seen], NOTHING) > 0
    assert not (sure & (drawn_mask(true, SHAPE) == 0)).any()


def test_less_is_sure_the_more_joints_may_be_wrong() -> None:
    """Down to nothing at all: a hand of which too little is sure is painted over."""
    half = finger_px(planned_hand_at((160, 120), 70).points_px)
    areas = [
        np.count_nonzero(sure_mask([planned_hand_at((160, 120), 70, wrong_px=share * half)], NOTHING))
        for share in (0, 0.2, 0.4, 0.6, 3)
    ]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > 1000
    assert areas[-1] == 0


def test_nothing_stays_in_front_of_a_cover() -> None:
    """Where a face is only covered, no pixel of a hand is sure."""
    covered = NOTHING.copy()
    covered[:, 160:] = 255
    hand = planned_hand_at((160, 120), 70)
    sure = sure_mask([hand], covered)
    assert sure[:, :160].any()
    assert not sure[:, 160:].any()
    shown = in_front(np.full((*SHAPE, 3), 200, np.uint8), np.full(SHAPE, 255, np.uint8), covered, [hand])
    assert shown is not None
    out = np.zeros((*SHAPE, 3), np.uint8)
    put_in_front(out, shown)
    assert out[:, :160].any()
    assert not out[:, 160:].any()


@pytest.mark.parametrize("seed", range(3))
def test_the_rim_is_drawn_from_sure_pixels_alone(seed: int) -> None:
    """What lies in the hole beside the sure pixels changes nothing; the sure ones are shown as they are."""
    rng = np.random.default_rng(seed)
    hole = NOTHING.copy()
    hole[40:200, 60:240] = 255
    hand = planned_hand_at((150, 120), 60, 10 * seed, wrong_px=0.4)
    rgb = rng.integers(0, 256, (*SHAPE, 3)).astype(np.uint8)
    sure = sure_mask([hand], NOTHING)
    other = np.where(((hole > 0) & (sure == 0))[..., None], 255 - rgb, rgb)
    outs = []
    for picture in (rgb, other):
        shown = in_front(picture, hole, NOTHING, [hand])
        assert shown is not None
        out = np.zeros_like(rgb)
        put_in_front(out, shown)
        outs.append(out)
    np.testing.assert_array_equal(outs[0], outs[1])
    core = (sure > 0) & (hole > 0)
    assert (outs[0][core] == rgb[core]).all(1).mean() > 0.95  # at the hand's rim the matte is a little less than 1


def test_a_hand_beside_the_hole_needs_nothing() -> None:
    """It is in the picture as it is."""
    hole = NOTHING.copy()
    hole[:, :40] = 255
    assert in_front(np.zeros((*SHAPE, 3), np.uint8), hole, NOTHING, [planned_hand_at((220, 120), 50)]) is None
