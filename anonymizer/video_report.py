"""What may be chosen for a video file, and what is told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anonymizer.adapters.video_writer import SEGMENT_FRAMES
from anonymizer.frames import Verdict
from anonymizer.signing import Sign
from anonymizer.two_passes import StageSeconds

PITCH_NOTE = "the pitch was changed, which disguises a voice and does not anonymize it"


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """crf: quality as x264 counts, less is better. preset: encoder speed. threads: of decoder and encoder each, 0 =
    their choice. exact_colour: as in VideoReader, for the pass that is written. queue_frames: how far reading runs
    ahead and writing behind. mark, keep_dates, sign: as in PhotoOptions. segment_frames: what a kill may cost.
    """

    overwrite: bool = False
    crf: int = 19
    preset: str = "veryfast"
    threads: int = 0
    exact_colour: bool = True
    queue_frames: int = 3
    codec: Literal["auto", "h264", "hevc", "av1"] = "auto"
    audio: Literal["keep", "drop", "pitch"] = "keep"
    mark: bool = True
    keep_dates: bool = False
    sign: Sign | None = None
    segment_frames: int = SEGMENT_FRAMES

    def __post_init__(self) -> None:
        if self.threads < 0 or self.queue_frames < 1:
            raise ValueError(f"expected threads >= 0 and queue_frames >= 1, got {self.threads} and {self.queue_frames}")


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What was written. verdicts has every Verdict. damaged_packets: of the source, skipped. left_out: tracks that were
    not copied, in words. resumed_at: the first frame of this run, where an earlier one had been killed; failures and
    seconds are of this run. voice_note: what a changed pitch is worth.
    """

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
    codec: str = "h264"
    subtitle_tracks: int = 0
    deinterlaced: bool = False
    left_out: tuple[str, ...] = ()
    marked: bool = False
    resumed_at: int | None = None
    voice_note: str | None = None

    @property
    def frames_per_s(self) -> float:
        """Speed of this run from the first read to the last write."""
        done = self.frames - (self.resumed_at or 0)
        return done / self.seconds.total_s if self.seconds.total_s > 0 else 0.0
