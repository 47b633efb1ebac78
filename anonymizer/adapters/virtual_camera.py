"""A virtual camera as a FrameSink, by pyvirtualcam: v4l2loopback on Linux, OBS or Unity Capture elsewhere.

The device is always named, never silently another. Its size is checked after opening, because an old driver keeps
another one without a word and shows viewers old picture content. One writer of ours a device: old drivers would let two
in. Every way to fail has its own sentence.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr
from typing import Any

from anonymizer.devices import v4l2
from anonymizer.devices.claim import Claim
from anonymizer.errors import SinkError
from anonymizer.frames import SafeFrame

SYSTEM: str = sys.platform
SEE = "`anonymizer devices` shows what there is and what to do"


class VirtualCamera:
    """Open from the start. device: a path or label on Linux, a name elsewhere; None = the only one there is.

    backend: of pyvirtualcam, for tests and for choosing between OBS and Unity Capture. Raises SinkError. One thread.
    """

    def __init__(self, device: str | None, size_px: tuple[int, int], fps_hz: float, backend: str | None = None) -> None:
        self._size_px = size_px
        loopback = SYSTEM == "linux" and backend in (None, "v4l2loopback")
        self.device = device if device and backend is not None and not loopback else named(device)
        self._claim = Claim(self.device) if loopback else None
        try:
            if self._claim is not None:
                orphaned = self._claim.left_behind and not v4l2.is_fed(self.device)
                v4l2.wake(self.device, written_by_nobody=orphaned)
            self._camera: Any = self._open(fps_hz, backend)
            if self._claim is not None:
                self._check_size()
                self._claim.mark()
        except BaseException:
            self._release()
            raise

    def send(self, frame: SafeFrame) -> None:
        """Show a frame; returns at once, whether anybody looks or not. SinkError when the device is gone."""
        if not isinstance(frame, SafeFrame):
            raise TypeError(f"only a SafeFrame may be sent, got {type(frame).__name__}")
        try:
            self._camera.send(frame.rgb)
        except (RuntimeError, OSError) as error:
            raise SinkError(
                f"the virtual camera {self.device} takes no more pictures; was it unplugged? {SEE}"
            ) from error
        if SYSTEM == "linux" and self.device.startswith("/dev/") and not os.path.lexists(self.device):
            raise SinkError(f"the virtual camera {self.device} is gone; {SEE}")

    def close(self, ok: bool) -> None:
        """Free the device."""
        self._camera.close()
        if self._claim is not None:  # so that the next start works, also while a viewer goes on looking
            v4l2.wake(self.device, written_by_nobody=True)
        self._release()

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()

    def _open(self, fps_hz: float, backend: str | None) -> Any:
        import pyvirtualcam

        if backend is not None and backend not in pyvirtualcam.camera.BACKENDS:
            known = ", ".join(sorted(pyvirtualcam.camera.BACKENDS))
            raise SinkError(f"there is no virtual camera driver called {backend!r} here; known: {known}")
        width, height = self._size_px
        try:
            with redirect_stderr(io.StringIO()):  # a failing Camera also complains from __del__
                return pyvirtualcam.Camera(
                    width, height, fps_hz, fmt=pyvirtualcam.PixelFormat.RGB, device=self.device, backend=backend
                )
        except (RuntimeError, OSError, ValueError) as error:
            raise SinkError(why_not(self.device, str(error), self._size_px)) from error

    def _check_size(self) -> None:
        """The driver may have kept the size that a viewer already has."""
        said = v4l2.set_format(self.device)
        got = v4l2.format_size_px(said) if said else None
        if got is not None and got != self._size_px:
            self._camera.close()
            raise SinkError(
                f"the virtual camera {self.device} stays at {got[0]}×{got[1]}, wanted "
                f"{self._size_px[0]}×{self._size_px[1]}: a program is still looking at it; "
                f"leave the meeting or choose --size {got[0]}x{got[1]}"
            )


def why_not(device: str, message: str, size_px: tuple[int, int]) -> str:
    """pyvirtualcam's complaint as one sentence with the next step."""
    text = message.lower()
    if "permission" in text or "eacces" in text:
        return f"no permission to write to {device}; add yourself to the group video and log in again"
    if "busy" in text or "in use" in text or "already" in text:
        return (
            f"the virtual camera {device} is busy: another program writes to it, or a viewer holds it at another size "
            f"than {size_px[0]}×{size_px[1]}; end that program"
        )
    if "not a video output" in text or "no v4l2loopback" in text:
        return f"{device} cannot be written to now: another program may be writing, or it is no virtual camera; {SEE}"
    if "no such" in text or "not found" in text or "could not be opened" in text or "not installed" in text:
        return f"there is no virtual camera {device}; {SEE}"
    return f"the virtual camera {device} does not open ({message.splitlines()[0]}); {SEE}"


def named(device: str | None) -> str:
    """The device that is meant; SinkError when that is not one."""
    if SYSTEM != "linux":
        return device or "OBS Virtual Camera"
    there = v4l2.loopbacks()
    if not there:
        raise SinkError(f"there is no virtual camera: v4l2loopback is not loaded; {SEE}")
    listed = ", ".join(f"{each.name!r} ({each.path})" for each in there)
    if device is None:
        if len(there) > 1:
            raise SinkError(f"there are several virtual cameras, {listed}; choose one with --device")
        return there[0].path
    matching = [each for each in there if device in (each.path, each.name)]
    if len(matching) != 1:
        raise SinkError(f"the virtual camera {device!r} is not among {listed}")
    return matching[0].path


__all__ = ["VirtualCamera", "why_not"]
