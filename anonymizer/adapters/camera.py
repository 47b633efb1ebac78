"""A camera or a stream as a FrameSource, by OpenCV with its back end named; RGB, in the size asked for.

Order of settings, as drivers want them: picture format (MJPG, without which USB cameras are slow), size, rate.
"""

from __future__ import annotations

import os
import sys
import time

from anonymizer import quiet
from anonymizer.errors import CameraError
from anonymizer.frames import Frame, RgbImage

quiet.silence()
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")  # else MSMF takes seconds to open

import cv2  # noqa: E402  (after the lines above)
import numpy as np  # noqa: E402

SYSTEM: str = sys.platform
BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
URL_TIMEOUT_MS = 5000
LARGEST_PX = 4096
SEE = "`anonymizer devices` lists cameras"


class Camera:
    """Open from the start, with one frame read. name: number, path, name or part of one, or a URL. CameraError.

    size_px of the frames given is always the one asked for: others are cut to its shape and scaled.
    """

    def __init__(self, name: str, size_px: tuple[int, int], fps_hz: float) -> None:
        self.name = "behind that address" if "://" in name else name  # addresses may hold passwords
        self.size_px, self.fps_hz = size_px, fps_hz
        self._index = 0
        self._capture = _opened(name)
        if "://" not in name:
            _set(self._capture, size_px, fps_hz)
        try:
            self._first: Frame | None = self._read()
        except BaseException:
            self._capture.release()
            raise

    def read(self) -> Frame | None:
        """The next frame; waits for the camera. CameraError when it is gone."""
        first, self._first = self._first, None
        return first if first is not None else self._read()

    def close(self) -> None:
        self._capture.release()

    def _read(self) -> Frame:
        ok, bgr = self._capture.read()
        at_s = time.monotonic()
        if not ok or bgr is None:
            raise CameraError(f"the camera {self.name} gives no pictures; unplugged, or taken by another program?")
        if bgr.ndim != 3 or max(bgr.shape[:2]) > LARGEST_PX:
            got = "×".join(map(str, bgr.shape))
            raise CameraError(f"the camera {self.name} gives pictures of {got}; wanted colour, {LARGEST_PX} px at most")
        self._index += 1
        return Frame(fitted(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)), self.size_px), self._index - 1, at_s)


def fitted(rgb: RgbImage, size_px: tuple[int, int]) -> RgbImage:
    """The middle of the picture in the wanted shape and size."""
    height, width = rgb.shape[:2]
    if (width, height) == size_px:
        return rgb
    scale = min(width / size_px[0], height / size_px[1])
    wide, high = min(width, round(size_px[0] * scale)), min(height, round(size_px[1] * scale))
    x, y = (width - wide) // 2, (height - high) // 2
    part = rgb[y : y + high, x : x + wide]
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size_px, interpolation=method), np.uint8)


def _set(capture: cv2.VideoCapture, size_px: tuple[int, int], fps_hz: float) -> None:
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_px[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_px[1])
    capture.set(cv2.CAP_PROP_FPS, fps_hz)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # not honoured everywhere; the reading thread drains it anyway


def _opened(name: str) -> cv2.VideoCapture:
    if "://" in name:
        capture = cv2.VideoCapture(
            name,
            cv2.CAP_FFMPEG,
            [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, URL_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, URL_TIMEOUT_MS],
        )
        if not capture.isOpened():
            raise CameraError("the stream does not open; check the address and whether it plays elsewhere")
        return capture
    where = place_of(name)
    capture = cv2.VideoCapture(where, BACKENDS.get(SYSTEM, cv2.CAP_ANY))
    if not capture.isOpened():
        capture.release()
        raise CameraError(_why_not(name, where))
    return capture


def place_of(name: str) -> int | str:
    """What OpenCV opens for a name: a number, a path, or the camera whose name holds `name`. CameraError."""
    if name.isdecimal():
        return int(name)
    if name.startswith("/dev/"):
        return name
    from cv2_enumerate_cameras import enumerate_cameras

    there = enumerate_cameras(BACKENDS.get(SYSTEM, cv2.CAP_ANY))
    exact = [each for each in there if each.name.lower() == name.lower()]
    matching = exact or [each for each in there if name.lower() in each.name.lower()]
    places = {each.index: each for each in matching}
    if len(places) == 1 or (exact and places):
        return int(min(places))
    listed = ", ".join(repr(each.name) for each in there) or "none at all"
    raise CameraError(f"{len(places)} cameras are called {name!r}; there are: {listed}. {SEE}")


def _why_not(name: str, where: int | str) -> str:
    path = f"/dev/video{where}" if isinstance(where, int) else where
    if SYSTEM == "linux":
        if not os.path.lexists(path):
            return f"there is no camera {name} ({path}); {SEE}"
        if not os.access(path, os.R_OK | os.W_OK):
            return f"no permission for the camera {path}; add yourself to the group video and log in again"
        return f"the camera {path} does not open: another program may be using it, or it is no camera; {SEE}"
    if SYSTEM == "darwin":
        return (
            f"the camera {name} does not open; allow it in System Settings, Privacy, Camera, for your terminal; {SEE}"
        )
    return f"the camera {name} does not open: missing, in use, or forbidden in Windows' privacy settings; {SEE}"


__all__ = ["BACKENDS", "Camera", "fitted", "place_of"]
