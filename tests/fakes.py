"""Stand-ins that pass through the real doors: sources, sinks, observers and renderers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from anonymizer.faces import Box, PlannedFace
from anonymizer.frames import Frame, RgbImage, SafeFrame, Verdict, _PipelineToken

ONE_FACE = (PlannedFace(slot=0, code=None, cover_box=Box(1, 1, 5, 5)),)

_TOKEN = _PipelineToken()


def safe(frame: Frame, rgb: RgbImage | None = None, verdict: Verdict = Verdict.NO_FACE, faces: int = 0) -> SafeFrame:
    """A safe frame for `frame`; its own pixels, in full depth, unless `rgb` is given."""
    depth = frame.depth if rgb is None else None
    return SafeFrame(frame.rgb if rgb is None else rgb, frame.index, frame.captured_at_s, verdict, faces, _TOKEN, depth)


class PassThrough:
    """A renderer that sends what it gets, which only a test may do. `fail_at`: indices where it raises."""

    def __init__(self, fail_at: Sequence[int] = (), error: BaseException | None = None) -> None:
        self.fail_at, self.error = fail_at, error or RuntimeError("planned")

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        if frame.index in self.fail_at:
            raise self.error
        return safe(frame, verdict=Verdict.OBSCURED if faces else Verdict.NO_FACE, faces=len(faces))

    def blank(self, frame: Frame) -> SafeFrame:
        return safe(frame, np.zeros_like(frame.rgb), Verdict.BLANKED)


@dataclass
class Observer:
    """Sees every frame and plans `faces` for each; `missing`: how many plans it leaves out at the end."""

    faces: tuple[PlannedFace, ...] | None = ()
    missing: int = 0
    error: BaseException | None = None
    seen: list[int] = field(default_factory=list)

    def observe(self, frame: Frame) -> None:
        if self.error:
            raise self.error
        self.seen.append(frame.index)

    def plan(self) -> list[tuple[PlannedFace, ...] | None]:
        return [self.faces] * (len(self.seen) - self.missing)


class Source:
    """Gives `count` grey frames, one a second from `start_s`; then ends, or raises `error`."""

    def __init__(self, count: int, start_s: float = 0.0, error: BaseException | None = None) -> None:
        self.count, self.start_s, self.error = count, start_s, error
        self.index, self.closed = 0, 0

    @property
    def size_px(self) -> tuple[int, int]:
        return 8, 6

    @property
    def fps_hz(self) -> float:
        return 1.0

    def read(self) -> Frame | None:
        if self.index == self.count:
            if self.error:
                raise self.error
            return None
        self.index += 1
        rgb = np.full((6, 8, 3), 100 + self.index, np.uint8)
        return Frame(rgb, self.index - 1, self.start_s + self.index)

    def close(self) -> None:
        self.closed += 1


class Sink:
    """Keeps what it is sent; raises `error` at frame `fail_at`, or on closing when that is -1."""

    def __init__(
        self, fail_at: int | None = None, error: Exception | None = None, on_send: Callable[[], None] | None = None
    ) -> None:
        self.fail_at, self.error, self.on_send = fail_at, error or OSError("disk full"), on_send
        self.frames: list[SafeFrame] = []
        self.closed: list[bool] = []

    def send(self, frame: SafeFrame) -> None:
        if self.on_send:
            self.on_send()
        if len(self.frames) == self.fail_at:
            raise self.error
        self.frames.append(frame)

    def close(self, ok: bool) -> None:
        self.closed.append(ok)
        if ok and self.fail_at == -1:
            raise self.error
