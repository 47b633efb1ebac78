"""Rotations, similarities, outlines and affine maps do what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.geometry import (
    apply_affine,
    convex_outline,
    fit_similarity,
    invert_affine,
    rotation_from_vector,
    vector_from_rotation,
    yaw_pitch_roll,
)
from tests.heads import distance_outside, turned

unit = st.floats(-1, 1)


@given(st.tuples(unit, unit, unit), st.floats(0, np.pi))
def test_a_rotation_comes_back_from_its_matrix(axis: tuple[float, float, float], angle: float) -> None:
    """Vector -> matrix -> vector -> matrix: the same rotation, also at no turn and at half a turn."""
    length = float(np.linalg.norm(axis))
    vector = np.array(axis) / length * angle if length > 1e-3 else np.zeros(3)
    rotation = rotation_from_vector(vector)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(rotation_from_vector(vector_from_rotation(rotation)), rotation, atol=2e-3)


@given(st.floats(-80, 80), st.floats(-60, 60), st.floats(-80, 80))
def test_yaw_pitch_and_roll_are_told_apart(yaw: float, pitch: float, roll: float) -> None:
    """A head turned about one axis has that angle and no other; signs follow the image's axes."""
    np.testing.assert_allclose(np.rad2deg(yaw_pitch_roll(turned(0, 0, roll))), [0, 0, roll], atol=1e-3)
    np.testing.assert_allclose(np.abs(np.rad2deg(yaw_pitch_roll(turned(yaw)))), [abs(yaw), 0, 0], atol=1e-3)
    np.testing.assert_allclose(np.abs(np.rad2deg(yaw_pitch_roll(turned(0, pitch)))), [0, abs(pitch), 0], atol=1e-3)


@given(st.integers(0, 9999), st.floats(0.1, 50), st.tuples(unit, unit, unit))
def test_a_similarity_is_recovered(seed: int, scale: float, vector: tuple[float, float, float]) -> None:
    """Points moved by a similarity give that similarity back, whatever their weights."""
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(size=(12, 3)), rng.uniform(0.1, 1, 12)
    rotation, shift = rotation_from_vector(np.array(vector) * 3), rng.normal(0, 100, 3)
    got = fit_similarity(points, scale * points @ rotation.T + shift, weights)
    assert got[0] == pytest.approx(scale)
    np.testing.assert_allclose(got[1], rotation, atol=1e-6)
    np.testing.assert_allclose(got[2], shift, atol=1e-6)


def test_points_without_weight_do_not_pull() -> None:
    """A wild point of weight 0 changes nothing; points in one place are refused."""
    rng = np.random.default_rng(0)
    source = rng.normal(size=(9, 3))
    target = source.copy()
    target[0] += 1000
    weights = np.ones(9)
    weights[0] = 0
    assert fit_similarity(source, target, weights)[0] == pytest.approx(1)
    with pytest.raises(ValueError, match="one place"):
        fit_similarity(np.ones((5, 3)), source[:5], np.ones(5))


@given(st.integers(0, 9999), st.integers(3, 40), st.floats(0, 20), st.sampled_from([8, 64]))
def test_an_outline_holds_its_points(seed: int, count: int, grow_px: float, directions: int) -> None:
    """Every point is inside by at least grow_px."""
    points = np.random.default_rng(seed).normal(0, 30, (count, 2))
    outline = convex_outline(points, directions, grow_px)
    assert outline.shape == (directions, 2)
    outside = distance_outside(outline, points)
    assert outside.max() <= -grow_px + 1e-3


@given(st.integers(0, 9999))
@settings(max_examples=30)
def test_an_affine_map_is_undone_by_its_inverse(seed: int) -> None:
    """There and back again is where one was."""
    rng = np.random.default_rng(seed)
    matrix = np.concatenate([np.eye(2) * 2 + rng.uniform(-0.5, 0.5, (2, 2)), rng.normal(0, 50, (2, 1))], 1)
    points = rng.normal(0, 100, (7, 2))
    np.testing.assert_allclose(apply_affine(invert_affine(matrix), apply_affine(matrix, points)), points, atol=1e-8)
