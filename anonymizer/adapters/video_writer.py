"""Writes safe frames as H.264 in MP4 or MKV, with the source's time stamps, sound and colour codes.

Takes `SafeFrame` only. Of the source file nothing but audio packets is copied: no tags (place, device,
dates, names), subtitles, chapters, attachments, cover pictures or further video streams. H.264 in
4:2:0 has even sizes: an odd width or height grows by one pixel, a copy of the outermost column or row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from anonymizer.clip import UNSPECIFIED, ClipInfo, swscale_matrix
from anonymizer.errors import ConfigError, SinkError
from anonymizer.frames import RgbImage, SafeFrame

X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_FORMAT_OF_SUFFIX = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
# Rounds instead of cutting off, and averages chroma over 2×2 pixels: what was not changed stays as it was.
_EXACT = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_SEI_UNIT = 6  # H.264 unit in which x264 writes its version and settings

_T = TypeVar("_T")


class VideoWriter:
    """A FrameSink into a file, whose name's ending chooses the format. Opens it at once, so that what
    cannot be written is known before any work.

    audio_from: the file whose audio packets are copied bit by bit, their time stamps kept, or None.
    crf: x264's quality, 0 to 51, less is better; 18 is hard to tell from the source. threads: 0 = as
    many as x264 likes. Raises ConfigError and SinkError. Used by one thread at a time.
    """

    def __init__(
        self,
        path: Path,
        info: ClipInfo,
        audio_from: Path | None = None,
        *,
        crf: int = 19,
        preset: str = "veryfast",
        threads: int = 0,
    ) -> None:
        _check_options(path, crf, preset)
        self._path, self._info = path, info
        self._reformatter = VideoReformatter()
        self._last_tick: int | None = None
        self._closed = False
        self._audio: _AudioCopy | None = None
        self._container = _guarded(path, lambda: _create(path))
        try:
            self._video = _add_video(self._container, info, crf, preset, threads)
            if audio_from is not None and info.audio:
                self._audio = _AudioCopy(audio_from, self._container, path)
            _guarded(path, self._container.start_encoding)
            self._strip_sei = BitStreamFilterContext(f"filter_units=remove_types={_SEI_UNIT}", self._video)
        except BaseException:
            self.close(ok=False)
            raise

    @property
    def audio_streams(self) -> int:
        """How many audio streams are copied."""
        return self._audio.streams if self._audio else 0

    @property
    def audio_damaged(self) -> bool:
        """Whether the source's sound broke off before its end."""
        return self._audio is not None and self._audio.damaged

    def send(self, frame: SafeFrame, at_s: float | None = None) -> None:
        """Encode one frame at `at_s`, by default its captured_at_s.

        ValueError when size or time do not fit, TypeError for anything unsafe.
        """
        if not isinstance(frame, SafeFrame):
            raise TypeError(f"only a SafeFrame may be written, got {type(frame).__name__}")
        got_px = (frame.rgb.shape[1], frame.rgb.shape[0])
        if got_px != self._info.size_px:
            raise ValueError(f"expected frames of {_by(self._info.size_px)} px, got {_by(got_px)} px")
        picture = self._picture(even_sized(frame.rgb))
        picture.pts = self._tick(frame.captured_at_s if at_s is None else at_s)
        picture.time_base = self._info.time_base
        _guarded(self._path, lambda: self._mux(self._video.encode(picture)))

    def close(self, ok: bool) -> None:
        """Finish the file, or remove it when `ok` is False."""
        if self._closed:
            return
        self._closed = True
        try:
            if ok:
                _guarded(self._path, self._finish)
        except BaseException:
            ok = False
            raise
        finally:
            self._release(ok)

    def _finish(self) -> None:
        self._mux(self._video.encode(None))
        if self._audio:
            self._container.mux(list(self._audio.until(None)))

    def _release(self, ok: bool) -> None:
        if self._audio:
            self._audio.close()
        try:
            _guarded(self._path, self._container.close)  # writes the index, so it may fail too
        except SinkError:
            if ok:
                raise
        finally:
            if not ok:
                self._path.unlink(missing_ok=True)

    def _mux(self, packets: Sequence[Packet[Any]]) -> None:
        for packet in packets:
            for stripped in self._strip_sei.filter(packet):
                stripped.stream = self._video
                if self._audio:
                    self._container.mux(list(self._audio.until(_start_s(stripped))))
                self._container.mux(stripped)

    def _tick(self, captured_at_s: float) -> int:
        tick = round(captured_at_s / float(self._info.time_base))
        if self._last_tick is not None and tick <= self._last_tick:
            last_s = float(self._last_tick * self._info.time_base)
            raise ValueError(f"expected a time after {last_s:.6f} s, got {captured_at_s:.6f} s")
        self._last_tick = tick
        return tick

    def _picture(self, rgb: RgbImage) -> VideoFrame:
        colour = self._info.colour
        matrix = swscale_matrix(colour.assumed_matrix)
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(rgb, format="rgb24"),
            format="yuv420p",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=colour.assumed_range,
            interpolation=_EXACT,
            threads=1,
        )


