"""The virtual camera through pyvirtualcam's own seam for back ends: frames arrive byte for byte, failures speak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import pyvirtualcam

from anonymizer.adapters import virtual_camera
from anonymizer.adapters.virtual_camera import VirtualCamera, why_not
from anonymizer.devices import v4l2
from anonymizer.errors import SinkError
from anonymizer.frames import Frame
from tests.clips import gradient
from tests.fakes import safe


class Device:
    """A pyvirtualcam back end that keeps what it gets."""

    sent: ClassVar[list[np.ndarray]] = []
    opened: ClassVar[list[dict[str, Any]]] = []
    closed: ClassVar[int] = 0
    error: ClassVar[str] = ""

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **kw: Any) -> None:
        if Device.error and Device.error != "send":
            raise RuntimeError(Device.error)
        Device.opened.append({"width": width, "height": height, "fps": fps, "device": device})
        self._device = device

    def close(self) -> None:
        Device.closed += 1

    def send(self, frame: np.ndarray) -> None:
        if Device.error == "send":
            raise RuntimeError("error writing frame")
        Device.sent.append(np.array(frame))

    def device(self) -> str:
        return self._device or "?"

    def native_fourcc(self) -> int | None:
        return None


@pytest.fixture
def device() -> Iterator[type[Device]]:
    pyvirtualcam.register_backend("test", Device)
    Device.sent, Device.opened, Device.closed, Device.error = [], [], 0, ""
    yield Device
    del pyvirtualcam.camera.BACKENDS["test"]


def test_frames_arrive_byte_for_byte(device: type[Device]) -> None:
    """RGB, in the size and at the rate asked for, on the device named; closing frees it."""
    camera = VirtualCamera("Anonymizer", (64, 48), 30, backend="test")
    pictures = [gradient((64, 48)), 255 - gradient((64, 48))]
    for n, rgb in enumerate(pictures):
        camera.send(safe(Frame(rgb.copy(), n)))
    camera.close(True)
    assert device.opened == [{"width": 64, "height": 48, "fps": 30, "device": "Anonymizer"}]
    assert len(device.sent) == 2
    assert all(np.array_equal(sent.reshape(48, 64, 3), rgb) for sent, rgb in zip(device.sent, pictures, strict=True))
    assert device.closed == 1


def test_only_safe_frames_are_taken(device: type[Device]) -> None:
    """A raw frame never reaches the driver."""
    camera = VirtualCamera("Anonymizer", (64, 48), 30, backend="test")
    with pytest.raises(TypeError, match="SafeFrame"):
        camera.send(Frame(gradient((64, 48))))  # type: ignore[arg-type]
    assert device.sent == []
    camera.close(False)


def test_a_device_that_vanishes_is_a_sink_error(device: type[Device]) -> None:
    """With the next step."""
    camera = VirtualCamera("Anonymizer", (64, 48), 30, backend="test")
    device.error = "send"
    with pytest.raises(SinkError, match="unplugged"):
        camera.send(safe(Frame(gradient((64, 48)))))
    camera.close(False)


def test_an_unknown_driver_is_refused_by_name() -> None:
    """pyvirtualcam itself gives a bare KeyError."""
    with pytest.raises(SinkError, match="no-such-driver"):
        VirtualCamera("Anonymizer", (64, 48), 30, backend="no-such-driver")


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("Device or resource busy", "busy"),
        ("/dev/video9: Permission denied", "group video"),
        ("No such file or directory", "there is no virtual camera"),
        ("device is not a video output device", "cannot be written to"),
        ("something else", "does not open"),
    ],
)
def test_every_failure_to_open_has_its_own_sentence(
    device: type[Device], message: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each says what to do, and pyvirtualcam's own noise is not heard."""
    device.error = message
    with pytest.raises(SinkError, match=word):
        VirtualCamera("Anonymizer", (64, 48), 30, backend="test")
    assert capsys.readouterr().err == ""
    others = {why_not("x", other, (2, 2)) for other in (message, "Device or resource busy", "something else")}
    assert len(others) >= 2


