"""Anonymizes a video file in two passes, with the whole clip known between them.

The target appears complete or not at all, and the source is never touched. What fails leaves blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anonymizer.adapters.safe_write import safe_target
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.adapters.video_writer import VideoWriter
from anonymizer.errors import InputError
from anonymizer.frames import Verdict
from anonymizer.two_passes import (
    ClipObserver,
    FrameRenderer,
    OnProgress,
    PassCounts,
    StageSeconds,
    TwoPasses,
)

__all__ = [
    "ClipObserver",
    "FrameRenderer",
    "OnProgress",
    "StageSeconds",
    "VideoOptions",
    "VideoReport",
    "anonymize_video",
]


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """crf: x264 quality, less is better. preset: x264 speed. threads: of decoder and encoder each, 0 = their
    choice. exact_colour: as in VideoReader, for the pass that is written. queue_frames: how far reading runs
    ahead and writing behind.
    """

    overwrite: bool = False
    crf: int = 19
    preset: str = "veryfast"
    threads: int = 0
    exact_colour: bool = True
    queue_frames: int = 3

    def __post_init__(self) -> None:
        if self.threads < 0 or self.queue_frames < 1:
            raise ValueError(f"expected threads >= 0 and queue_frames >= 1, got {self.threads} and {self.queue_frames}")


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What was written. verdicts has every Verdict. damaged_packets: of the source, skipped."""

    output: Path
    frames: int
    size_px: tuple[int, int]
    fps_hz: float
    verdicts: Mapping[Verdict, int]
    seconds: StageSeconds
    audio_streams: int
    audio_damaged: bool
    damaged_packets: int
    failures: int
    first_failure: str | None

    @property
    def frames_per_s(self) -> float:
        """Speed from the first read to the last write, both passes."""
        return self.frames / self.seconds.total_s if self.seconds.total_s > 0 else 0.0


def anonymize_video(
    source: Path,
    target: Path,
    observer: ClipObserver,
    renderer: FrameRenderer,
    options: VideoOptions | None = None,
    on_progress: OnProgress | None = None,
) -> VideoReport:
    """Write `source` with its faces replaced to `target`.

    Raises InputError, SinkError, ConfigError, or what the observer raises.
    """
    options = options or VideoOptions()
    with safe_target(target, [source], options.overwrite) as part:
        opened = [VideoReader(source, options.threads, exact_colour=False)]
        info = opened[0].info
        writer = _open_writer(part, source, opened[0], options)
        passes = TwoPasses(observer, renderer, options.queue_frames, on_progress)
        counts = passes.run(opened[0], lambda: _open_again(source, options, opened), writer, info.frame_estimate)
    return _report(target, opened, writer, counts)


def _open_again(source: Path, options: VideoOptions, opened: list[VideoReader]) -> VideoReader:
    second = VideoReader(source, options.threads, options.exact_colour)
    if second.info != opened[0].info:
        second.close()
        raise InputError(f"{source} was changed while it was read; wait until it is complete")
    opened.append(second)
    return second


def _open_writer(part: Path, source: Path, reader: VideoReader, options: VideoOptions) -> VideoWriter:
    try:
        return VideoWriter(part, reader.info, source, crf=options.crf, preset=options.preset, threads=options.threads)
    except BaseException:
        reader.close()
        raise


def _report(target: Path, readers: list[VideoReader], writer: VideoWriter, counts: PassCounts) -> VideoReport:
    info = readers[0].info
    return VideoReport(
        output=target,
        frames=counts.frames,
        size_px=info.size_px,
        fps_hz=info.fps_hz,
        verdicts=counts.verdicts,
        seconds=counts.seconds,
        audio_streams=writer.audio_streams,
        audio_damaged=writer.audio_damaged,
        damaged_packets=max(reader.damaged_packets for reader in readers),
        failures=counts.failures,
        first_failure=counts.first_failure,
    )
