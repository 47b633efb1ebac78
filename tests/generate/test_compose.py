"""The composite at frame resolution, the crop's transform, and light that does not flicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.faces import Floats, SyntheticFace
from anonymizer.generate.compose import compose, soften
from anonymizer.generate.crop import CROP_CM, crop_from_frame, warp_matrix
from anonymizer.generate.steady import NEW_SHARE, STILL_PAINT, SteadyLight
from anonymizer.geometry import apply_affine, invert_affine
from tests.heads import code, turned

SIZE = 64


def answer(gain: float = 1.0, bias: float = 0.0, inpaint: float = 0.5, matte: float = 1.0) -> SyntheticFace:
    """An answer that is the same all over."""
    grid = np.ones((8, 8, 3), np.float32)
    return SyntheticFace(
        gain * grid,
        bias * grid,
        np.full((SIZE, SIZE, 3), inpaint, np.float32),
        np.full((SIZE, SIZE), matte, np.float32),
    )


def composed(blend: Floats, face: SyntheticFace, covered: int = 255) -> tuple[Floats, Floats, Floats]:
    """(before, guide, after) of a random picture and a random guide."""
    rng = np.random.default_rng(1)
    before = rng.integers(0, 256, (*blend.shape, 3)).astype(np.uint8)
    guide = rng.integers(0, 256, (*blend.shape, 3)).astype(np.uint8)
    after = before.copy()
    scale = np.array([[SIZE / 80, 0, 0], [0, SIZE / 80, 0]])
    nothing = np.zeros((*blend.shape, 3), np.int16)
    compose(after, blend, guide, np.full(blend.shape, covered, np.uint8), face, scale, nothing)
    return (*(each.astype(np.float32) for each in (before, guide, after)),)  # type: ignore[return-value]


def test_where_the_blend_is_zero_every_bit_stays() -> None:
    """Pixels out of the blend are not rounded, not touched; those inside are replaced."""
    blend = np.zeros((60, 80), np.float32)
    blend[10:30, 20:50] = 1
    before, _, after = composed(blend, answer(inpaint=0.3, matte=0))
    np.testing.assert_array_equal(after[blend == 0], before[blend == 0])
    np.testing.assert_allclose(after[blend == 1], 0.3 * 255, atol=1)


def test_with_no_change_of_light_the_guide_is_shown_as_it_is() -> None:
    """Gain 1, bias 0, matte 1: the guide's own pixels, at the frame's resolution."""
    _, guide, after = composed(np.ones((60, 80), np.float32), answer())
    np.testing.assert_array_equal(after, guide)


@given(st.floats(0, 1), st.floats(0.3, 2), st.floats(-0.3, 0.3), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=25)
def test_the_composite_is_the_formula(blend: float, gain: float, bias: float, inpaint: float, matte: float) -> None:
    """out = frame·(1 − blend) + blend·(matte·(gain·guide + bias) + (1 − matte)·inpaint), clipped."""
    before, guide, after = composed(np.full((20, 30), blend, np.float32), answer(gain, bias, inpaint, matte))
    shown = matte * (gain * guide + bias * 255) + (1 - matte) * inpaint * 255
    wanted = np.clip(before * (1 - blend) + blend * shown, 0, 255)
    assert np.abs(after - wanted).max() <= 1.01


def test_where_the_guide_is_not_the_inpainted_layer_shows() -> None:
    """Matte 1 shows no guide where it does not cover."""
    _, _, after = composed(np.ones((20, 30), np.float32), answer(inpaint=0.25), covered=0)
    np.testing.assert_allclose(after, 0.25 * 255, atol=1)


@given(st.floats(0.5, 30), st.floats(-170, 170), st.floats(-60, 60), st.sampled_from([128, 256]))
def test_a_crop_is_upright_centred_and_of_one_size(scale: float, roll: float, yaw: float, size_px: int) -> None:
    """Frame -> crop -> frame is where one was; the head's middle is the crop's; its own down is the crop's down."""
    pose = code((300, 200), scale, turned(0, 0, roll))
    matrix = crop_from_frame(code((300, 200), scale, turned(yaw, 0, roll)), size_px)
    np.testing.assert_allclose(apply_affine(matrix, [[300, 200]]), [[size_px / 2] * 2], atol=1e-6)
    assert np.hypot(*matrix[:, 0]) * CROP_CM * scale == pytest.approx(size_px)
    points = np.random.default_rng(0).normal(0, 500, (5, 2))
    np.testing.assert_allclose(apply_affine(invert_affine(matrix), apply_affine(matrix, points)), points, atol=1e-6)
    down = np.array([-np.sin(np.deg2rad(roll)), np.cos(np.deg2rad(roll))])
    frontal = crop_from_frame(pose, size_px)[:, :2] @ down
    np.testing.assert_allclose(frontal / np.linalg.norm(frontal), [0, 1], atol=1e-5)


