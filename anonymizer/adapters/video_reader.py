"""Reads a video file frame by frame, upright and in true colour. Opens local files only.

Rotation tags are applied to the pixels, so nothing later has to know of them. Damaged packets are
skipped and counted, as players do; a file with no readable frame is an InputError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from anonymizer.clip import UNSPECIFIED, AudioTrack, ClipColour, ClipInfo, swscale_matrix
from anonymizer.errors import InputError
from anonymizer.frames import Frame, RgbImage

# Playlists, picture folders and network protocols are left out: a file must not make us open others.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg,apng,yuv4mpegpipe"
_LIMITED, _FULL = 1, 2
# Repeats each chroma sample for its 2×2 pixels, so that averaging them again when writing gives it back.
_EXACT = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_MATRICES = (1, 4, 5, 6, 7, 9)  # H.273 codes that libswscale computes with
_BT709_FROM_HEIGHT_PX = 576  # players take untagged video above standard definition for BT.709
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
                raise InputError(f"no frame of {path} can be decoded; the file is empty or damaged")
            self._turn = _turn(self._waiting)
            self._stored_px = (self._waiting.width, self._waiting.height)
            self.info = _clip_info(self._container, self._stream, self._waiting, self._turn)
        except BaseException:
            self._container.close()
            raise
        self._reformatter = VideoReformatter()
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
        frame = Frame(self._upright_rgb(decoded), self._index, float(tick * self.info.time_base))
        self._index += 1
        return frame

    def close(self) -> None:
        self._container.close()

    def _decode(self) -> Iterator[VideoFrame]:
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

    def _tick(self, decoded: VideoFrame) -> int:
        """The time stamp in ticks; made up from the frame rate where it is missing or runs back."""
        if decoded.pts is not None:
            tick = decoded.pts
            if self._last_tick is not None and tick <= self._last_tick:
                tick = self._last_tick + 1
        elif self._last_tick is None:
            tick = 0
        else:
            tick = self._last_tick + max(1, round(1 / (self.info.fps_hz * self.info.time_base)))
        self._last_tick = tick
        return tick

    def _upright_rgb(self, decoded: VideoFrame) -> RgbImage:
        """(H, W, 3) uint8. A stream that changes its size is scaled to that of its first frame."""
        colour = self.info.colour
        matrix = swscale_matrix(colour.assumed_matrix)
        rgb_frame = self._reformatter.reformat(
            _without_siting(decoded) if self._exact_colour else decoded,
            width=self._stored_px[0],
            height=self._stored_px[1],
            format="rgb24",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=_FULL if decoded.format.is_rgb else colour.assumed_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT if self._exact_colour else Interpolation.BILINEAR,
            threads=1,
        )
        return _turned(np.asarray(rgb_frame.to_ndarray(), np.uint8), self._turn)


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


def _turned(rgb: RgbImage, turn: _Turn) -> RgbImage:
    transpose, left_right, top_bottom = turn
    if transpose:
        rgb = rgb.transpose(1, 0, 2)
    if left_right:
        rgb = rgb[:, ::-1]
    if top_bottom:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def _without_siting(decoded: VideoFrame) -> VideoFrame:
    """The same planes without the tag that places chroma samples off the middle of their 2×2 pixels.

    The writer knows no siting; a shift on one side only would wear colour edges down.
    """
    even = decoded.width % 2 == 0 and decoded.height % 2 == 0
    if not even or decoded.format.name not in ("yuv420p", "yuvj420p"):
        return decoded
    return VideoFrame.from_ndarray(decoded.to_ndarray(), format=decoded.format.name)


def _open(path: Path) -> InputContainer:
    if not path.is_file():
        raise InputError(f"the video {path} does not exist or is not a file; check the name")
    if path.stat().st_size == 0:
        raise InputError(f"the video {path} is empty (0 bytes); record or copy it again")
    limits = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        return av.open(str(path.resolve()), "r", options=limits, metadata_errors="replace")
    except PermissionError as error:
        raise InputError(f"the video {path} may not be read; check its permissions") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{path} is no video that can be read; use MP4, MOV, MKV, WebM, AVI or GIF") from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    pictures = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not streams:
        raise InputError(f"{path} holds no moving picture; use `anonymizer image` for a photo")
    if streams[0].codec_context is None:
        raise InputError(f"the picture of {path} is in a format that cannot be decoded; convert it to H.264 first")
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
    )


def _frame_estimate(container: InputContainer, stream: VideoStream, fps_hz: float) -> int | None:
    if stream.frames > 0:
        return stream.frames
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * fps_hz) or None
    if container.duration:
        return round(container.duration / av.time_base * fps_hz) or None
    return None


def clip_colour(first: VideoFrame) -> ClipColour:
    """The colour codes of a decoded frame; RGB sources (GIF) are to be written as BT.709."""
    if first.format.is_rgb or "pal" in first.format.name:
        return ClipColour(1, _LIMITED, 1, 1, assumed_matrix=1, assumed_range=_LIMITED)
    matrix = 9 if first.colorspace == 10 else int(first.colorspace)  # 10: BT.2020 constant luminance
    assumed_matrix = matrix
    if matrix not in _MATRICES:
        matrix = UNSPECIFIED
        assumed_matrix = 1 if first.height > _BT709_FROM_HEIGHT_PX or first.width >= 1280 else 6
    full = first.format.name.startswith("yuvj") or first.color_range == _FULL
    assumed_range = _FULL if full else _LIMITED
    colour_range = assumed_range if full else int(first.color_range)
    return ClipColour(
        matrix, colour_range, int(first.color_primaries), int(first.color_trc), assumed_matrix, assumed_range
    )