class _AudioCopy:
    """Takes the audio packets out of the source and gives them, in order of time, for the target."""

    def __init__(self, source: Path, target: OutputContainer, target_path: Path) -> None:
        self.damaged = False
        limits = {"protocol_whitelist": "file"}
        self._container: InputContainer = av.open(str(source.resolve()), "r", options=limits, metadata_errors="replace")
        try:
            inputs = [stream for stream in self._container.streams.audio if stream.codec_context is not None]
            self._outputs = {stream.index: _add_audio(target, stream, target_path) for stream in inputs}
            self._packets = self._container.demux(inputs)
        except BaseException:
            self._container.close()
            raise
        self._waiting: Packet[Any] | None = None

    @property
    def streams(self) -> int:
        return len(self._outputs)

    def until(self, end_s: Fraction | None) -> Iterator[Packet[Any]]:
        """The packets not given yet that start at or before `end_s`; all when it is None."""
        while (packet := self._waiting or self._next()) is not None:
            self._waiting = packet
            if end_s is not None and _start_s(packet) > end_s:
                return
            self._waiting = None
            packet.stream = self._outputs[packet.stream.index]
            yield packet

    def close(self) -> None:
        self._container.close()

    def _next(self) -> Packet[Any] | None:
        try:
            for packet in self._packets:
                if packet.dts is not None:  # None: the empty packet that ends a stream
                    return packet
        except av.FFmpegError:
            self.damaged = True
        return None


def even_sized(rgb: RgbImage) -> RgbImage:
    """The picture with its last column and row doubled where width or height is odd."""
    height, width = rgb.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _check_options(path: Path, crf: int, preset: str) -> None:
    if path.suffix.lower() not in _FORMAT_OF_SUFFIX:
        raise SinkError(f"cannot write a video named *{path.suffix}; end the output's name with .mp4 or .mkv")
    if preset not in X264_PRESETS:
        raise ConfigError(f"unknown encoder preset {preset!r}; choose one of {', '.join(X264_PRESETS)}")
    if not 0 <= crf <= 51:
        raise ConfigError(f"crf is a quality from 0 to 51, got {crf}")


def _create(path: Path) -> OutputContainer:
    options = {"fflags": "+bitexact"}  # keeps the muxer's own name and version out
    kind = _FORMAT_OF_SUFFIX[path.suffix.lower()]
    if kind in ("mp4", "mov"):
        options["movflags"] = "+faststart"
    return av.open(str(path), "w", format=kind, options=options)


def _add_video(container: OutputContainer, info: ClipInfo, crf: int, preset: str, threads: int) -> VideoStream:
    rate = Fraction(info.fps_hz).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": preset})
    width, height = info.size_px
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    stream.thread_count = threads
    context = stream.codec_context
    stream.time_base = context.time_base = info.time_base
    context.sample_aspect_ratio = info.pixel_aspect
    colour = info.colour
    # A picture turned upright has another height, from which players would guess another matrix.
    guess_changes = info.turned and colour.matrix == UNSPECIFIED
    context.colorspace = colour.assumed_matrix if guess_changes else colour.matrix
    context.color_range = colour.colour_range
    context.color_primaries, context.color_trc = colour.primaries, colour.transfer
    return stream


def _add_audio(target: OutputContainer, source: AudioStream, path: Path) -> AudioStream:
    try:
        return target.add_stream_from_template(source)
    except (av.FFmpegError, ValueError) as error:
        kind = source.codec_context.name
        raise SinkError(f"{path.suffix} cannot hold {kind} sound; end the output's name with .mkv") from error


def _guarded(path: Path, act: Callable[[], _T]) -> _T:
    try:
        return act()
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = path.parent  # the name itself is a passing one
        raise SinkError(f"cannot write the video in {where}: {reason}; check space and permissions there") from error


def _start_s(packet: Packet[Any]) -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _by(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]}×{size_px[1]}"
