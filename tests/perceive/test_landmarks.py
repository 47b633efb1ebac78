"""Landmarks of drawn faces: where they lie, and that they follow shift, size and roll."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from anonymizer.faces import Box
from anonymizer.frames import RgbImage
from anonymizer.perceive.landmarks import Landmarker, bounds, cut_region, region_of_box, region_of_landmarks
from tests.perceive.drawn_face import draw_face, empty_room

FACE = Box(226, 75, 374, 270)
NOSE_TIP, CHIN = 1, 152


@pytest.fixture(scope="module")
def landmarker() -> Iterator[Landmarker]:
    with Landmarker() as made:
        yield made


@pytest.fixture(scope="module")
def rgb() -> RgbImage:
    picture = empty_room()
    draw_face(picture, (300, 170), 200)
    return picture


def test_landmarks_lie_on_the_face(landmarker: Landmarker, rgb: RgbImage) -> None:
    """Nose, chin and eyes are where they were drawn, and presence is high."""
    found = landmarker.at_box(rgb, FACE)
    assert found is not None
    assert found.presence > 0.9
    assert found.landmarks_px.shape == (478, 3)
    assert np.hypot(*(found.landmarks_px[NOSE_TIP, :2] - (300, 196))) < 16
    assert np.hypot(*(found.landmarks_px[CHIN, :2] - (300, 274))) < 16
    assert found.landmarks_px[468, 0] < 300 < found.landmarks_px[473, 0]
    assert found.expression.shape == (52,)
    assert 0 <= found.expression.min() <= found.expression.max() <= 1


def test_presence_is_low_on_a_wall(landmarker: Landmarker) -> None:
    """Where there is no face the landmarks say so."""
    found = landmarker.at_box(empty_room(), FACE)
    assert found is None or found.presence < 0.2


@pytest.mark.parametrize("turn_degrees", [30, 90, 180, -120])
def test_landmarks_turn_with_the_picture(landmarker: Landmarker, rgb: RgbImage, turn_degrees: float) -> None:
    """With the roll known, a turned face gives the turned landmarks."""
    upright = landmarker.at_box(rgb, FACE)
    assert upright is not None
    matrix = cv2.getRotationMatrix2D((300.0, 170.0), -turn_degrees, 1.0)
    turned_rgb = cv2.warpAffine(rgb, matrix, (640, 360), borderMode=cv2.BORDER_REPLICATE)
    turned = landmarker.at_box(np.asarray(turned_rgb, np.uint8), FACE, np.deg2rad(turn_degrees))
    assert turned is not None
    wanted = upright.landmarks_px[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.hypot(*(turned.landmarks_px[:, :2] - wanted).T).mean() < 4


def test_landmarks_scale_with_the_picture(landmarker: Landmarker, rgb: RgbImage) -> None:
    """A face four times as large gives landmarks four times as far apart, depth included."""
    small = landmarker.at_box(rgb, FACE)
    large_rgb = np.asarray(cv2.resize(rgb, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    large = landmarker.at_box(large_rgb, Box(FACE.x0 * 4, FACE.y0 * 4, FACE.x1 * 4, FACE.y1 * 4))
    assert small is not None
    assert large is not None
    assert np.abs(large.landmarks_px / 4 - small.landmarks_px).mean() < 2


def test_a_face_cut_by_the_frames_edge_still_has_landmarks_beyond_it(landmarker: Landmarker, rgb: RgbImage) -> None:
    """Half a face at the border is found, and its points may lie outside."""
    cut = np.ascontiguousarray(rgb[:, 260:])
    found = landmarker.at_box(cut, Box(-34, 75, 114, 270))
    assert found is not None
    assert found.presence > 0.5
    assert bounds(found.landmarks_px).x0 < 5


@pytest.mark.parametrize("box", [Box(-900, 0, -800, 90), Box(10, 10, 11, 11), Box(0, 0, float("nan"), 9)])
def test_a_region_with_nothing_in_it_gives_none(landmarker: Landmarker, rgb: RgbImage, box: Box) -> None:
    """Outside the frame, far too small or not a number: no landmarks, no exception."""
    assert landmarker.at_box(rgb, box) is None


def test_the_region_is_cut_where_it_says() -> None:
    """A gradient cut at any scale keeps its values: no half-pixel shift, enlarged or averaged down."""
    ramp = np.repeat(np.arange(1200, dtype=np.float32)[None] / 5, 900, axis=0)
    rgb = np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8)
    for side in (60.0, 256.0, 500.0, 780.0):
        region = region_of_box(Box(600 - side / 3, 440 - side / 3, 600 + side / 3, 440 + side / 3))
        cut = cut_region(rgb, region)[128, :, 0] * 255
        x = 600 + (np.arange(256) + 0.5 - 128) * side / 256
        assert abs(float((cut - (x - 0.5) / 5 + 0.4).mean())) < 0.15


def test_the_landmarks_region_is_the_same_for_a_rolled_face(landmarker: Landmarker, rgb: RgbImage) -> None:
    """Rolling the points rolls the region and changes neither its size nor its place."""
    found = landmarker.at_box(rgb, FACE)
    assert found is not None
    upright = region_of_landmarks(found.landmarks_px)
    points = found.landmarks_px.copy()
    c, s = np.cos(1.0), np.sin(1.0)
    points[:, :2] = (points[:, :2] - (300, 170)) @ np.array([[c, s], [-s, c]]) + (300, 170)
    rolled = region_of_landmarks(points)
    assert rolled.side_px == pytest.approx(upright.side_px, rel=1e-4)
    assert rolled.roll_rad - upright.roll_rad == pytest.approx(1.0, abs=1e-4)


def test_an_interpreter_that_never_closes_exits_without_a_sound() -> None:
    """Forgetting to close writes nothing to stderr at exit."""
    code = "from anonymizer.perceive.landmarks import Landmarker; kept = Landmarker()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
