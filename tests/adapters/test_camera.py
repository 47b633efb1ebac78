"""Cameras: what fails has its own sentence, and a picture of any shape comes out in the size asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonymizer.adapters.camera import Camera, fitted
from anonymizer.errors import CameraError
from tests.clips import make_clip, quadrants


def test_a_missing_camera_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, by path and by name, with what to do next."""
    for name in ("97", "/dev/video97", "no camera of this name"):
        with pytest.raises(CameraError, match="anonymizer devices"):
            Camera(name, (320, 240), 30)


def test_a_stream_that_does_not_open_keeps_its_address_to_itself(tmp_path: Path) -> None:
    """Addresses may hold passwords."""
    with pytest.raises(CameraError, match="stream") as error:
        Camera(f"file://{tmp_path}/user:secret@nowhere.mp4", (320, 240), 30)
    assert "secret" not in str(error.value)


def test_a_stream_is_read_in_rgb_and_its_end_is_a_lost_camera(tmp_path: Path) -> None:
    """Through OpenCV's own reader: colours in their order, numbers rising, then CameraError."""
    clip = make_clip(tmp_path / "in.mp4", [quadrants((96, 64))] * 4)
    camera = Camera(f"file://{clip}", (96, 64), 30)
    frames = [camera.read() for _ in range(4)]
    with pytest.raises(CameraError, match="unplugged"):
        camera.read()
    camera.close()
    assert [frame.index for frame in frames if frame] == [0, 1, 2, 3]
    assert frames[0] is not None
    red = frames[0].rgb[8, 8].astype(int)
    assert abs(red - [200, 40, 40]).max() < 20


@pytest.mark.parametrize("size_px", [(96, 64), (64, 64), (200, 40), (32, 90)])
def test_pictures_are_cut_to_shape_about_their_middle(size_px: tuple[int, int]) -> None:
    """The middle stays in the middle; nothing is squeezed."""
    rgb = quadrants((96, 64))
    view = fitted(rgb, size_px)
    assert view.shape == (size_px[1], size_px[0], 3)
    height, width = view.shape[:2]
    for y, x in ((height // 4, width // 4), (height // 4, 3 * width // 4), (3 * height // 4, width // 4)):
        want = rgb[16 if y < height / 2 else 48, 24 if x < width / 2 else 72]
        assert np.abs(view[y, x].astype(int) - want).max() <= 3
