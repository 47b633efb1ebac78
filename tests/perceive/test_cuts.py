"""Cuts are noticed; motion, light and noise are not taken for one."""

from __future__ import annotations

import numpy as np

from anonymizer.frames import RgbImage
from anonymizer.perceive.cuts import CutDetector
from tests.perceive.drawn_face import draw_face, empty_room


def _scene(x: int) -> RgbImage:
    rgb = empty_room(320, 180)
    draw_face(rgb, (x, 90), 90)
    return rgb


def _other_scene() -> RgbImage:
    rgb = np.zeros((180, 320, 3), np.uint8)
    rgb[:90, :, 2] = 220
    rgb[90:, ::20] = 255
    return rgb


def test_a_cut_is_noticed_once() -> None:
    """The first frame of the new shot is the cut, the next is not."""
    detector = CutDetector()
    frames = [_scene(100), _scene(104), _scene(108), _other_scene(), _other_scene(), _scene(100)]
    assert [detector.is_cut(rgb) for rgb in frames] == [False, False, False, True, False, True]


def test_a_moving_head_is_no_cut() -> None:
    """A head that crosses the picture does not begin a shot."""
    detector = CutDetector()
    assert not any(detector.is_cut(_scene(x)) for x in range(40, 280, 24))


def test_a_lamp_switched_on_is_no_cut() -> None:
    """All values rising together is light, not a new shot."""
    detector = CutDetector()
    dark = _scene(120) // 2
    assert not detector.is_cut(dark)
    assert not detector.is_cut(dark + np.uint8(60))
