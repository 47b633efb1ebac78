"""Reads a video file frame by frame, upright, whole and in true colour. Opens local files only.

Rotation tags are applied to the pixels and interlaced pictures made whole, so nothing later has to know of them.
Damaged packets are skipped and counted, as players do; a file with no readable frame is an InputError.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from anonymizer.clip import AudioTrack, ClipInfo, HdrValues
from anonymizer.frames import Frame
from anonymizer.media.colour import ToRgb, clip_colour, is_deep
from anonymizer.media.deinterlace import Deinterlacer, is_interlaced
from anonymizer.media.hdr import HLG, PQ, depth_of, parse_content_light, parse_mastering
from anonymizer.media.subtitles import TEXT_CODECS
from anonymizer.refusals import refused

# Playlists, picture folders and network protocols are left out: a file must not make us open others.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg,apng,yuv4mpegpipe"
_MOST_PX = 89_478_485  # as photos: Pillow's limit
_FALLBACK_FPS_HZ = 25.0


class VideoReader:
    """A FrameSource over a file; open it again for a second pass.

    threads: for decoding, 0 = as many as cores. exact_colour: round instead of cutting off; 6 ms instead of
    1 at 1280×720, and luma comes through unchanged instead of 1.1 of 255 darker. Finding faces does not
    need it. Raises InputError. The thread that reads need not be the one that opened it, but one at a time.
    """

    def __init__(self, path: Path, threads: int = 0, exact_colour: bool = True) -> None:
        self._exact_colour = exact_colour
        self._container = _open(path)
        self.damaged_packets = 0
        try:
            self._stream = _video_stream(self._container, path)
            self._stream.thread_type = "AUTO"
            self._stream.thread_count = threads
            self._decoded = self._decode()
            self._waiting: VideoFrame | None = next(self._decoded, None)
            if self._waiting is None:
                raise refused("video-no-frame", path=path)
            self._turn = _turn(self._waiting)
            self.info = _clip_info(self._container, self._stream, self._waiting, self._turn)
            stored_px = (self._waiting.width, self._waiting.height)
            if stored_px[0] * stored_px[1] > _MOST_PX:
                raise refused(
                    "video-too-large", path=path, size=f"{stored_px[0]}×{stored_px[1]}", limit=f"{_MOST_PX:,}"
                )
            self._to_rgb = ToRgb(self.info.colour, stored_px, exact_colour)
            if self.info.interlaced:
                self._decoded = self._whole(self._waiting, self._decoded)
                self._waiting = None
        except BaseException:
            self._container.close()
            raise
        self._index = 0
        self._last_tick: int | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        return self.info.size_px

    @property
    def fps_hz(self) -> float:
        return self.info.fps_hz

    def read(self) -> Frame | None:
        """The next frame, or None after the last. captured_at_s is the time stamp, always rising."""
        decoded = self._waiting if self._waiting is not None else next(self._decoded, None)
        self._waiting = None
        if decoded is None:
            return None
        tick = self._tick(decoded)
        frame = self._frame(decoded, float(tick * self.info.time_base))
        self._index += 1
        return frame

    def skip(self, count: int) -> None:
        """Leave out the next frames: they are decoded, not made RGB."""
        for _ in range(count):
            decoded = self._waiting if self._waiting is not None else next(self._decoded, None)
            self._waiting = None
            if decoded is None:
                return
            self._tick(decoded)
            self._index += 1

    def close(self) -> None:
        self._decoded.close()  # it holds this reader, and with it the decoder
        self._container.close()
        gc.collect()  # PyAV: a picture whose side data was read holds itself; a clip in a loop grew by it at each turn

    def _decode(self) -> Generator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # the file breaks off here
                self.damaged_packets += 1
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.damaged_packets += 1

    def _whole(self, first: VideoFrame, rest: Iterator[VideoFrame]) -> Generator[VideoFrame]:
        """The decoded pictures, deinterlaced."""
        deinterlacer = Deinterlacer(self._stream)
        yield from deinterlacer.push(first)
        for decoded in rest:
            yield from deinterlacer.push(decoded)
        yield from deinterlacer.push(None)

    def _tick(self, decoded: VideoFrame) -> int:
        """The time stamp in ticks; made up from the frame rate where it is missing or runs back."""
        if decoded.pts is not None:
            tick = round(decoded.pts * (decoded.time_base or self.info.time_base) / self.info.time_base)
            if self._last_tick is not None and tick <= self._last_tick:
                tick = self._last_tick + 1
        elif self._last_tick is None:
            tick = 0
        else:
            tick = self._last_tick + max(1, round(1 / (self.info.fps_hz * self.info.time_base)))
        self._last_tick = tick
        return tick

    def _frame(self, decoded: VideoFrame, at_s: float) -> Frame:
        """Upright. A stream that changes its size is scaled to that of its first frame."""
        if not self.info.deep:
            return Frame(_turned(self._to_rgb(decoded), self._turn), self._index, at_s)
        transfer = self.info.colour.transfer
        if not self._exact_colour and transfer not in (PQ, HLG):
            return Frame(_turned(self._to_rgb(decoded), self._turn), self._index, at_s)
        depth = depth_of(_turned(self._to_rgb(decoded, deep=True), self._turn), transfer)
        return Frame(depth.shown(), self._index, at_s, depth if self._exact_colour else None)


_Turn = tuple[bool, bool, bool]
"""transpose, then flip left to right, then flip top to bottom"""


def _turn(decoded: VideoFrame) -> _Turn:
    """How to bring a stored frame upright, to the nearest quarter turn.

    FFmpeg's display matrix [a b u; c d v; x y w] takes (x, y) to (a x + c y, b x + d y), y down.
    """
    side_data = cast("Iterable[SideData]", decoded.side_data)  # PyAV's stub takes it for a mapping of names
    matrices = [data for data in side_data if data.type == SideDataType.DISPLAYMATRIX]
    if not matrices:
        return False, False, False
    a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(matrices[0]), np.int32)[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


def _turned(rgb: npt.NDArray[Any], turn: _Turn) -> npt.NDArray[Any]:
    transpose, left_right, top_bottom = turn
    if transpose:
        rgb = rgb.transpose(1, 0, 2)
    if left_right:
        rgb = rgb[:, ::-1]
    if top_bottom:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def _open(path: Path) -> InputContainer:
    if not path.is_file():
        raise refused("input-missing", path=path)
    if path.stat().st_size == 0:
        raise refused("input-empty", path=path)
    limits = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        return av.open(str(path.resolve()), "r", options=limits, metadata_errors="replace")
    except PermissionError as error:
        raise refused("input-permission", path=path) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise refused("video-unknown", path=path) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    pictures = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not streams:
        raise refused("video-no-picture", path=path)
    if streams[0].codec_context is None:
        raise refused("video-codec", path=path)
    return streams[0]


def _clip_info(container: InputContainer, stream: VideoStream, first: VideoFrame, turn: _Turn) -> ClipInfo:
    size_px = (first.width, first.height)
    pixel_aspect = stream.sample_aspect_ratio or Fraction(1)
    if pixel_aspect <= 0:
        pixel_aspect = Fraction(1)
    if turn[0]:
        size_px, pixel_aspect = size_px[::-1], 1 / pixel_aspect
    fps_hz = float(stream.average_rate or stream.guessed_rate or 0) or _FALLBACK_FPS_HZ
    return ClipInfo(
        size_px=size_px,
        fps_hz=fps_hz,
        time_base=stream.time_base or Fraction(1, 90_000),
        frame_estimate=_frame_estimate(container, stream, fps_hz),
        pixel_aspect=pixel_aspect,
        turned=any(turn),
        colour=clip_colour(first),
        audio=tuple(
            AudioTrack(
                audio.index, audio.codec_context.name, audio.codec_context.sample_rate, audio.codec_context.channels
            )
            for audio in container.streams.audio
            if audio.codec_context is not None
        ),
        deep=is_deep(first),
        hdr=_hdr_values(first),
        interlaced=is_interlaced(stream, first),
        created=container.metadata.get("creation_time"),
        left_out=_left_out(container, stream),
    )


def _hdr_values(first: VideoFrame) -> HdrValues | None:
    found = {data.type: bytes(data) for data in cast("Iterable[SideData]", first.side_data)}
    values = HdrValues(
        parse_mastering(found.get(SideDataType.MASTERING_DISPLAY_METADATA, b"")),
        parse_content_light(found.get(SideDataType.CONTENT_LIGHT_LEVEL, b"")),
    )
    return values if values.mastering or values.content_light else None


def _left_out(container: InputContainer, stream: VideoStream) -> tuple[str, ...]:
    """What is not copied, in words, in the order of the file."""
    out = []
    for other in container.streams:
        kind, codec = other.type, other.codec_context.name if other.codec_context is not None else "unknown"
        if other is stream or kind == "audio" or (kind == "subtitle" and codec in TEXT_CODECS):
            continue
        if kind == "video":
            cover = bool(cast("VideoStream", other).disposition & av.stream.Disposition.attached_pic)
            out.append("a cover picture" if cover else "another picture track")
        else:
            out.append({"subtitle": "subtitles that are pictures", "data": "a data track"}.get(kind, f"a {kind}"))
    return tuple(out)


def _frame_estimate(container: InputContainer, stream: VideoStream, fps_hz: float) -> int | None:
    if stream.frames > 0:
        return stream.frames
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * fps_hz) or None
    if container.duration:
        return round(container.duration / av.time_base * fps_hz) or None
    return None
