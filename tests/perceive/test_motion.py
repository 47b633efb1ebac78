"""What outlives the erasure: a fitted pose, quantised, with nothing of the resting face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.faces import Box, Face, MotionCode
from anonymizer.perceive.motion import (
    DEAD_ZONE,
    GAZE_LIMIT,
    JAW_OPEN,
    MAX_RESTING_JAW,
    RESTING_GAZE,
    SHAPED,
    STEP_EXPRESSION,
    STEPS_PX,
    STILL_DEAD_ZONE,
    Motion,
    fit_motion,
    motion_in_head,
    reduce_motion,
    reduce_still,
    track_baseline,
)
from anonymizer.persona.face_model import BLINKS
from tests.heads import MODEL, code, random_expression, random_shape, seen_face, turned

STILL = np.array([100, 100, np.log(6), 0, 0, 0], np.float64)
STRAIGHT = np.zeros((2, 2), np.float32)


@given(st.integers(0, 9999), st.floats(-60, 60), st.floats(-25, 25), st.floats(2, 40))
@settings(max_examples=25)
def test_a_pose_is_recovered(seed: int, yaw: float, pitch: float, scale: float) -> None:
    """The average head in any pose and expression is fitted without a residual; landmarks return to head space."""
    pose = code((200, 150), scale, turned(yaw, pitch, 10), random_expression(np.random.default_rng(seed)))
    face = seen_face(pose)
    motion = fit_motion(face, MODEL)
    assert motion.residual_px < 0.02 * scale
    np.testing.assert_allclose(motion.pose, [200, 150, np.log(scale), *pose.rotation], atol=0.02)
    in_head = motion_in_head(face, motion)[:468, :2]
    np.testing.assert_allclose(in_head, MODEL.head(pose.expression)[:, :2], atol=0.02)


def test_faces_without_landmarks_or_with_wild_ones_are_refused() -> None:
    """Nothing is fitted to nothing, nor to numbers that are none."""
    face = seen_face(code())
    assert face.landmarks_px is not None
    wild = face.landmarks_px.copy()
    wild[3] = np.nan
    with pytest.raises(ValueError, match="no landmarks"):
        fit_motion(Face(Box(0, 0, 9, 9), 0.9), MODEL)
    with pytest.raises(ValueError, match="not finite"):
        fit_motion(Face(face.box_px, 0.9, wild, face.expression), MODEL)


@given(st.integers(0, 9999))
@settings(max_examples=25)
def test_people_who_differ_in_resting_values_alone_get_one_code(seed: int) -> None:
    """Two people at different rest make the same move: their codes are equal to the bit."""
    rng = np.random.default_rng(seed)
    move = (rng.uniform(0.1, 0.4, 52) * (rng.random(52) < 0.3)).astype(np.float32)
    codes = []
    for _ in range(2):
        rest = np.round(rng.uniform(0, 0.2, 52) * 256).astype(np.float32) / 256
        baseline = track_baseline(np.repeat(rest[None], 60, 0))
        codes.append(
            reduce_motion(STILL, np.asarray(rest + np.round(move * 256) / 256, np.float32), STRAIGHT, baseline, MODEL)
        )
    np.testing.assert_array_equal(codes[0].expression, codes[1].expression)
    np.testing.assert_array_equal(codes[0].center_px, codes[1].center_px)


def test_small_moves_fall_into_the_dead_zone() -> None:
    """What is within the dead zone of the baseline is rest."""
    baseline = np.full(52, 0.1, np.float32)
    rest = reduce_motion(STILL, baseline, STRAIGHT, baseline, MODEL).expression
    for sign in (-1, 1):
        near = np.asarray(baseline + sign * 0.9 * DEAD_ZONE, np.float32)
        np.testing.assert_array_equal(reduce_motion(STILL, near, STRAIGHT, baseline, MODEL).expression, rest)
    far = np.asarray(baseline + 3 * DEAD_ZONE, np.float32)
    assert (reduce_motion(STILL, far, STRAIGHT, baseline, MODEL).expression > rest).all()


@given(st.integers(0, 9999))
@settings(max_examples=25)
def test_codes_are_quantised_and_limited(seed: int) -> None:
    """Place, coefficients and gaze lie on their steps and in their ranges; near poses become one."""
    rng = np.random.default_rng(seed)
    pose = np.array([*rng.uniform(0, 500, 2), *rng.normal(0, 0.5, 4)])
    got = reduce_motion(
        pose, random_expression(rng), rng.normal(0, 1, (2, 2)).astype(np.float32), np.zeros(52, np.float32), MODEL
    )
    for values, step in ((got.center_px, STEPS_PX), (got.expression, STEP_EXPRESSION), (got.gaze, STEP_EXPRESSION)):
        np.testing.assert_allclose(values / step, np.round(values / step), atol=1e-4)
    assert ((got.expression >= 0) & (got.expression <= 1)).all()
    assert np.abs(got.gaze).max() <= GAZE_LIMIT + STEP_EXPRESSION


def test_the_baseline_of_a_track_is_its_calm_and_never_an_open_mouth() -> None:
    """A quarter of the time says what rest is; a mouth that never shuts is not taken for rest."""
    track = np.zeros((100, 52), np.float32)
    track[:, 10] = 0.3
    track[50:, 10] = 0.9
    track[:, JAW_OPEN] = 0.7
    baseline = track_baseline(track)
    assert baseline[10] == pytest.approx(0.3)
    assert baseline[JAW_OPEN] == pytest.approx(MAX_RESTING_JAW)
    assert random_shape(np.random.default_rng(0)).shape == (468, 3)


def still(expression: np.ndarray, gaze: np.ndarray = STRAIGHT) -> MotionCode:
    return reduce_still(Motion(STILL, expression.astype(np.float32), gaze.astype(np.float32), 0.0), MODEL)


@given(st.integers(0, 9999))
@settings(max_examples=25)
def test_a_photo_s_resting_values_fall_into_one_code(seed: int) -> None:
    """People whose rest is within the dead zone of the population's, and who look ahead, cannot be told apart."""
    rng = np.random.default_rng(seed)
    codes = [
        still(
            MODEL.resting_expression + 0.95 * STILL_DEAD_ZONE * rng.uniform(-1, 1, 52) * (np.arange(52) != JAW_OPEN),
            RESTING_GAZE + rng.uniform(-0.06, 0.06, (1, 2)),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(codes[0].expression, codes[1].expression)
    np.testing.assert_array_equal(codes[0].gaze, codes[1].gaze)


def test_plain_expression_and_gaze_pass_in_a_photo() -> None:
    """A smile, a shut eye, an open mouth and a look aside are still there."""
    expression = MODEL.resting_expression.copy()
    smile = 44
    expression[[smile, smile + 1, BLINKS[0], JAW_OPEN]] = 0.8
    code_ = still(expression, RESTING_GAZE + np.array([0.3, 0.0]))
    assert code_.expression[smile] >= 0.7
    assert code_.expression[BLINKS[0]] >= 0.8, "a wink"
    assert code_.expression[BLINKS[1]] == pytest.approx(MODEL.resting_expression[BLINKS[1]], abs=0.02)
    assert code_.expression[JAW_OPEN] == pytest.approx(0.8, abs=0.02)
    assert code_.gaze[:, 0] == pytest.approx(RESTING_GAZE[:, 0] + 0.3, abs=0.1)


def test_a_photo_s_eyes_have_one_gaze() -> None:
    """Where one eye's iris sits a little otherwise than the other's does not pass."""
    own = np.array([[0.05, 0.03], [-0.05, -0.03]])
    np.testing.assert_array_equal(
        still(MODEL.resting_expression, RESTING_GAZE + own).gaze, still(MODEL.resting_expression, RESTING_GAZE).gaze
    )


@given(st.integers(0, 9999))
@settings(max_examples=25)
def test_a_photo_s_sides_move_alike_and_brows_hardly(seed: int) -> None:
    """Which side smiles more, how low brows lie and how thin lips are do not pass; a plain frown does."""
    rest, smile = still(MODEL.resting_expression, RESTING_GAZE).expression, [44, 45]
    shaped, brows_down = list(SHAPED), [1, 2]
    expression = MODEL.resting_expression.copy()
    expression[[*shaped, *smile]] += 0.5 + np.random.default_rng(seed).uniform(-0.15, 0.15, len(shaped) + 2).astype(
        np.float32
    )
    code_ = still(expression, RESTING_GAZE)
    np.testing.assert_array_equal(code_.expression[shaped], rest[shaped])
    smiled = (code_.expression - MODEL.resting_expression)[smile]
    assert smiled.min() >= 0.2
    assert smiled[0] == pytest.approx(smiled[1], abs=0.02)
    expression[brows_down] = 1
    drawn = MODEL.drawn_expression(still(expression).expression)
    assert (drawn[brows_down] >= 0.4).all()


def test_lids_and_sideways_gaze_of_clips_are_drawn_stronger_than_of_photos() -> None:
    """A landmark network reads less of them; rest stays rest, wide eyes stay as wide, and photos as they were."""
    rest = MODEL.resting_expression
    half = rest.copy()
    half[list(BLINKS)] += 0.25
    gaze = RESTING_GAZE + np.float32(0.1)
    clip, photo = (reduce_motion(STILL, half, gaze, rest, MODEL, photo=photo) for photo in (False, True))
    assert (clip.expression[list(BLINKS)] > photo.expression[list(BLINKS)]).all()
    np.testing.assert_allclose(photo.gaze, gaze, atol=STEP_EXPRESSION)
    np.testing.assert_allclose(clip.gaze - RESTING_GAZE, [[0.14, 0.1]] * 2, atol=STEP_EXPRESSION)
    wide = np.maximum(rest - 0.04, 0)
    kept = reduce_motion(STILL, wide, RESTING_GAZE, rest, MODEL).expression
    assert (rest - kept)[list(BLINKS)].max() <= 0.04 + STEP_EXPRESSION


def test_open_eyes_are_the_rest_of_a_track_that_looks_down() -> None:
    """Lids that are low for four fifths of a clip are no baseline."""
    expressions = np.full((60, 52), 0.1, np.float32)
    expressions[12:, list(BLINKS)] = 0.4
    np.testing.assert_allclose(track_baseline(expressions)[list(BLINKS)], 0.1)
