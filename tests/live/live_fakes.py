"""Stand-ins for a live run: a camera that gives numbered frames at a pace, planners and sinks that can fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.live.session import LiveParts, LiveSession
from anonymizer.live.shared import LiveOptions
from anonymizer.live.states import LiveEvent
from anonymizer.stages import FrameSink, FrameSource
from anonymizer.two_passes import FrameRenderer
from tests.fakes import ONE_FACE, PassThrough, safe

SIZE_PX = (8, 6)


class Pace:
    """A camera of `fps_hz`, whose frames have the grey value 100 + index % 100. Ends after `count`, if given."""

    def __init__(self, count: int | None = None, fps_hz: float = 100.0) -> None:
        self.count, self.fps_hz, self.size_px = count, fps_hz, SIZE_PX
        self.index, self.closed = 0, 0
        self._due_s = time.monotonic()

    def read(self) -> Frame | None:
        if self.index == self.count:
            return None
        self._due_s = max(self._due_s + 1 / self.fps_hz, time.monotonic())
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self.index += 1
        rgb = np.full((SIZE_PX[1], SIZE_PX[0], 3), 100 + self.index % 100, np.uint8)
        return Frame(rgb, self.index - 1, time.monotonic())

    def close(self) -> None:
        self.closed += 1


@dataclass
class Plan:
    """Plans one face for each frame; `act` may do anything at a frame first."""

    act: Callable[[Frame], None] = lambda frame: None
    faces: tuple[PlannedFace, ...] | None = ONE_FACE
    closed: int = 0

    def plan(self, frame: Frame) -> tuple[PlannedFace, ...] | None:
        self.act(frame)
        return self.faces

    def close(self) -> None:
        self.closed += 1


class Covers(PassThrough):
    """Replaces each frame by a grey of 50, so that a test can tell it from the raw one."""

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        if frame.index in self.fail_at:
            raise self.error
        return safe(frame, np.full_like(frame.rgb, 50), Verdict.REPLACED, len(faces))


@dataclass
class Recorder:
    """A sink that keeps when it got what. `act` may do anything before a frame is taken."""

    act: Callable[[SafeFrame], None] = lambda frame: None
    sent: list[tuple[float, SafeFrame]] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)

    def send(self, frame: SafeFrame) -> None:
        self.act(frame)
        self.sent.append((time.monotonic(), frame))

    def close(self, ok: bool) -> None:
        self.closed.append(ok)

    @property
    def verdicts(self) -> list[Verdict]:
        return [frame.verdict for _, frame in self.sent]

    def brightest(self) -> int:
        return max(int(frame.rgb.max()) for _, frame in self.sent)


@dataclass
class Run:
    """A session with what it was made of."""

    session: LiveSession
    sink: Recorder
    events: list[LiveEvent]

    def states(self) -> list[str]:
        return [event.state.value for event in self.events]

    def until(self, seen: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Wait until `seen`; False when it did not come."""
        end_s = time.monotonic() + seconds
        while not seen() and time.monotonic() < end_s:
            time.sleep(0.005)
        return seen()


def running(
    source: FrameSource | None = None,
    planner: Plan | None = None,
    renderer: FrameRenderer | None = None,
    sink: Recorder | None = None,
    open_again: Callable[[], FrameSource] | None = None,
    **options: float,
) -> Run:
    """A started session over fakes."""
    sink = sink or Recorder()
    events: list[LiveEvent] = []
    parts = LiveParts(source or Pace(), open_again, planner or Plan(), renderer or Covers(), sink)
    session = LiveSession(parts, LiveOptions(SIZE_PX, **({"fps_hz": 100.0} | options)), events.append)  # type: ignore[arg-type]
    session.start()
    return Run(session, sink, events)


def live_threads() -> list[str]:
    names = {"capture", "perceive", "render", "send", "watch"}
    return [thread.name for thread in threading.enumerate() if thread.name in names]


__all__ = ["SIZE_PX", "Covers", "FrameSink", "Pace", "Plan", "Recorder", "Run", "live_threads", "running"]
