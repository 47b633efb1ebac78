"""A renderer that notes, at the beginning of each segment, what would be needed to go on from there."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.media.encoder import begins_segment
from anonymizer.plan_state import Memory, RenderState, pack_memory, unpack_memory
from anonymizer.resume import Checkpoint
from anonymizer.two_passes import FrameRenderer

_LETTERS = {Verdict.REPLACED: b"R", Verdict.NO_FACE: b"N", Verdict.OBSCURED: b"O", Verdict.BLANKED: b"B"}


@runtime_checkable
class Remembers(Protocol):
    """A renderer whose frames depend on those before."""

    def memory(self) -> Memory: ...
    def remember(self, memory: Memory) -> None: ...


class CheckpointRenderer:
    """A FrameRenderer around another. every: frames of a segment, as in `begins_segment`.

    Renders in one thread; `taken` and `verdicts` may be asked from another.
    """

    def __init__(self, renderer: FrameRenderer, every: int) -> None:
        self._renderer, self._every = renderer, every
        self._states: dict[int, RenderState] = {}
        self._verdicts = bytearray()

    def go_on(self, checkpoint: Checkpoint, verdicts: bytes) -> None:
        """Begin at a checkpoint of an earlier run."""
        if isinstance(self._renderer, Remembers):
            self._renderer.remember(unpack_memory(checkpoint.state))
        self._states[checkpoint.frames] = checkpoint.state
        self._verdicts[:] = verdicts[: checkpoint.frames]

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        self._note(frame)
        return self._told(self._renderer.render(frame, faces))

    def blank(self, frame: Frame) -> SafeFrame:
        self._note(frame)
        return self._told(self._renderer.blank(frame))

    def taken(self, frames: int) -> Checkpoint | None:
        """The checkpoint after `frames` frames, and forget those before."""
        state = self._states.get(frames)
        for older in [at for at in self._states if at < frames]:
            del self._states[older]
        return None if state is None else Checkpoint(frames, state)

    def verdicts(self, frames: int | None = None) -> bytes:
        """A letter for each of the first frames, or of all."""
        return bytes(self._verdicts[:frames])

    def count(self) -> dict[Verdict, int]:
        """Of all frames, those of an earlier run too."""
        return {verdict: self._verdicts.count(letter) for verdict, letter in _LETTERS.items()}

    def _note(self, frame: Frame) -> None:
        if begins_segment(frame.index, self._every) and frame.index not in self._states:
            memory = self._renderer.memory() if isinstance(self._renderer, Remembers) else ({}, {}, None)
            self._states[frame.index] = pack_memory(memory)

    def _told(self, safe: SafeFrame) -> SafeFrame:
        del self._verdicts[safe.source_index :]  # a frame that failed is told again, as blank
        self._verdicts += _LETTERS[safe.verdict]
        return safe
