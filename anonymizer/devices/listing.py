"""What `anonymizer devices` tells: cameras by name, virtual cameras with their state, and what is missing."""

from __future__ import annotations

import importlib.util
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from anonymizer.devices import advice, v4l2

SYSTEM: str = sys.platform
OLD_LOOPBACK = "0.13.2"  # before it a second start needs the cure in v4l2.wake, and sizes can be stuck silently


@dataclass(frozen=True, slots=True)
class CameraLine:
    """name: for --camera. place: number or path. problem: why it cannot be opened, if that is known."""

    name: str
    place: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class VirtualLine:
    """name: for --device. state: ready, in use, asleep (woken at the next start), or why not."""

    name: str
    place: str
    state: str


@dataclass(frozen=True, slots=True)
class DeviceList:
    """missing: sentences; commands: what mends them, in order."""

    cameras: tuple[CameraLine, ...]
    virtual_cameras: tuple[VirtualLine, ...]
    missing: tuple[str, ...]
    commands: tuple[str, ...]


def list_devices() -> DeviceList:
    """Of this machine, now. Opens no camera for pictures."""
    cameras, virtual = _cameras(), _virtual_cameras()
    missing: list[str] = []
    commands: list[str] = []
    if not cameras:
        missing.append("no camera was found; `--camera FILE` plays a video in its place")
    if not virtual:
        missing.append("no virtual camera was found, so `--output virtual` has nowhere to go")
        commands += advice.virtual_camera_commands(SYSTEM, advice.os_release(), _module_there())
    if SYSTEM == "linux":
        missing += _linux_notes(virtual)
    return DeviceList(tuple(cameras), tuple(virtual), tuple(missing), tuple(commands))


def _linux_notes(virtual: list[VirtualLine]) -> list[str]:
    notes = []
    version = v4l2.loopback_version()
    if version is not None and _as_numbers(version) < _as_numbers(OLD_LOOPBACK):
        notes.append(
            f"v4l2loopback {version} is old: stop viewers before you change --size; {OLD_LOOPBACK} or newer is better"
        )
    if not virtual and advice.secure_boot_on():
        notes.append(advice.SECURE_BOOT)
    if any("no permission" in line.state for line in virtual):
        notes.append("add yourself to the group video (`sudo usermod -aG video $USER`) and log in again")
    return notes


def _cameras() -> list[CameraLine]:
    if SYSTEM == "linux":
        found = [each for each in v4l2.video_devices() if not each.loopback]
        return [
            CameraLine(each.name, each.path, each.problem) for each in found if each.problem or "capture" in each.can
        ]
    from anonymizer import quiet

    quiet.silence()
    from cv2_enumerate_cameras import enumerate_cameras

    from anonymizer.adapters.camera import BACKENDS

    there = enumerate_cameras(BACKENDS[SYSTEM]) if SYSTEM in BACKENDS else ()
    return [CameraLine(each.name, str(each.index)) for each in there]


def _virtual_cameras() -> list[VirtualLine]:
    if SYSTEM == "linux":
        return [VirtualLine(each.name, each.path, _state(each)) for each in v4l2.loopbacks()]
    import pyvirtualcam

    names = {"obs": "OBS Virtual Camera", "unitycapture": "Unity Video Capture"}
    lines = []
    for backend in pyvirtualcam.camera.BACKENDS:
        try:
            pyvirtualcam.Camera(640, 480, 30, backend=backend, device=names.get(backend)).close()
            lines.append(VirtualLine(names.get(backend, backend), backend, "ready"))
        except (RuntimeError, OSError) as error:
            if "in use" in str(error).lower() or "busy" in str(error).lower():
                lines.append(VirtualLine(names.get(backend, backend), backend, "in use"))
    return lines


def _state(device: v4l2.VideoDevice) -> str:
    if device.problem:
        return device.problem
    said = v4l2.set_format(device.path)
    if device.can == {"capture"}:
        return f"in use, or its writer has just gone ({said})" if said else "in use"
    return "ready" if "output" in device.can else "asleep; the next start wakes it"


def _module_there() -> bool:
    """Is v4l2loopback installed for the running kernel, though not loaded?"""
    if SYSTEM != "linux":
        return False
    folder = Path("/lib/modules") / platform.release()
    return folder.is_dir() and any(folder.rglob("v4l2loopback.ko*"))


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def has_module(name: str) -> bool:
    """Is a Python module installed? Does not import it."""
    return importlib.util.find_spec(name) is not None


__all__ = ["CameraLine", "DeviceList", "VirtualLine", "has_module", "list_devices"]
