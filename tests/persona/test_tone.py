"""The tone that is proposed from what stays visible around a face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.persona.bank import load_bank
from anonymizer.persona.surroundings import LUMA
from anonymizer.persona.tone import UNKNOWN, propose_tone, retinted

TONES = load_bank().tones
HULL = np.array([[60, 40], [140, 40], [140, 150], [60, 150]], np.float64)


def scene(neck_rgb: npt.NDArray[np.float32] | None) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A grey room (220, 200, 3) with an erased face above a neck, and the hole."""
    rgb = np.full((220, 200, 3), 90, np.uint8)
    if neck_rgb is not None:
        rgb[140:200, 70:130] = np.clip(neck_rgb * 255, 0, 255).astype(np.uint8)
    hole = np.zeros((220, 200), np.uint8)
    hole[40:150, 60:140] = 255
    rgb[hole > 0] = 0
    return rgb, hole


@pytest.mark.parametrize("step", range(len(TONES)))
def test_a_neck_of_a_step_proposes_that_step_or_its_neighbour(step: int) -> None:
    """Evidence is drawn a little towards the usual tone, never away from it, and order is kept."""
    tone = propose_tone(*scene(TONES[step]), HULL, TONES)
    assert tone.seen
    assert abs(tone.step - step) <= 1
    assert abs(tone.step - UNKNOWN) <= abs(step - UNKNOWN)


def test_brighter_necks_give_brighter_faces() -> None:
    """The proposed colour rises with what is seen."""
    colours = [propose_tone(*scene(TONES[3] * gain), HULL, TONES) for gain in (0.5, 0.7, 0.9, 1.1)]
    brightness = [float((TONES[tone.step] * tone.tint).mean()) for tone in colours]
    assert brightness == sorted(brightness)
    assert brightness[-1] > brightness[0] * 1.3


def test_without_skin_nothing_is_claimed_and_later_skin_keeps_the_step() -> None:
    """No skin: the usual step, marked unseen. Once skin is in sight the same step takes on its colour."""
    nothing = propose_tone(*scene(None), HULL, TONES)
    assert (nothing.step, nothing.seen) == (UNKNOWN, False)
    later = retinted(nothing, propose_tone(*scene(TONES[1]), HULL, TONES), TONES)
    assert (later.step, later.seen) == (UNKNOWN, True)
    assert (TONES[UNKNOWN] * later.tint).mean() < TONES[UNKNOWN].mean()


def test_what_is_under_the_hole_says_nothing() -> None:
    """Any picture under the hole gives the same tone."""
    rgb, hole = scene(TONES[2])
    expected = propose_tone(rgb, hole, HULL, TONES)
    rgb[hole > 0] = np.random.default_rng(3).integers(0, 256, (int((hole > 0).sum()), 3))
    got = propose_tone(rgb, hole, HULL, TONES)
    assert got.step == expected.step
    np.testing.assert_array_equal(got.tint, expected.tint)


def test_in_the_dark_an_unseen_face_is_no_brighter_than_what_is_around() -> None:
    """Without skin in sight the usual tone holds in a lit room, and is brought down in a dark one."""
    lit, dark = (propose_tone(np.full_like(scene(None)[0], grey), scene(None)[1], HULL, TONES) for grey in (200, 25))
    np.testing.assert_array_equal(lit.tint, 1)
    assert float((TONES[UNKNOWN] * dark.tint) @ LUMA) == pytest.approx(25 / 255, rel=0.01)
    assert not dark.seen


def test_what_is_learnt_comes_from_outside_the_hole() -> None:
    """With the shipped weights, too, any picture under the hole gives the same tone."""
    rgb, hole = scene(TONES[2])
    weights = load_bank().tone_weights
    assert len(weights)
    expected = propose_tone(rgb, hole, HULL, TONES, weights)
    rgb[hole > 0] = np.random.default_rng(3).integers(0, 256, (int((hole > 0).sum()), 3))
    got = propose_tone(rgb, hole, HULL, TONES, weights)
    np.testing.assert_array_equal(got.tint, expected.tint)
    assert not np.array_equal(expected.tint, propose_tone(rgb, hole, HULL, TONES).tint)


def test_darker_rooms_and_necks_give_darker_faces_with_what_is_learnt() -> None:
    """The proposed colour rises with what is seen, and stays a colour of skin."""
    colours = []
    for gain in (0.35, 0.6, 1.0):
        rgb, hole = scene(TONES[4])
        tone = propose_tone((rgb * gain).astype(np.uint8), hole, HULL, TONES, load_bank().tone_weights)
        colours.append(TONES[tone.step] * tone.tint)
    brightness = [float(colour.mean()) for colour in colours]
    assert brightness == sorted(brightness)
    assert all(colour[0] > colour[1] > colour[2] for colour in colours)
