"""A plain window by OpenCV, for where PySide6 is not installed: shows what is sent; keys for shutter and end.

OpenCV's window may only be touched by the thread that made it, so `send` keeps the newest frame and `pump`, called by
the main thread, shows it. Opening a window without a display ends the whole process, so a child process tries first.
"""

from __future__ import annotations

import subprocess
import sys
import threading

import cv2

from anonymizer.errors import SinkError
from anonymizer.frames import SafeFrame

TITLE = "anonymizer - s: shutter, q: end"
PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
PROBE_TIMEOUT_S = 20.0
ESCAPE = 27


def check_display(probe: str = PROBE) -> None:
    """SinkError when a window cannot be opened here."""
    try:
        tried = subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False)
        works = tried.returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    if not works:
        raise SinkError("there is no display to open a window on; choose --output virtual, none or a file")


class HighguiWindow:
    """A FrameSink. Make it, and call `pump`, in one thread. Raises SinkError when there is no display."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        check_display()
        self._newest: SafeFrame | None = None
        self._lock = threading.Lock()
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        cv2.resizeWindow(TITLE, *size_px)

    def send(self, frame: SafeFrame) -> None:
        if not isinstance(frame, SafeFrame):
            raise TypeError(f"only a SafeFrame may be shown, got {type(frame).__name__}")
        with self._lock:
            self._newest = frame

    def close(self, ok: bool) -> None: ...

    def pump(self) -> str:
        """Show the newest frame; the key that was pressed: "s", "q" (also Escape and closing the window), or ""."""
        with self._lock:
            frame, self._newest = self._newest, None
        if frame is not None:
            cv2.imshow(TITLE, cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(15) & 0xFF
        if key in (ESCAPE, ord("q")) or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return "q"
        return "s" if key == ord("s") else ""

    def destroy(self) -> None:
        """Take the window away; by the thread that made it."""
        cv2.destroyWindow(TITLE)
        cv2.waitKey(1)


__all__ = ["HighguiWindow", "check_display"]
