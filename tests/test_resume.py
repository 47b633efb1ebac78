"""A killed run goes on: the film plays, the result is the same to the bit, and nothing stays behind."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anonymizer.adapters.video_finish import frames_in
from anonymizer.errors import SinkError
from anonymizer.faces import Box, PlannedFace
from anonymizer.frames import Frame, SafeFrame
from anonymizer.media.encoder import begins_segment
from anonymizer.offline import VideoOptions, VideoReport, anonymize_video
from anonymizer.plan_state import pack_faces, pack_memory, unpack_faces, unpack_memory
from anonymizer.resume import WorkFolder, fingerprint_of
from tests.clips import make_clip, read_frames
from tests.joints import planned_hand_at
from tests.planned import Actor, anonymizer, planned, room

ACTORS = [
    Actor("persona", 1.2, (110.0, 120.0), (15.0, 5.0, 3.0), (1.5, 0.5), 4),
    Actor("persona and box", 1.8, (240.0, 110.0), (-20.0, 0.0, 0.0), (-1.0, 0.0), 7),
]
FRAMES, SEGMENT = 23, 5
SECRET = bytes(range(32))


class Watcher:
    """An observer that plans moving actors; `frames` it was shown."""

    def __init__(self) -> None:
        self.frames = 0

    def observe(self, frame: Frame) -> None:
        self.frames += 1

    def plan(self) -> list[tuple[PlannedFace, ...]]:
        return [planned(ACTORS, step) for step in range(self.frames)]


class Killed:
    """A real renderer that keeps what a kill at a frame would leave on the disk, and then ends the run."""

    def __init__(self, inner: Any, at: int, work: Path, copy: Path) -> None:
        self._inner, self._at, self._work, self._copy = inner, at, work, copy
        self.memory, self.remember, self.blank = inner.memory, inner.remember, inner.blank

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        if frame.index == self._at:
            while not self._copied():
                shutil.rmtree(self._copy, ignore_errors=True)
            raise KeyboardInterrupt
        safe: SafeFrame = self._inner.render(frame, faces)
        return safe

    def _copied(self) -> bool:
        """False when a file was renamed meanwhile: the encoder goes on in its own thread."""
        try:
            shutil.copytree(self._work, self._copy)
        except (OSError, shutil.Error):
            return False
        return True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "in.mp4", [room(step) for step in range(FRAMES)], sound=True, crf=12)


def run(
    source: Path, target: Path, renderer: Any = None, watcher: Watcher | None = None, **choices: Any
) -> VideoReport:
    options = VideoOptions(segment_frames=SEGMENT, threads=1, **choices)
    work = WorkFolder(target, fingerprint_of(source, "words", None))
    return anonymize_video(source, target, watcher or Watcher(), renderer or anonymizer(), options, None, work, SECRET)


def kill(source: Path, target: Path, at: int, **choices: Any) -> Path:
    """A run that ends at a frame as if killed; gives its folder, as it was then."""
    probe = WorkFolder(target)
    folder = probe.path
    probe.remove()
    copy = target.parent / "copy"
    with pytest.raises(KeyboardInterrupt):
        run(source, target, Killed(anonymizer(), at, folder, copy), **choices)
    assert not folder.exists()
    copy.rename(folder)
    return folder


@pytest.mark.parametrize("at", [0, 4, 9, 16, 22])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path, source: Path, at: int) -> None:
    """Wherever it was killed; what was found is not looked for again, and the folder is gone afterwards."""
    whole = run(source, tmp_path / "whole.mp4")
    target = tmp_path / "out.mp4"
    kill(source, target, at)
    watcher = Watcher()
    report = run(source, target, watcher=watcher)
    assert watcher.frames == 0
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert (report.frames, report.verdicts) == (whole.frames, whole.verdicts)
    assert whole.resumed_at is None
    assert begins_segment(report.resumed_at or 0, SEGMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "whole.mp4"]


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_every_codec_goes_on(tmp_path: Path, source: Path, codec: Any) -> None:
    """Segments of each encoder join to the same bits, killed twice, and frames are taken over, not made again."""
    run(source, tmp_path / "whole.mp4", codec=codec)
    target = tmp_path / "out.mp4"
    folder = kill(source, target, 17, codec=codec)
    film = next(folder.glob("film-*.mp4"))
    assert len(read_frames(film)) >= 9  # the last packet waits for the next
    report = run(source, target, codec=codec)
    assert report.resumed_at in (5, 10)
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    times_s = [frame.captured_at_s for frame in read_frames(target)]
    assert times_s == [frame.captured_at_s for frame in read_frames(source)]


def test_the_film_of_a_killed_run_plays(tmp_path: Path, source: Path) -> None:
    """Picture and sound can be decoded up to where it was; no frame of it is raw."""
    folder = kill(source, tmp_path / "out.mp4", 17)
    film = next(folder.glob("film-*.mp4"))
    frames = read_frames(film)
    assert len(frames) >= 9
    with av.open(str(film)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 10_000
    raw = {frame.captured_at_s: frame.rgb for frame in read_frames(source)}
    for frame in frames:
        face = frame.rgb[100:140, 95:125].astype(int)
        assert np.abs(face - raw[frame.captured_at_s][100:140, 95:125]).mean() > 8


def test_what_is_kept_is_private_and_no_picture(tmp_path: Path, source: Path) -> None:
    """Folder and files are their owner's alone; beside the film there are only plan and progress."""
    folder = kill(source, tmp_path / "out.mp4", 17)
    names = {path.name for path in folder.iterdir()}
    assert names - {"film-a.mp4", "film-b.mp4"} <= {"plan", "progress", "progress.new"}
    assert "plan" in names
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for name in ("plan", "progress"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_other_choices_begin_anew(tmp_path: Path, source: Path) -> None:
    """Another input or other settings never join with an old film; the old one is removed."""
    target = tmp_path / "out.mp4"
    kill(source, target, 17)
    work = WorkFolder(target, fingerprint_of(source, "other words", None))
    assert (work.plan, work.progress) == (None, None)
    assert list(work.path.iterdir()) == []
    work.remove()
    assert fingerprint_of(source, "words", b"a" * 32) != fingerprint_of(source, "words", b"b" * 32)


@pytest.mark.parametrize("name", ["plan", "progress", "film"])
def test_a_damaged_folder_does_no_harm(tmp_path: Path, source: Path, name: str) -> None:
    """What cannot be read is made again, and the result is the same."""
    run(source, tmp_path / "whole.mp4")
    target = tmp_path / "out.mp4"
    folder = kill(source, target, 17)
    path = next(folder.glob(f"{name}*"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    run(source, target)
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="locks folders")
def test_two_runs_do_not_meet(tmp_path: Path, source: Path) -> None:
    """A second run into the same output is refused while the first is at work."""
    first = WorkFolder(tmp_path / "out.mp4")
    with pytest.raises(SinkError, match="another run"):
        WorkFolder(tmp_path / "out.mp4")
    first.remove()
    WorkFolder(tmp_path / "out.mp4").remove()
    (tmp_path / "elsewhere").mkdir()
    first.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SinkError, match="in the way"):
        WorkFolder(tmp_path / "out.mp4")


def test_plans_and_memory_come_back_as_they_were() -> None:
    """Every number of a plan and of the renderer's memory survives being kept, to the bit."""
    renderer = anonymizer()
    frames = [room(step) for step in range(3)]
    for step, rgb in enumerate(frames):
        renderer.render(Frame(rgb, step), planned(ACTORS, step))
    person = np.random.default_rng(1).uniform(0, 300, (64, 2))
    hands = (planned_hand_at((90, 80), 40, 20, 0.3, 0.5), planned_hand_at((20, 30), 25))
    faces = (*planned(ACTORS, 1), PlannedFace(9, None, Box(1, 2, 30, 40), person, hands))
    again = unpack_faces(pack_faces(faces))
    assert again is not None
    for one, other in zip(faces, again, strict=True):
        assert one.slot == other.slot
        assert (one.code is None) == (other.code is None)
        np.testing.assert_array_equal(one.cover_outline, other.cover_outline)
        assert len(one.hands) == len(other.hands)
        for hand, same in zip(one.hands, other.hands, strict=True):
            np.testing.assert_array_equal(hand.points_px, same.points_px)
            np.testing.assert_array_equal(hand.spread_px, same.spread_px)
            assert hand.strength == same.strength
        if one.code is not None and other.code is not None:
            assert one.code.scale_px_per_cm == other.code.scale_px_per_cm
            for part in ("center_px", "rotation", "expression", "gaze"):
                np.testing.assert_array_equal(getattr(one.code, part), getattr(other.code, part))
    fresh = anonymizer()
    fresh.remember(unpack_memory(pack_memory(renderer.memory())))
    follow = Frame(room(9), 3)
    one_frame, other_frame = (each.render(follow, planned(ACTORS, 3)) for each in (renderer, fresh))
    np.testing.assert_array_equal(one_frame.rgb, other_frame.rgb)
    assert unpack_faces(pack_faces(None)) is None


def test_a_film_cut_off_inside_a_picture_has_one_picture_less(tmp_path: Path, source: Path) -> None:
    """A picture of which the last byte is missing does not count as whole."""
    film = tmp_path / "out.mp4"
    run(source, film)
    with av.open(str(film)) as container:
        whole = [(p.pos, p.size) for p in container.demux(container.streams.video[0]) if p.pos is not None]
    assert frames_in(film) == FRAMES
    start, size = max(whole)
    film.write_bytes(film.read_bytes()[: start + size - 1])
    assert frames_in(film) == FRAMES - 1
