"""Writes safe frames into a film that grows: whatever ends the run, what is there can be played.

Takes `SafeFrame` only. Of the source nothing but the given tracks goes along: no tags (place, device, dates, names),
chapters, attachments, cover pictures, data or further video streams. Sizes are even in 4:2:0: an odd width or height
grows by one pixel, a copy of the outermost column or row. `anonymizer.adapters.video_finish` makes the final file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import av
from av.container import OutputContainer
from av.packet import Packet

from anonymizer.clip import ClipInfo
from anonymizer.frames import SafeFrame
from anonymizer.media.codecs import SPEEDS, Codec
from anonymizer.media.encoder import DecodingTimes, Segment, SegmentEncoder, as_encoded, begins_segment, segment_of
from anonymizer.media.tracks import SideTracks, start_s
from anonymizer.refusals import refused

SEGMENT_FRAMES = 150
# Each packet is a fragment of its own, so that a killed run loses next to nothing; this film is not the final one.
# (The flag frag_every_frame shifts the times of some packets where sound has ended.)
_LIVE = {
    "movflags": "+frag_keyframe+delay_moov+default_base_moof+skip_trailer",
    "frag_duration": "1",  # µs
    "flush_packets": "1",
    "max_interleave_delta": "500000",  # µs that a packet may wait for a track that has ended
    "fflags": "+bitexact",  # keeps the muxer's own name and version out
}

OnSegment = Callable[[int], None]
"""Called with the number of frames that are in the film, after each segment."""

_T = TypeVar("_T")


class VideoWriter:
    """A FrameSink into a fragmented MP4. Opens it at once, so that what cannot be written is known before any work.

    crf: quality as x264 counts, 0 to 51, less is better; 18 is hard to tell from the source. threads: 0 = as many as
    the encoder likes. sides: sound and the like, those that fit. segments: those that are written. Raises ConfigError
    and SinkError. Used by one thread at a time.
    """

    def __init__(
        self,
        path: Path,
        info: ClipInfo,
        codec: Codec,
        *,
        crf: int = 19,
        speed: str = "veryfast",
        threads: int = 0,
        sides: Sequence[SideTracks] = (),
        segment_frames: int = SEGMENT_FRAMES,
        on_segment: OnSegment = lambda frames: None,
    ) -> None:
        _check_options(crf, speed)
        self._path, self._info, self._codec = path, info, codec
        self._sides, self._on_segment, self._segment_frames = sides, on_segment, segment_frames
        self.segments: list[Segment] = []
        self._ticks: list[int] = []  # of the segment that is being encoded
        self._done = 0  # frames that are in the film
        self._last_tick: int | None = None
        self._closed = False
        self._times = DecodingTimes(codec.reorder)
        self._container: OutputContainer = _guarded(path, lambda: av.open(str(path), "w", format="mp4", options=_LIVE))
        try:
            self._encoder = SegmentEncoder(self._container, info, codec, crf, speed, threads)
            for side in sides:
                side.add_to(self._container, ".mp4")
            _guarded(path, self._container.start_encoding)
        except BaseException:
            self.close(ok=False)
            raise

    def resume(self, packets: Sequence[Packet[Any]], segment: Segment, next_tick: int | None = None) -> None:
        """Begin with the packets of one segment of an earlier film. next_tick: when the frame after it is shown."""
        self._last_tick = segment.ticks[-1]
        self._write([as_encoded(packet, self._codec) for packet in packets], segment, next_tick)

    def send(self, frame: SafeFrame, at_s: float | None = None) -> None:
        """Encode one frame at `at_s`, by default its captured_at_s.

        ValueError when size or time do not fit, TypeError for anything unsafe.
        """
        if not isinstance(frame, SafeFrame):
            raise TypeError(f"only a SafeFrame may be written, got {type(frame).__name__}")
        got_px = (frame.rgb.shape[1], frame.rgb.shape[0])
        if got_px != self._info.size_px:
            raise ValueError(f"expected frames of {_by(self._info.size_px)} px, got {_by(got_px)} px")
        tick = self._tick(frame.captured_at_s if at_s is None else at_s)
        if self._ticks and begins_segment(self._done + len(self._ticks), self._segment_frames):
            self._end_segment(tick)
        _guarded(self._path, lambda: self._encoder.add(frame, tick))
        self._ticks.append(tick)

    def close(self, ok: bool) -> None:
        """Write what is left, or stop as if killed when `ok` is False."""
        if self._closed:
            return
        self._closed = True
        try:
            if ok:
                self._end_segment(None)
                _guarded(self._path, self._write_sides)
        except BaseException:
            ok = False
            raise
        finally:
            self._release(ok)

    def _release(self, ok: bool) -> None:
        for side in self._sides:
            side.close()
        try:
            _guarded(self._path, self._container.close)
        except Exception:
            if ok:
                raise

    def _write_sides(self) -> None:
        for side in self._sides:
            self._container.mux(list(side.until(None)))

    def _end_segment(self, next_tick: int | None) -> None:
        if self._ticks:
            ticks, self._ticks = self._ticks, []
            packets = _guarded(self._path, self._encoder.end)
            self._write(packets, segment_of(packets, ticks), next_tick)

    def _write(self, packets: Sequence[Packet[Any]], segment: Segment, next_tick: int | None) -> None:
        self._times.stamp(packets, segment, next_tick)
        for packet in packets:
            packet.stream, packet.time_base = self._encoder.stream, self._info.time_base
            at_s = start_s(packet)
            for side in self._sides:
                _guarded(self._path, lambda side=side, at_s=at_s: self._container.mux(list(side.until(at_s))))  # type: ignore[misc]
            _guarded(self._path, lambda packet=packet: self._container.mux(packet))  # type: ignore[misc]
        self.segments.append(segment)
        self._done += len(segment.ticks)
        self._on_segment(self._done)

    def _tick(self, captured_at_s: float) -> int:
        tick = round(captured_at_s / float(self._info.time_base))
        if self._last_tick is not None and tick <= self._last_tick:
            last_s = float(self._last_tick * self._info.time_base)
            raise ValueError(f"expected a time after {last_s:.6f} s, got {captured_at_s:.6f} s")
        self._last_tick = tick
        return tick


def _check_options(crf: int, speed: str) -> None:
    if speed not in SPEEDS:
        raise refused("encoder-preset", preset=speed, known=", ".join(SPEEDS))
    if not 0 <= crf <= 51:
        raise refused("encoder-crf", crf=crf)


def _guarded(path: Path, act: Callable[[], _T]) -> _T:
    try:
        return act()
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused("output-unwritable", folder=path.parent, reason=reason) from error


def _by(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]}×{size_px[1]}"
