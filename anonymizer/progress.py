"""How far a long job is: a value that the driver hands out and the CLI draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PassName = Literal["look", "render"]
"""`look`: faces are found and followed through the whole clip. `render`: they are replaced."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Sent after every frame.

    done, total: frames of this pass; total is an estimate during `look` and None when the file does
    not say. fps: frames a second of this pass so far. left_s: seconds left of this pass, None when
    total is unknown.
    """

    pass_name: PassName
    done: int
    total: int | None
    fps: float
    left_s: float | None


def progress_after(pass_name: PassName, done: int, total: int | None, elapsed_s: float) -> Progress:
    """The progress after `done` frames in `elapsed_s` seconds."""
    fps = done / elapsed_s if elapsed_s > 0 else 0.0
    left_s = max(0, total - done) / fps if total is not None and fps > 0 else None
    return Progress(pass_name, done, total, fps, left_s)
