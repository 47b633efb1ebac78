"""Erasing leaves nothing; the blend is whole on the hole and ends within its ring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.faces import Mask
from anonymizer.guard.erase import blend_outside, bounds, erase
from anonymizer.guard.fallback import SOLID_RGB, cover


def holed(seed: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], Mask]:
    rng = np.random.default_rng(seed)
    hole = np.zeros((40, 50), np.uint8)
    y, x = rng.integers(0, 30, 2)
    hole[y : y + rng.integers(1, 25), x : x + rng.integers(1, 25)] = 255
    return rng.integers(1, 256, (40, 50, 3)).astype(np.uint8), hole


@given(st.integers(0, 9999))
@settings(max_examples=25)
def test_erasing_leaves_zero_in_the_hole_and_all_else(seed: int) -> None:
    """0 under the hole, the picture elsewhere, and the input is not touched."""
    rgb, hole = holed(seed)
    before = rgb.copy()
    out = erase(rgb, hole)
    assert not out[hole > 0].any()
    np.testing.assert_array_equal(out[hole == 0], rgb[hole == 0])
    np.testing.assert_array_equal(rgb, before)


@given(st.integers(0, 9999), st.floats(1, 15))
@settings(max_examples=25)
def test_the_blend_is_one_on_the_hole_and_ends_in_its_ring(seed: int, ring_px: float) -> None:
    """1 on every pixel of the hole, less outside, never more with distance, 0 beyond the ring."""
    _, hole = holed(seed)
    blend = blend_outside(hole, ring_px)
    assert (blend[hole > 0] == 1).all()
    assert (blend[hole == 0] < 1).all()
    ys, xs = np.nonzero(hole)
    grid = np.moveaxis(np.mgrid[0:40, 0:50], 0, -1).reshape(-1, 1, 2)
    distance = np.linalg.norm(grid - np.stack([ys, xs], 1), axis=2).min(1).reshape(40, 50)
    assert not blend[distance > 1.1 * ring_px + 0.5].any()
    assert (blend[distance < 0.5 * ring_px] > 0.2).all()


def test_bounds_hold_outlines_within_the_frame() -> None:
    """Rows and columns with a margin, cut at the frame; None for what is outside."""
    square = np.array([[10.2, 20.7], [30.0, 20.7], [30.0, 40.1]])
    where = bounds([square, square + 5], 3.0, (100, 100))
    assert where is not None
    rows, columns = where
    assert rows.start <= 17
    assert rows.stop >= 49
    assert columns.start <= 7
    assert columns.stop >= 38
    assert bounds([square], 300.0, (50, 25)) == (slice(0, 50), slice(0, 25))
    assert bounds([square + 500], 3.0, (100, 100)) is None
    assert bounds([square - 500], 3.0, (100, 100)) is None


@pytest.mark.parametrize("style", ["blur", "solid"])
def test_a_cover_fills_its_hole_from_around(style: str) -> None:
    """`solid` is one grey; `blur` takes the colours of the surroundings; nothing outside the hole changes."""
    rgb = np.full((60, 80, 3), (200, 100, 50), np.uint8)
    hole = np.zeros((60, 80), np.uint8)
    hole[20:40, 30:50] = 255
    out = erase(rgb, hole)
    cover(out, hole, hole, "solid" if style == "solid" else "blur")
    np.testing.assert_array_equal(out[hole == 0], rgb[hole == 0])
    wanted = SOLID_RGB if style == "solid" else (200, 100, 50)
    np.testing.assert_allclose(out[hole > 0], np.broadcast_to(wanted, (400, 3)), atol=2)


def test_a_hole_as_large_as_the_picture_is_covered() -> None:
    """With nothing around, the cover is one dark colour and raises nothing."""
    hole = np.full((30, 30), 255, np.uint8)
    out = np.zeros((30, 30, 3), np.uint8)
    cover(out, hole, hole, "blur")
    assert not out.any()
