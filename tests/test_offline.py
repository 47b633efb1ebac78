"""Whole files: what is written, what is reported, and that the input is never touched."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from anonymizer.errors import InputError, SinkError
from anonymizer.frames import Verdict
from anonymizer.offline import VideoOptions, VideoReport, anonymize_video
from tests.clips import audio_packets, make_clip, psnr_db, quadrants, read_frames
from tests.fakes import ONE_FACE, Observer, PassThrough

SIZE_PX = (96, 64)
PICTURES = [quadrants(SIZE_PX, step) for step in range(0, 36, 3)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "in.mp4", PICTURES, sound=True, tags=True)


def state(path: Path) -> tuple[str, int, int]:
    """What must not change of the input."""
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, path.stat().st_mode


def run(source: Path, target: Path, renderer: PassThrough | None = None, overwrite: bool = False) -> VideoReport:
    options = VideoOptions(crf=1, overwrite=overwrite)
    return anonymize_video(source, target, Observer(ONE_FACE), renderer or PassThrough(), options)


def test_a_video_is_written_and_reported(tmp_path: Path, source: Path) -> None:
    """Frames, times, sound and verdicts are as in the source; the input is untouched."""
    before = state(source)
    report = run(source, tmp_path / "out.mp4")
    assert state(source) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
    assert (report.frames, report.size_px, report.audio_streams, report.failures) == (12, SIZE_PX, 1, 0)
    assert report.verdicts[Verdict.OBSCURED] == 12
    assert report.output == tmp_path / "out.mp4"
    assert report.fps_hz == pytest.approx(30)
    assert report.frames_per_s > 0
    assert (report.damaged_packets, report.audio_damaged) == (0, False)
    seconds = dataclasses.asdict(report.seconds)
    assert all(spent > 0 for spent in seconds.values())
    assert audio_packets(tmp_path / "out.mp4") == audio_packets(source)
    assert b"PLANTED" not in (tmp_path / "out.mp4").read_bytes()
    for one, other in zip(read_frames(source), read_frames(tmp_path / "out.mp4"), strict=True):
        assert one.captured_at_s == other.captured_at_s
        assert psnr_db(one.rgb, other.rgb) > 38


def test_what_fails_is_black_in_the_file(tmp_path: Path, source: Path) -> None:
    """A failed frame is blank in the output, its neighbours are not."""
    report = run(source, tmp_path / "out.mp4", PassThrough(fail_at=[5]))
    frames = read_frames(tmp_path / "out.mp4")
    assert report.failures == report.verdicts[Verdict.BLANKED] == 1
    assert [frame.index for frame in frames if frame.rgb.max() < 12] == [5]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_video_leaves_nothing(tmp_path: Path, source: Path, error: type[BaseException]) -> None:
    """No half file, no hidden file, and the input as it was."""
    before = state(source)
    with pytest.raises(error):
        run(source, tmp_path / "out.mp4", PassThrough(fail_at=[4], error=error()))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
    assert state(source) == before


def test_the_input_is_never_the_output(tmp_path: Path, source: Path) -> None:
    """Not by name, not by link, not with overwrite."""
    before = state(source)
    link = tmp_path / "link.mp4"
    link.symlink_to(source)
    for target in (source, link):
        with pytest.raises(SinkError, match="is the input"):
            run(source, target, overwrite=True)
    assert state(source) == before


def test_existing_outputs_need_overwrite(tmp_path: Path, source: Path) -> None:
    """An old output survives a refusal and is replaced when allowed."""
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with pytest.raises(SinkError, match="--overwrite"):
        run(source, target)
    assert target.read_bytes() == b"old"
    run(source, target, overwrite=True)
    assert len(read_frames(target)) == 12


def test_an_unreadable_video_leaves_nothing(tmp_path: Path) -> None:
    """The error is the input's, and no hidden file stays."""
    (tmp_path / "in.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(InputError):
        run(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_options_out_of_range_are_refused() -> None:
    """A queue needs room."""
    with pytest.raises(ValueError, match="queue_frames"):
        VideoOptions(queue_frames=0)
