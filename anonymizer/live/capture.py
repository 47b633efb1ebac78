"""The capture thread: reads the camera as fast as it gives, keeps the newest frame only, finds a lost camera again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from anonymizer.errors import AnonymizerError, CameraError
from anonymizer.frames import Frame
from anonymizer.live.shared import Shared
from anonymizer.live.states import LiveState
from anonymizer.stages import FrameSource

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0  # before a lost camera is tried again; doubled each time

OpenSource = Callable[[], FrameSource]


class Capture:
    """Owns the source and closes it. open_again: None for a source that cannot come back."""

    def __init__(self, source: FrameSource, open_again: OpenSource | None, shared: Shared) -> None:
        self._source: FrameSource | None = source
        self._open_again, self._shared = open_again, shared
        self._index = 0
        self._bad_in_a_row = 0

    def run(self) -> None:
        """Until the source ends, or the run does."""
        shared = self._shared
        try:
            while not shared.stopping.is_set() and self._source is not None:
                try:
                    self._read_all(self._source)
                    return
                except CameraError as error:
                    self._lost(error)
        except Exception as error:  # noqa: BLE001  outside a frame: the run ends, blank
            shared.end(error if isinstance(error, AnonymizerError) else CameraError(f"camera: {type(error).__name__}"))
        finally:
            self._close()

    def _read_all(self, source: FrameSource) -> None:
        shared = self._shared
        while not shared.stopping.is_set():
            before_s = time.thread_time()
            try:
                frame = source.read()
            except CameraError:
                raise
            except Exception as error:  # noqa: BLE001  one frame; a source that goes on failing is opened anew
                self._bad(type(error).__name__)
                continue
            if frame is None:
                shared.source_ended.set()
                return
            if (frame.rgb.shape[1], frame.rgb.shape[0]) != shared.options.size_px:
                self._bad(f"frame of {frame.rgb.shape[1]}×{frame.rgb.shape[0]} px")
                continue
            self._bad_in_a_row = 0
            shared.metrics.captured((time.thread_time() - before_s) * 1e3)
            self._put(frame)

    def _put(self, frame: Frame) -> None:
        """Frames are numbered here, so that numbers rise also across a camera that was opened again."""
        shared = self._shared
        shared.raw_frame = frame if shared.raw_wanted.is_set() else None
        shared.frames.put(replace(frame, index=self._index))
        self._index += 1

    def _bad(self, why: str) -> None:
        shared = self._shared
        self._bad_in_a_row += 1
        shared.metrics.failed("capture")
        shared.tell(LiveState.FAILED, f"capture: {why}")
        shared.outgoing.put(shared.blank(LiveState.FAILED, f"capture: {why}"))
        if self._bad_in_a_row >= shared.options.most_failures:
            self._bad_in_a_row = 0
            raise CameraError(f"the camera gave {shared.options.most_failures} frames in a row that cannot be used")
        shared.stopping.wait(0.01)  # a source that fails at once must not spin

    def _lost(self, error: CameraError) -> None:
        """Blank, close, and try again with growing waits; the run ends if the source cannot come back."""
        shared = self._shared
        self._close()
        if self._open_again is None:
            raise error
        wait_s = FIRST_WAIT_S
        why = str(error)
        while not shared.stopping.is_set():
            words = f"{why}; next try in {wait_s:.1f} s"
            shared.tell(LiveState.NO_CAMERA, words)
            shared.outgoing.put(shared.blank(LiveState.NO_CAMERA, words))
            if shared.stopping.wait(wait_s):
                return
            try:
                self._source = self._open_again()
                return
            except CameraError as again:
                why = str(again)
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
