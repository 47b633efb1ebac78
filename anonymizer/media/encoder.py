"""Encodes safe frames, segment by segment: each begins anew, so that a broken-off run can go on at the next.

What a segment becomes depends on its frames alone, not on those before it: encoding goes on bit by bit as if it had
never stopped. Time stamps of decoding are counted here, over all segments, since an encoder knows only its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from av import CodecContext
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from anonymizer.clip import UNSPECIFIED, ClipInfo
from anonymizer.frames import SafeFrame
from anonymizer.media.codecs import Codec, encoder_options
from anonymizer.media.colour import FromRgb, even_sized

_FIRST_IN = 5
_SEI_UNIT = 6  # H.264 unit in which x264 writes its version and settings


@dataclass(frozen=True, slots=True)
class Segment:
    """ticks: when its frames are shown, rising. ranks: of each packet, in order of decoding, which frame it is."""

    ticks: tuple[int, ...]
    ranks: tuple[int, ...]


def segment_of(packets: Sequence[Packet[Any]], ticks: Sequence[int]) -> Segment:
    """By the encoder's own pts. A film's are not asked: muxers have been seen to shift them."""
    order = sorted(range(len(packets)), key=lambda i: packets[i].pts or 0)
    ranks = [0] * len(packets)
    for rank, i in enumerate(order):
        ranks[i] = rank
    return Segment(tuple(ticks), tuple(ranks))


def begins_segment(frame: int, every: int) -> bool:
    """Whether a segment begins with this frame: every so many; those of the first are in fifths, so that there is
    soon something to play."""
    return frame % (max(1, every // _FIRST_IN) if frame < every else every) == 0


def segment_sizes(frames: int, every: int) -> list[int]:
    """Frames of each segment of a film that ends where one begins."""
    starts = [frame for frame in range(frames + 1) if begins_segment(frame, every)]
    return [end - start for start, end in pairwise(starts)]


class SegmentEncoder:
    """Makes packets of frames. Used by one thread at a time.

    The output stream's own encoder makes the first segment, fresh ones the others. Raises av.FFmpegError.
    """

    def __init__(
        self, container: OutputContainer, info: ClipInfo, codec: Codec, crf: int, speed: str, threads: int
    ) -> None:
        if codec.name == "av1":
            os.environ.setdefault("SVT_LOG", "-1")  # else SVT-AV1 tells its settings on stderr
        self._info, self._codec, self._threads = info, codec, threads
        self._options = encoder_options(codec, info, crf, speed, threads)
        self._rate = Fraction(info.fps_hz).limit_denominator(1001)
        stream = container.add_stream(codec.encoder, rate=self._rate, options=self._options)
        assert isinstance(stream, VideoStream)
        self.stream = stream
        self._context: VideoCodecContext | None = self.stream.codec_context
        self._set_up(self._context)
        self.stream.time_base = info.time_base
        self._from_rgb = FromRgb(info.colour)
        self._strip: BitStreamFilterContext | None = None
        self._packets: list[Packet[Any]] = []

    def add(self, frame: SafeFrame, tick: int) -> None:
        """Encode one frame of the current segment, to be shown at `tick`."""
        if self._context is None:
            self._context = self._fresh()
        deep = frame.depth.rgb16 if frame.depth is not None and self._info.deep else frame.rgb
        picture = self._from_rgb(even_sized(deep), self._pix_fmt())
        picture.pts, picture.time_base = tick, self._info.time_base
        self._packets += self._context.encode(picture)

    def end(self) -> list[Packet[Any]]:
        """The segment's packets in order of decoding, with pts only; the next frame begins a new segment."""
        if self._context is None:
            return []
        self._packets += self._context.encode(None)
        self._context = None
        packets, self._packets = self._packets, []
        return [stripped for packet in packets for stripped in self._stripped(packet)]

    def _stripped(self, packet: Packet[Any]) -> Sequence[Packet[Any]]:
        if self._codec.name != "h264":
            return [packet]
        if self._strip is None:
            self._strip = BitStreamFilterContext(f"filter_units=remove_types={_SEI_UNIT}", self.stream)
        return self._strip.filter(packet)

    def _fresh(self) -> VideoCodecContext:
        context = CodecContext.create(self._codec.encoder, "w")
        assert isinstance(context, VideoCodecContext)
        context.options = self._options
        context.framerate = self._rate
        self._set_up(context)
        if self.stream.codec_context.flags & Flags.global_header:
            context.flags |= Flags.global_header
        return context

    def _set_up(self, context: VideoCodecContext) -> None:
        info, colour = self._info, self._info.colour
        width, height = info.size_px
        context.width, context.height = width + width % 2, height + height % 2
        context.pix_fmt = self._pix_fmt()
        context.thread_count = self._threads
        context.time_base = info.time_base
        context.sample_aspect_ratio = info.pixel_aspect
        # A picture turned upright has another height, from which players would guess another matrix.
        guess_changes = info.turned and colour.matrix == UNSPECIFIED
        context.colorspace = colour.assumed_matrix if guess_changes else colour.matrix
        context.color_range = colour.colour_range
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer

    def _pix_fmt(self) -> str:
        return "yuv420p10le" if self._info.deep else "yuv420p"


def as_encoded(packet: Packet[Any], codec: Codec) -> Packet[Any]:
    """A packet that was read back from an MP4, as its encoder had given it.

    There each H.264 or HEVC unit has its length in front, 4 bytes; from an encoder it has a start code.
    """
    content = bytes(packet)
    if codec.name != "av1":
        units, at = [], 0
        while at + 4 <= len(content):
            length = int.from_bytes(content[at : at + 4], "big")
            units.append(b"\0\0\0\1" + content[at + 4 : at + 4 + length])
            at += 4 + length
        content = b"".join(units)
    copy: Packet[Any] = Packet(content)
    copy.pts, copy.dts, copy.time_base, copy.is_keyframe = packet.pts, packet.dts, packet.time_base, packet.is_keyframe
    return copy


class DecodingTimes:
    """Counts dts for packets of segment after segment: the times of showing in order, `reorder` frames late."""

    def __init__(self, reorder: int) -> None:
        self._reorder = reorder
        self._ticks: list[int] = []
        self._given = 0
        self._last_step = 1

    def stamp(self, packets: Sequence[Packet[Any]], segment: Segment, next_tick: int | None) -> None:
        """Set pts, dts and duration of a whole segment's packets. next_tick: when the frame after it is shown, if
        known."""
        ticks = segment.ticks
        if len(packets) != len(ticks):
            raise ValueError(f"expected a packet for each of {len(ticks)} frames, got {len(packets)}")
        ends = [*ticks[1:], next_tick if next_tick is not None else ticks[-1] + self._step(ticks)]
        self._ticks += ticks
        for packet, rank in zip(packets, segment.ranks, strict=True):
            packet.pts, packet.duration = ticks[rank], ends[rank] - ticks[rank]
        self._last_step = ends[-1] - ticks[-1]
        for packet in packets:
            packet.dts = self._dts(self._given - self._reorder)
            self._given += 1
            if packet.pts is None or packet.dts > packet.pts:
                raise ValueError(f"expected decoding before showing, got dts {packet.dts} and pts {packet.pts}")

    def _dts(self, place: int) -> int:
        if place >= 0:
            return self._ticks[place]
        return self._ticks[0] + place * self._step(self._ticks)

    def _step(self, ticks: Sequence[int]) -> int:
        return ticks[1] - ticks[0] if len(ticks) > 1 else self._last_step
