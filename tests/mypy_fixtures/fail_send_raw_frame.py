"""Must not type-check: a sink takes safe frames, and a raw frame is none."""

from __future__ import annotations

from anonymizer.frames import Frame, SafeFrame
from anonymizer.stages import FrameSink


def send(sink: FrameSink, safe: SafeFrame, raw: Frame) -> None:
    """The first line is right, the second is what must be refused."""
    sink.send(safe)
    sink.send(raw)
