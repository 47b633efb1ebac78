"""One video from its file to the finished one: look, render into a growing film, finish; or go on where a kill was."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from anonymizer.adapters.audio_pitch import write_pitched
from anonymizer.adapters.audio_tracks import AudioTracks
from anonymizer.adapters.safe_write import safe_target
from anonymizer.adapters.text_tracks import read_text_tracks
from anonymizer.adapters.video_finish import Finish, check_sides, check_video_name, finish_video, frames_in, segments_of
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.adapters.video_writer import VideoWriter
from anonymizer.checkpoints import CheckpointRenderer
from anonymizer.frames import Verdict
from anonymizer.media.codecs import codec_for
from anonymizer.media.encoder import Segment, begins_segment, segment_sizes
from anonymizer.media.subtitles import TextTracks
from anonymizer.refusals import refused
from anonymizer.resume import Checkpoint, WorkFolder
from anonymizer.signing import check_signable
from anonymizer.two_passes import PassCounts, Seen, TwoPasses
from anonymizer.video_report import PITCH_NOTE, VideoOptions, VideoReport


class VideoJob:
    """Opens the source at once. Use it in a with block. Raises InputError, SinkError and ConfigError."""

    def __init__(self, source: Path, target: Path, options: VideoOptions) -> None:
        self._source, self._target, self._options = source, target, options
        self._first = VideoReader(source, options.threads, exact_colour=False)
        self._readers = [self._first]
        self._info = self._first.info
        self._resumed_at: int | None = None
        try:
            self._codec = codec_for(options.codec, self._info)
            check_video_name(target, self._codec)
            if options.sign is not None:
                check_signable(target)
        except BaseException:
            self._first.close()
            raise

    def __enter__(self) -> VideoJob:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers:
            reader.close()

    def run(
        self, passes: TwoPasses, checkpoints: CheckpointRenderer, work: WorkFolder, secret: bytes | None
    ) -> VideoReport:
        """All of it, in `work`."""
        sound = self._sound(work)
        texts = read_text_tracks(self._source)
        if sound is not None:
            check_sides(work.path, self._target, [AudioTracks(sound)])
        if work.plan is not None:
            seen = work.plan.seen()
        else:
            seen = passes.look(self._first, self._info.frame_estimate)
            work.keep_plan(seen, secret)
        film = work.new_film()
        writer, start = self._begin(film, sound, seen, checkpoints, work)
        try:
            again = self._open_again(start)
        except BaseException:
            writer.close(ok=False)
            raise
        counts = passes.render(seen, again, writer, start)
        return self._finish(film, writer, sound, TextTracks(texts), len(texts), checkpoints, counts)

    def _sound(self, work: WorkFolder) -> Path | None:
        """The file to copy sound from."""
        if self._options.audio == "drop" or not self._info.audio:
            return None
        if self._options.audio == "keep":
            return self._source
        pitched = work.path / "sound.mp4"
        write_pitched(self._source, pitched)
        return pitched

    def _begin(
        self, film: Path, sound: Path | None, seen: Seen, checkpoints: CheckpointRenderer, work: WorkFolder
    ) -> tuple[VideoWriter, int]:
        """A writer, which has what can be used of an earlier film, and the number of frames in that."""

        def keep(frames: int) -> None:
            checkpoint = checkpoints.taken(frames)
            if checkpoint is not None:
                kept.append(checkpoint)
                ranks = [rank for segment in writer.segments for rank in segment.ranks]
                work.keep_progress(film, kept, checkpoints.verdicts(frames), ranks)

        kept: list[Checkpoint] = []
        options = self._options
        writer = VideoWriter(
            film,
            self._info,
            self._codec,
            crf=options.crf,
            speed=options.preset,
            threads=options.threads,
            sides=[AudioTracks(sound, only_fitting=True)] if sound is not None else [],
            segment_frames=options.segment_frames,
            on_segment=keep,
        )
        try:
            start = self._take_over(writer, seen, checkpoints, work)
        except BaseException:
            writer.close(ok=False)
            raise
        return writer, start

    def _take_over(self, writer: VideoWriter, seen: Seen, checkpoints: CheckpointRenderer, work: WorkFolder) -> int:
        """Put the earlier film's whole segments first; gives their frames."""
        progress, every = work.progress, self._options.segment_frames
        if progress is None:
            return 0
        old = work.path / progress.film
        there = frames_in(old)
        usable = [at for at in progress.checkpoints if at.frames <= there and begins_segment(at.frames, every)]
        if not usable:
            return 0
        last: Checkpoint = usable[-1]
        checkpoints.go_on(last, progress.verdicts)
        ranks = np.frombuffer(progress.ranks, "<u2").tolist()
        ticks = [round(at_s / float(self._info.time_base)) for at_s in seen.times_s]
        start, sizes = 0, segment_sizes(last.frames, every)
        for packets, size in zip(segments_of(old, sizes), sizes, strict=False):
            here = slice(start, start := start + size)
            writer.resume(packets, Segment(tuple(ticks[here]), tuple(ranks[here])), next(iter(ticks[start:]), None))
        with suppress(OSError):
            old.unlink()
        self._resumed_at = last.frames
        return last.frames

    def _open_again(self, start: int) -> VideoReader:
        again = VideoReader(self._source, self._options.threads, self._options.exact_colour or self._info.deep)
        self._readers.append(again)
        if again.info != self._info:
            raise refused("input-changed", path=self._source)
        again.skip(start)
        return again

    def _finish(
        self,
        film: Path,
        writer: VideoWriter,
        sound: Path | None,
        texts: TextTracks,
        subtitle_tracks: int,
        checkpoints: CheckpointRenderer,
        counts: PassCounts,
    ) -> VideoReport:
        verdicts = checkpoints.count()
        mark = self._options.mark and verdicts[Verdict.REPLACED] + verdicts[Verdict.OBSCURED] > 0
        created = self._info.created if self._options.keep_dates else None
        audio = AudioTracks(sound) if sound is not None else None
        sides = [texts] if audio is None else [audio, texts]
        with safe_target(self._target, [self._source], self._options.overwrite) as part:
            finish_video(film, part, self._codec, writer.segments, self._info.time_base, sides, Finish(mark, created))
            if self._options.sign is not None:
                self._options.sign(part)
            if self._options.keep_dates:
                status = self._source.stat()
                os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
        return VideoReport(
            output=self._target,
            frames=counts.frames,
            size_px=self._info.size_px,
            fps_hz=self._info.fps_hz,
            verdicts=verdicts,
            seconds=counts.seconds,
            audio_streams=audio.count if audio else 0,
            audio_damaged=audio.damaged if audio else False,
            damaged_packets=max(reader.damaged_packets for reader in self._readers),
            failures=counts.failures,
            first_failure=counts.first_failure,
            codec=self._codec.name,
            subtitle_tracks=subtitle_tracks,
            deinterlaced=self._info.interlaced,
            left_out=self._info.left_out,
            marked=mark,
            resumed_at=self._resumed_at,
            voice_note=PITCH_NOTE if self._options.audio == "pitch" and sound is not None else None,
        )
