"""Sinks that need no device: nowhere, several at once, and a file at the pace at which frames are sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from anonymizer.frames import SafeFrame
from anonymizer.live.clock import Clock
from anonymizer.stages import FrameSink


class NullSink:
    """Takes frames and forgets them; for measuring."""

    def send(self, frame: SafeFrame) -> None:
        if not isinstance(frame, SafeFrame):
            raise TypeError(f"only a SafeFrame may be sent, got {type(frame).__name__}")

    def close(self, ok: bool) -> None: ...


class EverySink:
    """Sends each frame to all; one that fails ends the sending."""

    def __init__(self, sinks: Sequence[FrameSink]) -> None:
        self._sinks = tuple(sinks)

    def send(self, frame: SafeFrame) -> None:
        for sink in self._sinks:
            sink.send(frame)

    def close(self, ok: bool) -> None:
        """Closes all, also when closing one fails; the first error is raised."""
        errors: list[Exception] = []
        for sink in self._sinks:
            try:
                sink.close(ok)
            except Exception as error:  # noqa: BLE001  the others must be closed too
                errors.append(error)
        if errors:
            raise errors[0]


class Records(Protocol):
    """A writer that takes a frame at a time of its own."""

    def send(self, frame: SafeFrame, at_s: float | None = None) -> None: ...
    def close(self, ok: bool) -> None: ...


class RecordingSink:
    """Writes what is sent, when it is sent, so that blanks and pauses are in the file as they were on screen.

    finish: called after the writer is closed, with its ok.
    """

    def __init__(self, writer: Records, clock: Clock, finish: Callable[[bool], None]) -> None:
        self._writer, self._clock, self._finish = writer, clock, finish
        self._first_s: float | None = None
        self._last: SafeFrame | None = None
        self._last_s = -1.0

    def send(self, frame: SafeFrame) -> None:
        if frame is self._last:
            return  # a repeated frame stays on screen by itself
        now_s = self._clock.now_s()
        if self._first_s is None:
            self._first_s = now_s
        at_s = max(now_s - self._first_s, self._last_s + 0.001)
        self._writer.send(frame, at_s)
        self._last, self._last_s = frame, at_s

    def close(self, ok: bool) -> None:
        try:
            self._writer.close(ok)
        finally:
            self._finish(ok)
