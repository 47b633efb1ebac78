"""What a video file says of itself, as far as writing it again needs it. No pixels, no tags."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

UNSPECIFIED = 2  # ITU-T H.273: the same code in matrix, primaries and transfer


@dataclass(frozen=True, slots=True)
class ClipColour:
    """How the file's numbers mean colour: H.273 codes, plus what was assumed where it is silent.

    matrix, primaries, transfer: H.273 (1 = BT.709, 5 and 6 = BT.601, 9 = BT.2020, 2 = unspecified).
    colour_range: 0 = unspecified, 1 = limited (16 to 235), 2 = full.
    assumed_matrix, assumed_range: the ones used for decoding and encoding, never unspecified.
    """

    matrix: int
    colour_range: int
    primaries: int
    transfer: int
    assumed_matrix: int
    assumed_range: int


@dataclass(frozen=True, slots=True)
class Mastering:
    """SMPTE ST 2086. red, green, blue, white: CIE 1931 x, y. Luminance in cd/m²."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]
    min_nits: float
    max_nits: float

    def points(self) -> dict[str, tuple[float, float]]:
        """In the order and with the names that encoders want."""
        return {"G": self.green, "B": self.blue, "R": self.red, "WP": self.white}


@dataclass(frozen=True, slots=True)
class HdrValues:
    """content_light: MaxCLL and MaxFALL in cd/m²."""

    mastering: Mastering | None
    content_light: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One audio stream. codec: FFmpeg's short name. rate_hz: samples a second."""

    stream_index: int
    codec: str
    rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """A clip as it is shown, upright.

    size_px: (width, height) after rotation. fps_hz: average. time_base: seconds a tick of the time
    stamps. frame_estimate: from the header or the duration, None when neither is known.
    pixel_aspect: width over height of one pixel, upright. turned: the file asked for a rotation. deep: more than
    8 bits a channel. interlaced: its frames are deinterlaced when read. created: when it was made, as the file says it.
    left_out: what the file holds beside picture, sound and text, in words.
    """

    size_px: tuple[int, int]
    fps_hz: float
    time_base: Fraction
    frame_estimate: int | None
    pixel_aspect: Fraction
    turned: bool
    colour: ClipColour
    audio: tuple[AudioTrack, ...]
    deep: bool = False
    hdr: HdrValues | None = None
    interlaced: bool = False
    created: str | None = None
    left_out: tuple[str, ...] = ()


def swscale_matrix(h273_matrix: int) -> int:
    """The number libswscale gives to an H.273 matrix; BT.601 goes by 5 there whatever its country."""
    return 5 if h273_matrix in (5, 6) else h273_matrix