def test_the_device_is_always_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One: it is taken. Several: the user chooses. None, or another name: refused."""

    def there(*names: str) -> None:
        devices = [v4l2.VideoDevice(f"/dev/video{10 + n}", name, True, frozenset()) for n, name in enumerate(names)]
        monkeypatch.setattr(v4l2, "loopbacks", lambda: tuple(devices))

    monkeypatch.setattr(virtual_camera, "SYSTEM", "linux")
    there("Anonymizer")
    assert virtual_camera.named(None) == "/dev/video10"
    there("Anonymizer", "Other")
    assert virtual_camera.named("Other") == "/dev/video11"
    assert virtual_camera.named("/dev/video10") == "/dev/video10"
    for device in (None, "Nobody"):
        with pytest.raises(SinkError, match="Anonymizer"):
            virtual_camera.named(device)
    there()
    with pytest.raises(SinkError, match="not loaded"):
        virtual_camera.named(None)


@pytest.fixture
def loopback(device: type[Device], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[bool]:
    """VirtualCamera believes that it has a v4l2loopback; for each wake, whether it knew that nobody writes."""
    woken: list[bool] = []

    def wake(path: str, written_by_nobody: bool = False) -> None:
        woken.append(written_by_nobody)

    there = (v4l2.VideoDevice("/dev/video10", "Anonymizer", True, frozenset()),)
    monkeypatch.setattr(virtual_camera, "SYSTEM", "linux")
    monkeypatch.setattr(v4l2, "loopbacks", lambda: there)
    monkeypatch.setattr(v4l2, "wake", wake)
    monkeypatch.setattr(v4l2, "is_fed", lambda path: False)
    monkeypatch.setattr(v4l2, "set_format", lambda path: "YU12:64x48@30")
    monkeypatch.setitem(pyvirtualcam.camera.BACKENDS, "v4l2loopback", Device)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return woken


def test_two_of_ours_never_write_to_one_device(device: type[Device], loopback: list[bool]) -> None:
    """Old drivers would let them; after the first is closed the second may."""
    first = VirtualCamera("Anonymizer", (64, 48), 30, backend="v4l2loopback")
    with pytest.raises(SinkError, match="another anonymizer"):
        VirtualCamera("/dev/video10", (64, 48), 30, backend="v4l2loopback")
    assert len(device.opened) == 1
    first.close(True)
    assert loopback == [False, True], "asleep or not, it is woken at the end: nobody else can write"
    VirtualCamera("Anonymizer", (64, 48), 30, backend="v4l2loopback").close(True)
    assert loopback == [False, True, False, True]


@pytest.mark.parametrize("fed", [False, True])
def test_what_a_killed_run_left_is_woken_unless_another_program_writes_by_now(
    loopback: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fed: bool
) -> None:
    """Its mark tells that what looks like a writer may be none; that no frame comes tells the rest."""
    VirtualCamera("Anonymizer", (64, 48), 30, backend="v4l2loopback").close(True)
    (lock,) = tmp_path.glob("anonymizer-*video10*")
    lock.write_bytes(b"writing")
    monkeypatch.setattr(v4l2, "is_fed", lambda path: fed)
    VirtualCamera("Anonymizer", (64, 48), 30, backend="v4l2loopback").close(True)
    assert loopback == [False, True, not fed, True]


def test_a_size_that_the_driver_kept_is_refused_and_the_device_left_free(
    device: type[Device], loopback: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Viewers would see old picture content; the next start in the right size works."""
    with pytest.raises(SinkError, match="stays at 64×48, wanted 128×96"):
        VirtualCamera("Anonymizer", (128, 96), 30, backend="v4l2loopback")
    assert device.closed == 1
    VirtualCamera("Anonymizer", (64, 48), 30, backend="v4l2loopback").close(True)
