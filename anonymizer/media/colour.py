"""Between a decoder's planes and RGB, both ways, so that what is not changed comes back as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from anonymizer.clip import UNSPECIFIED, ClipColour, swscale_matrix

LIMITED, FULL = 1, 2
# Repeats each chroma sample for its 2×2 pixels, so that averaging them again when writing gives it back.
_EXACT_IN = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
# Rounds instead of cutting off, and averages chroma over 2×2 pixels.
_EXACT_OUT = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_MATRICES = (1, 4, 5, 6, 7, 9)  # H.273 codes that libswscale computes with
_BT709_FROM_HEIGHT_PX = 576  # players take untagged video above standard definition for BT.709
_UNSITED = ("yuv420p", "yuvj420p", "yuv420p10le")


class ToRgb:
    """Planes to RGB of one size. exact: round instead of cutting off."""

    def __init__(self, colour: ClipColour, size_px: tuple[int, int], exact: bool) -> None:
        self._colour, self._size_px, self._exact = colour, size_px, exact
        self._reformatter = VideoReformatter()

    def __call__(self, decoded: VideoFrame, deep: bool = False) -> npt.NDArray[Any]:
        """(H, W, 3), as stored: uint8, or uint16 when `deep`."""
        matrix = swscale_matrix(self._colour.assumed_matrix)
        rgb_frame = self._reformatter.reformat(
            _without_siting(decoded) if self._exact else decoded,
            width=self._size_px[0],
            height=self._size_px[1],
            format="rgb48le" if deep else "rgb24",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=FULL if decoded.format.is_rgb else self._colour.assumed_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT_IN if self._exact else Interpolation.BILINEAR,
            threads=1,
        )
        return np.asarray(rgb_frame.to_ndarray())


class FromRgb:
    """RGB to the planes that an encoder takes."""

    def __init__(self, colour: ClipColour) -> None:
        self._colour = colour
        self._reformatter = VideoReformatter()

    def __call__(self, rgb: npt.NDArray[Any], pix_fmt: str) -> VideoFrame:
        """rgb: (H, W, 3) uint8 or uint16, width and height even."""
        matrix = swscale_matrix(self._colour.assumed_matrix)
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(rgb, format="rgb48le" if rgb.dtype == np.uint16 else "rgb24"),
            format=pix_fmt,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=self._colour.assumed_range,
            interpolation=_EXACT_OUT,
            threads=1,
        )


def clip_colour(first: VideoFrame) -> ClipColour:
    """The colour codes of a decoded frame; RGB sources (GIF) are to be written as BT.709."""
    if first.format.is_rgb or "pal" in first.format.name:
        return ClipColour(1, LIMITED, 1, 1, assumed_matrix=1, assumed_range=LIMITED)
    matrix = 9 if first.colorspace == 10 else int(first.colorspace)  # 10: BT.2020 constant luminance
    assumed_matrix = matrix
    if matrix not in _MATRICES:
        matrix = UNSPECIFIED
        assumed_matrix = 1 if first.height > _BT709_FROM_HEIGHT_PX or first.width >= 1280 else 6
    full = first.format.name.startswith("yuvj") or first.color_range == FULL
    assumed_range = FULL if full else LIMITED
    colour_range = assumed_range if full else int(first.color_range)
    return ClipColour(
        matrix, colour_range, int(first.color_primaries), int(first.color_trc), assumed_matrix, assumed_range
    )


def is_deep(first: VideoFrame) -> bool:
    """Whether it has more than 8 bits a channel."""
    return any(component.bits > 8 for component in first.format.components)


def even_sized(rgb: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The picture with its last column and row doubled where width or height is odd."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _without_siting(decoded: VideoFrame) -> VideoFrame:
    """The same planes without the tag that places chroma samples off the middle of their 2×2 pixels.

    The writer knows no siting; a shift on one side only would wear colour edges down.
    """
    even = decoded.width % 2 == 0 and decoded.height % 2 == 0
    if not even or decoded.format.name not in _UNSITED:
        return decoded
    return VideoFrame.from_ndarray(decoded.to_ndarray(), format=decoded.format.name)
