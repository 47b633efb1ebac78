"""The blur of a picture is told, not under the hole; guides become as soft, and keep their outline."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.generate.softness import Softness, edge_blur_px, softened


def _edges(sigma_px: float) -> npt.NDArray[np.uint8]:
    """Bars of random brightness, blurred."""
    random = np.random.default_rng(3)
    bars = np.repeat(np.repeat(random.integers(0, 256, (12, 12), np.uint8), 24, 0), 24, 1)
    blurred = cv2.GaussianBlur(bars, (0, 0), sigma_px)
    return np.repeat(np.asarray(blurred, np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize("sigma_px", [0.7, 1.0, 1.4])
def test_the_blur_of_edges_is_told(sigma_px: float) -> None:
    """Bars of known blur, the operator's own width in it."""
    seen = edge_blur_px(_edges(sigma_px), np.zeros((288, 288), np.uint8))
    assert seen == pytest.approx(np.hypot(sigma_px, 0.75), rel=0.15)


def test_softer_is_told_from_sharper() -> None:
    """In order, without a tie."""
    none = np.zeros((288, 288), np.uint8)
    blurs = [edge_blur_px(_edges(sigma), none) for sigma in (0.5, 0.8, 1.2, 1.6)]
    told = [blur for blur in blurs if blur is not None]
    assert len(told) == 4
    assert told == sorted(told)


def test_without_edges_nothing_is_told() -> None:
    """A wall says nothing of the camera."""
    assert edge_blur_px(np.full((64, 64, 3), 90, np.uint8), np.zeros((64, 64), np.uint8)) is None


def test_edges_of_the_hole_do_not_count() -> None:
    """The only edge is that of the erasure."""
    hole = np.zeros((128, 128), np.uint8)
    cv2.circle(hole, (64, 64), 40, 255, -1)
    grey = np.full((128, 128, 3), 160, np.uint8)
    grey[hole > 0] = 0
    assert edge_blur_px(grey, hole) is None


def test_softness_follows_slowly_and_looks_seldom() -> None:
    """Once every 32 frames, a share of the way."""
    where, hole = (slice(0, 288), slice(0, 288)), np.zeros((288, 288), np.uint8)
    softness = Softness()
    softness.look(_edges(0.6), hole, where, 7)
    first = softness.edges_px
    softness.look(_edges(1.5), hole, where, 8)
    assert softness.edges_px == first
    softness.look(_edges(1.5), hole, where, 32)
    later = softness.edges_px
    assert first is not None
    assert later is not None
    assert first < later < 1.5


def test_a_softened_guide_keeps_its_outline_and_its_colour_there() -> None:
    """No dark rim comes in from outside."""
    coverage = np.zeros((60, 60), np.uint8)
    cv2.circle(coverage, (30, 30), 20, 255, -1)
    guide = np.where(coverage[..., None] > 0, np.array([200, 120, 60], np.uint8), np.uint8(0))
    soft = softened(guide, coverage, 1.2)
    assert not soft[coverage == 0].any()
    assert np.abs(soft[coverage > 0].astype(int) - [200, 120, 60]).max() <= 3


def test_detail_is_lost() -> None:
    """That is what it is for."""
    guide = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    soft = softened(guide, np.full((60, 60), 255, np.uint8), 1.0)
    assert soft.std() < guide.std() / 2
