"""One live run: four threads over three slots, started, watched, stopped and told of.

    camera ─ capture ─▶ slot ─ perceive ─▶ slot ─ render ─▶ slot ─ send ─▶ sink
             owns the          owns the           calls the         owns the
             source            planner            renderer          sink

What blocks: capture in the camera, each other thread on its slot, for WAKE_S at most. How it ends: `stop`, the
source's end, or an error; then every thread leaves its loop, the sender puts a blank frame out and closes the sink.
A thread that does not end in time is named; all are daemons, so they do not keep the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from anonymizer.errors import FramesFailedError
from anonymizer.frames import RgbImage
from anonymizer.live.adapt import Ladder
from anonymizer.live.capture import Capture, OpenSource
from anonymizer.live.clock import Clock, SystemClock
from anonymizer.live.metrics import WORKING, LiveFigures
from anonymizer.live.sender import Sender
from anonymizer.live.shared import WAKE_S, LiveOptions, OnEvent, Shared
from anonymizer.live.states import LiveState
from anonymizer.live.worker import LivePlan, Perceiver, Renderer
from anonymizer.stages import FrameSink, FrameSource
from anonymizer.two_passes import FrameRenderer

JOIN_S = 3.0
DRAIN_S, DRAIN_LOOK_S = 1.0, 0.02  # for the last frames of a source that ended, and how often to look


@dataclass(frozen=True, slots=True, eq=False)
class LiveParts:
    """What a run is made of. source is open; open_again: None when it cannot come back after it was lost."""

    source: FrameSource
    open_again: OpenSource | None
    planner: LivePlan
    renderer: FrameRenderer
    sink: FrameSink


class LiveSession:
    """Made for one run. `start`, then `wait` or `stop`; the other methods may be called by any thread."""

    def __init__(
        self,
        parts: LiveParts,
        options: LiveOptions,
        on_event: OnEvent | None = None,
        ladder: Ladder | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._shared = Shared(parts.renderer, options, clock or SystemClock(), on_event)
        self._sender = Sender(parts.sink, self._shared)
        stages = {
            "capture": Capture(parts.source, parts.open_again, self._shared).run,
            "perceive": Perceiver(parts.planner, self._shared).run,
            "render": Renderer(self._shared, ladder).run,
            "send": self._sender.run,
            "watch": self._watch,
        }
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in stages.items()]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Until the run has ended, or `seconds` are over; True when it has ended."""
        clock = self._shared.clock
        until_s = float("inf") if seconds is None else clock.now_s() + seconds
        while not self._shared.stopping.is_set():
            left_s = until_s - clock.now_s()
            if left_s <= 0:
                return False
            self._shared.stopping.wait(min(WAKE_S, left_s))  # short, so that Ctrl-C is heard on Windows too
        return True

    def stop(self, join_s: float = JOIN_S) -> list[str]:
        """End the run; the names of threads that did not end within `join_s`."""
        self._shared.end()
        until_s = self._shared.clock.now_s() + join_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.05, until_s - self._shared.clock.now_s()))
        return [thread.name for thread in self._threads if thread.is_alive()]

    @property
    def running(self) -> bool:
        return not self._shared.stopping.is_set()

    @property
    def error(self) -> Exception | None:
        """What ended the run, if it was not asked to end."""
        return self._shared.error

    @property
    def state(self) -> LiveState:
        """What was sent last."""
        return self._sender.state

    @property
    def is_shut(self) -> bool:
        return self._sender.is_shut

    def shut(self, closed: bool) -> None:
        """Close or open the privacy shutter; the sender is woken at once."""
        self._sender.shut(closed)

    def between_frames(self, act: Callable[[], None]) -> None:
        """Have `act` done by the rendering thread, before its next frame."""
        self._shared.between_frames(act)

    def raw(self, wanted: bool) -> RgbImage | None:
        """The camera's newest picture as long as it is wanted. For showing on this very screen; never to be kept."""
        shared = self._shared
        if not wanted:
            shared.raw_wanted.clear()
            shared.raw_frame = None
            return None
        shared.raw_wanted.set()
        frame = shared.raw_frame
        return frame.rgb if frame is not None else None

    def figures(self) -> LiveFigures:
        return self._shared.metrics.figures(self._shared.dropped())

    def _watch(self) -> None:
        """Names a stage that is stuck, and ends the run when it stays so; a stuck camera is waited for."""
        shared, told = self._shared, ""
        while not shared.stopping.wait(WAKE_S / 2):
            stage, busy_s = shared.metrics.busiest()
            if stage in WORKING and busy_s > shared.options.give_up_s:
                shared.end(FramesFailedError(f"{stage} has not answered for {busy_s:.0f} s; the picture was blanked"))
                return
            stuck = stage if busy_s > shared.options.max_age_s else ""
            if stuck == "send" != told:  # the sender itself cannot tell
                shared.tell(LiveState.STALLED, "send: the output does not take frames")
            told = stuck
            if shared.source_ended.is_set():
                self._drain()
                shared.end()
                return

    def _drain(self) -> None:
        """Let the last frames of a source that ended go their way."""
        shared, calm = self._shared, 0
        until_s = shared.clock.now_s() + DRAIN_S
        while calm < 2 and shared.clock.now_s() < until_s and not shared.stopping.wait(DRAIN_LOOK_S):
            waiting = not all(slot.is_empty for slot in (shared.frames, shared.planned, shared.outgoing))
            calm = 0 if waiting or shared.metrics.busiest()[0] else calm + 1


__all__ = ["LiveParts", "LiveSession"]
