"""What the threads of a run have in common: the slots, the way to blank, and the way to end.

Fails closed: whatever goes wrong with a frame, a blank one is put in its place; five frames in a row that fail end
the run. Only kinds of errors are told, never their messages, which might quote what they were given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anonymizer.errors import FramesFailedError
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame
from anonymizer.live.clock import Clock
from anonymizer.live.metrics import Metrics
from anonymizer.live.slot import LatestSlot
from anonymizer.live.states import LiveEvent, LiveState, Outgoing
from anonymizer.two_passes import FrameRenderer

OnEvent = Callable[[LiveEvent], None]

WAKE_S = 0.1  # how long a thread waits at most before it looks whether the run has ended


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """fps_hz: frames a second sent at most. max_age_s: an older frame is not shown. most_failures: in a row.
    give_up_s: a stage that is busy with one frame for longer ends the run.
    """

    size_px: tuple[int, int]
    fps_hz: float = 30.0
    max_age_s: float = 0.3
    most_failures: int = 5
    give_up_s: float = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class PlannedFrame:
    """A raw frame and what was found in it; None = it cannot be told where its faces are."""

    frame: Frame
    faces: tuple[PlannedFace, ...] | None


class Shared:
    """One run's slots and its end. Thread-safe. on_event: told of states and faults, from any thread."""

    def __init__(
        self, renderer: FrameRenderer, options: LiveOptions, clock: Clock, on_event: OnEvent | None = None
    ) -> None:
        self._on_event = on_event
        self.renderer, self.options, self.clock = renderer, options, clock
        self.metrics = Metrics(clock)
        self.frames: LatestSlot[Frame] = LatestSlot()
        self.planned: LatestSlot[PlannedFrame] = LatestSlot()
        self.outgoing: LatestSlot[Outgoing] = LatestSlot()
        self.stopping = threading.Event()
        self.source_ended = threading.Event()
        self.raw_wanted = threading.Event()  # while somebody compares, inside the window
        self.raw_frame: Frame | None = None
        self._failures_in_a_row = 0
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self._between: list[Callable[[], None]] = []

    @property
    def error(self) -> Exception | None:
        """What ended the run, None when it ended as asked."""
        return self._error

    def end(self, error: Exception | None = None) -> None:
        """Stop all threads; the first error is kept."""
        with self._lock:
            if error is not None and self._error is None and not self.stopping.is_set():
                self._error = error
        self.stopping.set()
        for slot in (self.frames, self.planned):
            slot.close()
        self.outgoing.wake()

    def blank(self, state: LiveState, why: str = "") -> Outgoing:
        """A blank frame of now."""
        width, height = self.options.size_px
        empty = Frame(np.zeros((height, width, 3), np.uint8), -1, self.clock.now_s())
        return Outgoing(self.renderer.blank(empty), state, why)

    def tell(self, state: LiveState, why: str = "") -> None:
        if self._on_event is not None:
            self._on_event(LiveEvent(self.clock.now_s() - self.metrics.started_s, state, why))

    def frame_failed(self, stage: str, why: str) -> None:
        """A frame could not be made safe: a blank one leaves in its place. why: the kind of error."""
        self.metrics.failed(stage)
        self.tell(LiveState.FAILED, f"{stage}: {why}")
        self.outgoing.put(self.blank(LiveState.FAILED, f"{stage}: {why}"))
        with self._lock:
            self._failures_in_a_row += 1
            count = self._failures_in_a_row
        if count >= self.options.most_failures:
            advice = "the picture was blanked; --debug and `anonymizer doctor` may say more"
            self.end(FramesFailedError(f"{count} frames in a row failed, the last in {stage} ({why}); {advice}"))

    def frame_succeeded(self) -> None:
        with self._lock:
            self._failures_in_a_row = 0

    def between_frames(self, act: Callable[[], None]) -> None:
        """Have `act` done by the rendering thread before its next frame."""
        with self._lock:
            self._between.append(act)

    def take_between(self) -> list[Callable[[], None]]:
        with self._lock:
            waiting, self._between = self._between, []
        return waiting

    def dropped(self) -> dict[str, int]:
        """Frames replaced by newer ones, by the stage that did not get to them."""
        return {"perceive": self.frames.dropped, "render": self.planned.dropped, "send": self.outgoing.dropped}
