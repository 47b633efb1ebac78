"""Anonymizes a video file in two passes, with the whole clip known between them.

The film grows in a folder of its own beside the target; a run that was killed goes on in it, and the result is the
same to the bit. The target appears complete or not at all, and the source is never touched. What fails leaves blank.
"""

from __future__ import annotations

from pathlib import Path

from anonymizer.adapters.safe_write import check_target, sweep
from anonymizer.checkpoints import CheckpointRenderer
from anonymizer.resume import WorkFolder
from anonymizer.two_passes import ClipObserver, FrameRenderer, OnProgress, StageSeconds, TwoPasses
from anonymizer.video_job import VideoJob
from anonymizer.video_report import VideoOptions, VideoReport

__all__ = [
    "ClipObserver",
    "FrameRenderer",
    "OnProgress",
    "StageSeconds",
    "VideoOptions",
    "VideoReport",
    "anonymize_video",
]


def anonymize_video(
    source: Path,
    target: Path,
    observer: ClipObserver,
    renderer: FrameRenderer,
    options: VideoOptions | None = None,
    on_progress: OnProgress | None = None,
    work: WorkFolder | None = None,
    secret: bytes | None = None,
) -> VideoReport:
    """Write `source` with its faces replaced to `target`.

    work: the folder to be at work in, with what an earlier run left there; it is removed in any case but a kill.
    secret: to be kept there for the next run. Raises InputError, SinkError, ConfigError, or what the observer raises.
    """
    options = options or VideoOptions()
    try:
        real = check_target(target, [source], options.overwrite)
        sweep(real.parent)
        with VideoJob(source, target, options) as job:
            work = work or WorkFolder(real)
            checkpoints = CheckpointRenderer(renderer, options.segment_frames)
            passes = TwoPasses(observer, checkpoints, options.queue_frames, on_progress)
            return job.run(passes, checkpoints, work, secret)
    finally:
        if work is not None:
            work.remove()
