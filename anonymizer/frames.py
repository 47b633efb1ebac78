"""A frame before and after: `Frame` may show a face and must not leave; `SafeFrame` may leave.

Only `anonymizer.pipeline` makes a `SafeFrame`: its constructor asks for the pipeline's own token,
so that any other caller fails at once, and sinks accept nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

RgbImage = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, row 0 on top."""


class Verdict(Enum):
    """What was done to a frame before it was allowed to leave."""

    REPLACED = "replaced"  # every face got a persona
    NO_FACE = "no face"  # no witness saw a face
    OBSCURED = "obscured"  # at least one face got the fallback cover instead of a persona
    BLANKED = "blanked"  # nothing of the frame left


@dataclass(frozen=True, slots=True, eq=False)
class Depth:
    """The values of a picture that has more than 8 bits, and how its 8-bit picture stands to them.

    rgb16: (H, W, 3) uint16 RGB, 0 to 65535. to_8bit: (65536,) uint8 and from_8bit: (256,) uint16, rising.
    """

    rgb16: npt.NDArray[np.uint16]
    to_8bit: npt.NDArray[np.uint8]
    from_8bit: npt.NDArray[np.uint16]

    def __post_init__(self) -> None:
        if self.rgb16.dtype != np.uint16 or self.rgb16.ndim != 3 or self.rgb16.shape[2] != 3:
            raise ValueError(f"expected (H, W, 3) uint16, got {self.rgb16.shape} {self.rgb16.dtype}")
        self.rgb16.flags.writeable = False

    def shown(self) -> RgbImage:
        """(H, W, 3) uint8: what the stages see."""
        return np.take(self.to_8bit, self.rgb16)

    def with_changes(self, before: RgbImage, after: RgbImage, hole: npt.NDArray[np.uint8]) -> Depth:
        """The depth of `after`: under `hole` its values alone, elsewhere the old ones moved by what has changed.

        before, after: (H, W, 3) uint8. hole: (H, W), not 0 where nothing of the old values may stay.
        """
        out = self.rgb16.copy()
        changed = (before != after).any(axis=2)
        moved = self.from_8bit[after[changed]].astype(np.int32) - self.from_8bit[before[changed]]
        out[changed] = np.clip(out[changed] + moved, 0, 65535).astype(np.uint16)
        erased = hole > 0
        out[erased] = self.from_8bit[after[erased]]
        return Depth(out, self.to_8bit, self.from_8bit)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A raw frame. Never sent, stored or logged.

    rgb: (H, W, 3) uint8 RGB, made read-only here. index: number in the source, gaps mean drops.
    captured_at_s: seconds on the source's own clock. depth: where the source has more than 8 bits.
    """

    rgb: RgbImage
    index: int = 0
    captured_at_s: float = 0.0
    depth: Depth | None = None

    def __post_init__(self) -> None:
        check_rgb(self.rgb)
        self.rgb.flags.writeable = False


class _PipelineToken:
    """Held by `anonymizer.pipeline` alone."""


@dataclass(frozen=True, slots=True, eq=False)
class SafeFrame:
    """A frame that may leave. Built by the pipeline only.

    rgb: (H, W, 3) uint8 RGB, read-only. faces: how many faces were covered in it. depth: the same picture with
    more than 8 bits, where the source had them; None for a blank one.
    """

    rgb: RgbImage
    source_index: int
    captured_at_s: float
    verdict: Verdict
    faces: int
    token: Any
    depth: Depth | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.token, _PipelineToken):
            raise TypeError("a SafeFrame is made by anonymizer.pipeline only; send frames through Anonymizer")
        check_rgb(self.rgb)
        self.rgb.flags.writeable = False


def check_rgb(rgb: object) -> None:
    """Raise TypeError or ValueError unless `rgb` is a (H, W, 3) uint8 array."""
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8:
        got = rgb.dtype if isinstance(rgb, np.ndarray) else type(rgb).__name__
        raise TypeError(f"expected a uint8 array, got {got}")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise ValueError(f"expected an image of shape (H, W, 3), got {rgb.shape}")
