"""What /sys says of video devices, from made-up folders; the real drivers are met in tests/e2e/virtual_camera."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from anonymizer.devices import v4l2
from anonymizer.devices.v4l2 import format_size_px, is_fed, set_format, video_devices, wake


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


@pytest.mark.parametrize(
    ("can", "woken", "woken_if_written_by_nobody"),
    [
        (set(), True, True),  # a pyvirtualcam of old has gone
        ({"capture"}, False, True),  # written to, or a dead writer's, held by a viewer
        ({"output"}, False, False),
        ({"capture", "output"}, False, False),
    ],
)
def test_a_camera_is_woken_only_if_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can: set[str], woken: bool, woken_if_written_by_nobody: bool
) -> None:
    """STREAMON to a device that another program writes to would let a second writer in."""
    device = tmp_path / "video10"
    device.write_bytes(b"")
    asked: list[int] = []
    monkeypatch.setattr(v4l2, "_query", lambda path: ("v4l2 loopback", frozenset(can), ""))
    monkeypatch.setattr("fcntl.ioctl", lambda handle, request, data: asked.append(request))
    wake(str(device))
    assert bool(asked) == woken
    asked.clear()
    wake(str(device), written_by_nobody=True)
    assert bool(asked) == woken_if_written_by_nobody
    assert set(asked) <= {0x40045612}


@pytest.mark.parametrize(("can", "frames", "fed"), [("capture", 5, True), ("capture", 0, False), ("output", 5, False)])
def test_a_writer_is_known_by_new_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can: str, frames: int, fed: bool
) -> None:
    """A frame from before does not count. A pipe stands in for the device: both are empty until something is sent."""
    pipe = tmp_path / "video10"
    os.mkfifo(pipe)
    other_end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    os.write(other_end, b"x")

    def send() -> None:
        for _ in range(frames):
            time.sleep(0.1)
            os.write(other_end, b"x")

    monkeypatch.setattr(v4l2, "_query", lambda path: ("v4l2 loopback", frozenset({can}), ""))
    thread = threading.Thread(target=send)
    thread.start()
    assert is_fed(str(pipe), 0.6) == fed
    thread.join()
    os.close(other_end)


def test_a_device_that_cannot_be_read_counts_as_fed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better refused than a second writer."""
    monkeypatch.setattr(v4l2, "_query", lambda path: ("v4l2 loopback", frozenset({"capture"}), ""))
    assert is_fed(str(tmp_path / "missing"))