def test_opencv_gets_the_same_map_for_its_own_pixel_centres() -> None:
    """Centres at 0 instead of .5: the same point of the picture lands in the same place."""
    matrix = np.array([[0.5, 0.1, 3], [-0.1, 0.5, 7]])
    here = apply_affine(matrix, [[10.5, 20.5]])
    np.testing.assert_allclose(apply_affine(warp_matrix(matrix), [[10, 20]]) + 0.5, here)


def test_light_follows_slowly_each_slot_for_itself() -> None:
    """A new grid counts by its share; another slot, a jump or a change of size starts anew."""
    steady, near = SteadyLight(), code((100, 100), 6)
    assert steady(0, near, answer(gain=1)).gain[0, 0, 0] == 1
    assert steady(0, near, answer(gain=2)).gain[0, 0, 0] == pytest.approx(1 + NEW_SHARE)
    assert steady(1, near, answer(gain=2)).gain[0, 0, 0] == 2
    assert steady(0, code((200, 100), 6), answer(gain=2)).gain[0, 0, 0] == 2
    assert steady(0, code((200, 100), 12), answer(gain=3)).gain[0, 0, 0] == 3


def test_light_that_only_trembles_is_held_and_a_change_is_followed() -> None:
    """Noise of a hundredth passes by a fiftieth; a lamp that goes on is there within ten frames."""
    steady, near, rng = SteadyLight(), code((100, 100), 6), np.random.default_rng(1)
    steady(0, near, answer(gain=1))
    shown = [steady(0, near, answer(gain=1 + rng.normal(0, 0.01))).gain.mean() for _ in range(50)]
    assert np.std(shown) < 0.003
    after = [steady(0, near, answer(gain=1.5)).gain.mean() for _ in range(10)]
    assert after[-1] > 1.4


def test_what_is_painted_is_held_while_a_head_keeps_still() -> None:
    """A tenth of each new answer at the same place; all of it as soon as the head or its expression moves."""
    steady, near = SteadyLight(), code((100, 100), 6)
    dark, light = (replace(answer(gain=1), inpaint_rgb=np.full_like(answer(gain=1).inpaint_rgb, v)) for v in (0, 1))
    steady(0, near, dark)
    assert steady(0, near, light).inpaint_rgb.mean() == pytest.approx(STILL_PAINT)
    assert steady(0, code((100.5, 100), 6), light).inpaint_rgb.mean() == 1
    steady(0, near, dark)
    smiling = replace(near, expression=near.expression + np.float32(1 / 64))  # one quantum
    assert steady(0, smiling, light).inpaint_rgb.mean() == 1


def test_a_small_face_has_no_steps_at_its_rim() -> None:
    """Where a px of the frame is more than one of the crop the guide still ends over a px, inside itself."""
    coverage = np.zeros((20, 20), np.uint8)
    coverage[5:15, 5:15] = 255
    for crop_px_per_px in (0.9, 1.5, 3.0):
        soft = soften(coverage, crop_px_per_px)
        assert (soft[5, 6:14] > 0).all()
        assert (soft[5, 6:14] < 200).all()
        assert (soft[7:13, 7:13] == 255).all()
        assert not soft[coverage == 0].any()
