"""Photos between their file and the pipeline: one page's pixels, and what of the file may live on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.frames import Depth, RgbImage

Alpha = npt.NDArray[np.uint8]
"""(H, W) uint8, 255 = opaque."""


@dataclass(frozen=True, slots=True)
class Dates:
    """When a photo was taken, as EXIF writes it. taken: YYYY:MM:DD hh:mm:ss. offset: ±hh:mm from UTC, or None."""

    taken: str
    offset: str | None


@dataclass(frozen=True, slots=True, eq=False)
class StillImage:
    """One page of a photo, upright.

    rgb: (H, W, 3) uint8. alpha: (H, W) uint8, 255 = opaque, or None. icc_profile: of the pixels, or None.
    grey: the three channels are one. depth: where the file has 16 bits. duration_ms: in an animation.
    """

    rgb: RgbImage
    alpha: Alpha | None
    icc_profile: bytes | None
    grey: bool = False
    depth: Depth | None = None
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class StillWriting:
    """What is written beside the pixels. mark: where faces were replaced. loop: how often an animation is shown,
    as Pillow has it: 0 = for ever, None = once."""

    mark: bool = False
    dates: Dates | None = None
    loop: int | None = 0


def depth_of_16bit(rgb16: npt.NDArray[np.uint16]) -> Depth:
    """A 16-bit picture whose values lie as those of an 8-bit one: 257 steps to each of its steps."""
    to_8bit = ((np.arange(65536, dtype=np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    from_8bit = (np.arange(256) * 257).astype(np.uint16)
    return Depth(rgb16, to_8bit, from_8bit)


def on_white(rgb: RgbImage, alpha: Alpha) -> RgbImage:
    """The picture as it is seen in front of white."""
    share = alpha[..., None].astype(np.float32) / 255
    return np.rint(rgb * share + 255 * (1 - share)).astype(np.uint8)
