"""What the checks share: devices, waiting, the programs that write and the programs that look."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from anonymizer.devices.v4l2 import wake

OUT = Path("/out")
CAMERA, WEBCAM, VIVID = "/dev/video10", "/dev/video11", "/dev/video0"
SIZE = (320, 240)
PATIENCE_S = 1800.0
Image = np.ndarray


def said(*words: object) -> None:
    print(*words, flush=True)


def abilities(path: str) -> set[str]:
    """What VIDIOC_QUERYCAP says the device can do now."""
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = fcntl.ioctl(handle, 0x80685600, bytes(104))
    finally:
        os.close(handle)
    bits = struct.unpack("I", answer[88:92])[0]
    return {name for name, bit in (("capture", 1), ("output", 2)) if bits & bit}


def until(seen: Callable[[], object], seconds: float = PATIENCE_S, what: str = "it") -> None:
    end_s = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end_s:
            raise AssertionError(f"{what} did not come in {seconds:.0f} s")
        time.sleep(1)


def is_camera(path: str = CAMERA) -> bool:
    return "capture" in abilities(path)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Killed at the end, whatever happened."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def played(path: Path, device: str = WEBCAM) -> Iterator[subprocess.Popen[bytes]]:
    """A film on a loopback device, again and again, by ffmpeg."""
    wake(device, written_by_nobody=True)
    command = ["ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", str(path), "-f", "v4l2", device]
    with ended(subprocess.Popen(command, stdin=subprocess.DEVNULL)) as process:
        until(lambda: process.poll() is not None or is_camera(device), 120, f"pictures on {device}")
        assert process.poll() is None, f"ffmpeg cannot write to {device}"
        yield process


WRITER = """
import sys, time, numpy as np
from anonymizer.adapters.virtual_camera import VirtualCamera
from anonymizer.errors import SinkError
device, width, height, level, seconds = sys.argv[1], *map(float, sys.argv[2:])
try:
    camera = VirtualCamera(device, (int(width), int(height)), 5)
except SinkError as error:
    print("REFUSED", error, flush=True); sys.exit(4)
print("OPEN", flush=True)
end = time.monotonic() + seconds
while time.monotonic() < end:
    camera._camera.send(np.full((int(height), int(width), 3), int(level), np.uint8)); time.sleep(0.2)
camera.close(True)
"""


class Writer:
    """Sends frames of one grey through our own adapter, in a process of its own. said: OPEN, or the error."""

    def __init__(self, size: tuple[int, int] = SIZE, level: int = 24, seconds: float = 600) -> None:
        command = [sys.executable, "-c", WRITER, CAMERA, *map(str, (*size, level, seconds))]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode().strip()
        if self.said == "OPEN":
            until(is_camera, 60, "the first frame")

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Live:
    """`anonymizer live` as its own process; its lines."""

    def __init__(self, *arguments: str) -> None:
        self.log = OUT / f"live-{time.monotonic():.0f}.log"
        command = [
            sys.executable,
            "-X",
            "faulthandler",
            "-m",
            "tests.e2e.virtual_camera.guest.live",
            "live",
            "--camera",
            WEBCAM,
            "--device",
            CAMERA,
            "--fps",
            "5",
        ]
        command += ["--size", f"{SIZE[0]}x{SIZE[1]}", "--preset", "fast", "--max-age", "30", *arguments]
        self.process = subprocess.Popen(command, stderr=self.log.open("wb"), stdout=subprocess.DEVNULL)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def reached(self, word: str, times: int = 1) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"live ended with {self.process.returncode}: {self.text()[-400:]}")
        return self.text().count(word) >= times

    def end(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(120)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """A check that failed leaves in the log where every thread was."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGABRT if kind else signal.SIGKILL)
            self.process.wait()


class Viewer:
    """OpenCV, looking at a device. Closed at the end, so that no check is left with another's viewer."""

    def __init__(self, path: str = CAMERA) -> None:
        self._capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        self.is_open = self._capture.isOpened()

    def look(self) -> Image | None:
        ok, frame = self._capture.read()
        return np.asarray(frame, np.uint8) if ok else None

    def sees(self, level: int, frames: int = 60) -> bool:
        """Does a frame of this grey come? Not after three waits in vain."""
        waited = 0
        for _ in range(frames):
            frame = self.look()
            if frame is not None and is_blank(frame) and abs(frame.mean() - level) < 6:
                return True
            waited += frame is None
            if waited == 3:
                break
        return False

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()


def by_ffmpeg(count: int) -> list[Image]:
    command = ["ffmpeg", "-loglevel", "error", "-f", "v4l2", "-i", CAMERA, "-frames:v", str(count)]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"], capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()[-200:]
    return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3))


def is_blank(frame: Image) -> bool:
    return int(np.ptp(frame)) < 12
