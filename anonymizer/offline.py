"""Anonymizes a file: a video in two passes with the whole clip known between them, or one photo.

The target appears complete or not at all, and the source is never touched. What fails leaves blank.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anonymizer.adapters.image_file import check_image_name, read_image, write_image
from anonymizer.adapters.safe_write import check_target, safe_target
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.adapters.video_writer import VideoWriter
from anonymizer.errors import InputError
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, Verdict
from anonymizer.two_passes import (
    ClipObserver,
    FrameRenderer,
    OnProgress,
    PassCounts,
    StageSeconds,
    TwoPasses,
    in_words,
    render_or_blank,
)

__all__ = [
    "ClipObserver",
    "FrameRenderer",
    "ImageReport",
    "OnProgress",
    "StageSeconds",
    "VideoOptions",
    "VideoReport",
    "anonymize_image",
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


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What was written of one photo. failure: why it was blanked, if a stage failed."""

    output: Path
    size_px: tuple[int, int]
    verdict: Verdict
    faces: int
    seconds: float
    failure: str | None


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


def anonymize_image(
    source: Path,
    target: Path,
    plan: Callable[[Frame], tuple[PlannedFace, ...]],
    renderer: FrameRenderer,
    overwrite: bool = False,
) -> ImageReport:
    """Write the photo `source` without its faces to `target`. Raises InputError and SinkError.

    When planning or rendering fails a blank picture is written, and the report says why.
    """
    started_s = time.perf_counter()
    check_image_name(target)
    check_target(target, [source], overwrite)
    still = read_image(source)
    frame = Frame(still.rgb)
    faces, plan_failure = None, None
    try:
        faces = plan(frame)
    except Exception as error:  # noqa: BLE001  fail closed: whatever went wrong, the photo is blanked
        plan_failure = in_words(error)
    safe, failure = render_or_blank(frame, faces, renderer)
    alpha = None if safe.verdict is Verdict.BLANKED else still.alpha  # an outline alone may show a person
    with safe_target(target, [source], overwrite) as part:
        write_image(part, safe, alpha, still.icc_profile)
    height, width = safe.rgb.shape[:2]
    seconds = time.perf_counter() - started_s
    return ImageReport(target, (width, height), safe.verdict, safe.faces, seconds, plan_failure or failure)
