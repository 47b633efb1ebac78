"""A video file in a camera's place: plays at its own pace, in a loop if asked, with a crop that moves.

What it shows is what a camera would: a frame is there when its time has come, not before, and the size is the one
that was asked for. At a loop's seam the picture jumps, as it does when somebody moves a camera.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from anonymizer.errors import InputError
from anonymizer.frames import Frame, RgbImage
from anonymizer.live.clock import Clock, SystemClock
from anonymizer.stages import FrameSource

CROP_SHARE = 0.92  # of the picture that a moving crop shows
CROP_PERIOD_S = 7.3, 5.1  # of its way from side to side and up and down


class FileFeed:
    """A FrameSource over a file. open_file: opens it from its beginning. size_px: of the frames given, None = its own.

    loop: begin again at its end. moving_crop: the view wanders. captured_at_s: when the frame was due, by the clock.
    """

    def __init__(
        self,
        open_file: Callable[[], FrameSource],
        size_px: tuple[int, int] | None = None,
        loop: bool = False,
        moving_crop: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._open, self._loop, self._moving = open_file, loop, moving_crop
        self._clock = clock or SystemClock()
        self._file = open_file()
        self.size_px = size_px or self._file.size_px
        self.fps_hz = self._file.fps_hz
        self._index = 0
        self._offset_s: float | None = None  # from the file's time to the clock's
        self._last_file_s = 0.0

    def read(self) -> Frame | None:
        frame = self._file.read()
        if frame is None:
            if not self._loop:
                return None
            frame = self._from_start()
        rgb = self._view(frame.rgb)
        at_s = self._wait_for(frame.captured_at_s)
        self._index += 1
        return Frame(rgb, self._index - 1, at_s)

    def close(self) -> None:
        self._file.close()

    def _from_start(self) -> Frame:
        self._file.close()
        self._file = self._open()
        frame = self._file.read()
        if frame is None:
            raise InputError("the file has no frame to show")
        if self._offset_s is not None:
            self._offset_s += self._last_file_s + 1 / self.fps_hz - frame.captured_at_s
        return frame

    def _wait_for(self, file_s: float) -> float:
        """When the frame is due. After a hold-up the rest of the file is put off, as a camera does not catch up."""
        now_s = self._clock.now_s()
        if self._offset_s is None:
            self._offset_s = now_s - file_s
        due_s = file_s + self._offset_s
        if now_s > due_s + 1 / self.fps_hz:
            self._offset_s += now_s - due_s
        else:
            self._clock.sleep_until_s(due_s)
        self._last_file_s = file_s
        return self._clock.now_s()

    def _view(self, rgb: RgbImage) -> RgbImage:
        """The part of the picture that has the wanted shape, in the wanted size."""
        height, width = rgb.shape[:2]
        wide, high = self.size_px
        if not self._moving and (width, height) == (wide, high):
            return rgb
        scale = min(width / wide, height / high)
        if self._moving:
            scale = 1.0 if scale * CROP_SHARE >= 1 else scale * CROP_SHARE  # no scaling where the file is large enough
        part_px = min(width, round(wide * scale)), min(height, round(high * scale))
        at_s = self._index / self.fps_hz
        shares = [0.5 + 0.5 * math.sin(2 * math.pi * at_s / s) if self._moving else 0.5 for s in CROP_PERIOD_S]
        x, y = round(shares[0] * (width - part_px[0])), round(shares[1] * (height - part_px[1]))
        part = rgb[y : y + part_px[1], x : x + part_px[0]]
        if part_px == (wide, high):
            return np.ascontiguousarray(part)
        return np.asarray(cv2.resize(part, (wide, high), interpolation=cv2.INTER_LINEAR), np.uint8)
