"""What /sys says of video devices, from made-up folders; the real drivers are met in tests/e2e/virtual_camera."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.devices.v4l2 import format_size_px, set_format, video_devices, wake


def test_devices_are_listed_by_number_with_their_names(tmp_path: Path) -> None:
    """What cannot be opened is listed with the reason."""
    for number, name in ((10, "Anonymizer"), (2, "USB camera")):
        folder = tmp_path / "sys" / f"video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
    found = video_devices(tmp_path / "sys", tmp_path / "dev")
    assert [(Path(each.path).name, each.name) for each in found] == [
        ("video2", "USB camera"),
        ("video10", "Anonymizer"),
    ]
    assert all(each.problem for each in found)
    assert video_devices(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("said", "size_px"), [("YU12:1280x720@30", (1280, 720)), ("YUYV:640x480", (640, 480)), ("nothing", None)]
)
def test_the_size_that_was_really_set_is_read(tmp_path: Path, said: str, size_px: tuple[int, int] | None) -> None:
    """As the driver writes it; None when it says nothing."""
    (tmp_path / "video10").mkdir()
    (tmp_path / "video10" / "format").write_text(said + "\n")
    told = set_format("/dev/video10", tmp_path)
    assert told == said
    assert format_size_px(told) == size_px
    assert set_format("/dev/video11", tmp_path) is None


def test_waking_what_is_no_device_does_nothing(tmp_path: Path) -> None:
    """Neither a missing file nor an ordinary one is an error."""
    ordinary = tmp_path / "file"
    ordinary.write_bytes(b"x")
    wake(str(ordinary))
    wake(str(tmp_path / "missing"))
    assert ordinary.read_bytes() == b"x"
