"""The seams of the program: one Protocol each, and what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from anonymizer.faces import Face, FaceCrop, Mask, SyntheticFace
from anonymizer.frames import Frame, SafeFrame


class FrameSource(Protocol):
    """Gives frames one after the other. `read` returns None when the source has ended for good,
    and raises InputError or CameraError otherwise. `close` is called exactly once."""

    @property
    def size_px(self) -> tuple[int, int]: ...
    @property
    def fps_hz(self) -> float: ...
    def read(self) -> Frame | None: ...
    def close(self) -> None: ...


class FaceFinder(Protocol):
    """Finds faces. Raises rather than returning () on failure: "no face" is a statement."""

    def find(self, frame: Frame) -> tuple[Face, ...]: ...


class PersonMasker(Protocol):
    """Marks people: (H, W) uint8, 255 = person."""

    def mask(self, frame: Frame) -> Mask: ...


class FaceGenerator(Protocol):
    """Dreams faces: as many answers as crops, in the same order. `size_px` is S of its crops."""

    @property
    def size_px(self) -> int: ...
    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]: ...


class FrameSink(Protocol):
    """Takes safe frames only. `close(ok)` finishes the output, or throws it away when ok is False."""

    def send(self, frame: SafeFrame) -> None: ...
    def close(self, ok: bool) -> None: ...
