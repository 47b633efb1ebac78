"""What `anonymizer doctor` looks at: models, speed, cameras, virtual cameras, the window; and what to do about it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal, TypeVar

import numpy as np

from anonymizer.devices.listing import DeviceList, has_module, list_devices
from anonymizer.errors import AnonymizerError
from anonymizer.settings import Settings

Health = Literal["ok", "note", "fault"]
_T = TypeVar("_T")
WARM_UP, FRAMES = 10, 40
GOOD_FPS = 25.0


@dataclass(frozen=True, slots=True)
class Finding:
    """health: fault = live will not work; note = it will, but. words: what was found. advice: what to do, or empty."""

    name: str
    health: Health
    words: str
    advice: tuple[str, ...] = ()


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding after the other, as they are made. No camera is opened, nothing is sent."""
    yield _models()
    yield from _speed(settings)
    devices = list_devices()
    yield _cameras(devices)
    yield _virtual_cameras(devices)
    yield _window()
    yield _machine()


def _models() -> Finding:
    from anonymizer.weights.locate import registry, weight_bytes

    broken = []
    names = registry()
    for name in names:
        try:
            weight_bytes(name)
        except AnonymizerError as error:
            broken.append(str(error))
    if broken:
        return Finding("models", "fault", "; ".join(broken), ("reinstall the package",))
    return Finding("models", "ok", f"all {len(names)} are there and unchanged")


def _speed(settings: Settings) -> Iterator[Finding]:
    """The sample clip through the live stages, one after the other, on one thread each."""
    try:
        look_ms, make_ms = _stage_ms(settings)
    except AnonymizerError as error:
        yield Finding("speed", "fault", str(error))
        return
    fps_hz = 1e3 / max(look_ms, make_ms)
    words = (
        f"finding {look_ms:.0f} ms, rendering {make_ms:.0f} ms a frame: about {fps_hz:.0f} frames a second, one face"
    )
    slow = fps_hz < GOOD_FPS
    advice = ("close other programs, choose --preset fast, or a smaller --size",) if slow else ()
    yield Finding("speed", "note" if slow else "ok", words, advice)


def _stage_ms(settings: Settings) -> tuple[float, float]:
    """Medians over the sample clip: perceiving and rendering, ms."""
    from anonymizer.adapters.video_reader import VideoReader
    from anonymizer.app import SAMPLE, build_anonymizer
    from anonymizer.live_app import build_planner

    planner, renderer = build_planner(settings), build_anonymizer(settings)
    reader = VideoReader(SAMPLE, 1, exact_colour=False)
    look, make = [], []
    try:
        for frame in islice(iter(reader.read, None), WARM_UP + FRAMES):
            faces, ms = _timed(partial(planner.plan, frame))
            look.append(ms)
            make.append(_timed(partial(renderer.render, frame, faces or ()))[1])
    finally:
        planner.close()
        reader.close()
    return float(np.median(look[WARM_UP:])), float(np.median(make[WARM_UP:]))


def _timed(act: Callable[[], _T]) -> tuple[_T, float]:
    started_s = time.perf_counter()
    answer = act()
    return answer, (time.perf_counter() - started_s) * 1e3


def _cameras(devices: DeviceList) -> Finding:
    usable = [each for each in devices.cameras if not each.problem]
    if usable:
        return Finding("cameras", "ok", ", ".join(f"{each.name} ({each.place})" for each in usable))
    refused = [f"{each.place}: {each.problem}" for each in devices.cameras]
    advice = (
        ("sudo usermod -aG video $USER, then log in again",) if any("permission" in each for each in refused) else ()
    )
    return Finding("cameras", "fault", "; ".join(refused) or "none was found; is it plugged in and allowed?", advice)


def _virtual_cameras(devices: DeviceList) -> Finding:
    if devices.virtual_cameras:
        words = ", ".join(f"{each.name} ({each.place}): {each.state}" for each in devices.virtual_cameras)
        return Finding("virtual camera", "ok", words, tuple(each for each in devices.missing if "v4l2loopback" in each))
    return Finding("virtual camera", "fault", "none was found", devices.commands)


def _window() -> Finding:
    if not has_module("PySide6"):
        return Finding("window", "note", "PySide6 is not installed", ("pip install 'anonymizer[window]'",))
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return Finding("window", "note", "there is no display here")
    return Finding("window", "ok", "can be opened")


def _machine() -> Finding:
    cores = os.cpu_count() or 1
    words = f"{cores} processor cores, Python {sys.version_info.major}.{sys.version_info.minor}, {sys.platform}"
    return Finding("machine", "ok" if cores >= 2 else "note", words)


__all__ = ["Finding", "examine"]
