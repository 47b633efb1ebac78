"""What a viewer sees at a moment and why, as one word; and the line that says that it changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from anonymizer.frames import SafeFrame, Verdict


class LiveState(Enum):
    """What is on screen. Everything but COVERED, FALLBACK and NOBODY is a blank picture."""

    STARTING = "STARTING"  # no frame was checked yet
    COVERED = "COVERED"  # every face has a persona
    NOBODY = "NOBODY"  # no witness sees a face
    FALLBACK = "FALLBACK"  # a face is hidden without a persona
    SHUTTER = "SHUTTER"  # the user closed the privacy shutter
    FAILED = "FAILED"  # a stage failed on this frame
    UNSURE = "UNSURE"  # where a lost face is cannot be told
    STALLED = "STALLED"  # a stage has given nothing for too long
    NO_CAMERA = "NO CAMERA"  # the camera gives no frames
    STOPPED = "STOPPED"  # the run has ended


_OF_VERDICT = {
    Verdict.REPLACED: LiveState.COVERED,
    Verdict.NO_FACE: LiveState.NOBODY,
    Verdict.OBSCURED: LiveState.FALLBACK,
    Verdict.BLANKED: LiveState.UNSURE,
}


def state_of(verdict: Verdict) -> LiveState:
    """The state of a frame with this verdict, when nothing else is the matter."""
    return _OF_VERDICT[verdict]


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """A frame for the sender. why: words for the log, never anything of the picture."""

    frame: SafeFrame
    state: LiveState
    why: str = ""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """The state changed. at_s: seconds since the start."""

    at_s: float
    state: LiveState
    why: str = ""

    def line(self) -> str:
        return f"{self.at_s:8.2f} s  {self.state.value}" + (f"  {self.why}" if self.why else "")
