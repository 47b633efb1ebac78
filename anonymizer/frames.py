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
class Frame:
    """A raw frame. Never sent, stored or logged.

    rgb: (H, W, 3) uint8 RGB, made read-only here. index: number in the source, gaps mean drops.
    captured_at_s: seconds on the source's own clock.
    """

    rgb: RgbImage
    index: int = 0
    captured_at_s: float = 0.0

    def __post_init__(self) -> None:
        check_rgb(self.rgb)
        self.rgb.flags.writeable = False


class _PipelineToken:
    """Held by `anonymizer.pipeline` alone."""


@dataclass(frozen=True, slots=True, eq=False)
class SafeFrame:
    """A frame that may leave. Built by the pipeline only.

    rgb: (H, W, 3) uint8 RGB, read-only. faces: how many faces were covered in it.
    """

    rgb: RgbImage
    source_index: int
    captured_at_s: float
    verdict: Verdict
    faces: int
    token: Any

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
