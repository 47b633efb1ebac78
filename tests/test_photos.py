"""Photo files: what is written, what is marked, what is gone, and that the input is never touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anonymizer.adapters.image_reader import PhotoReader, read_image
from anonymizer.errors import InputError, SinkError
from anonymizer.frames import Frame, Verdict
from anonymizer.marking import SOURCE_TYPE
from anonymizer.photos import PhotoOptions, PhotoStages, anonymize_image
from tests.clips import gradient, psnr_db, quadrants
from tests.fakes import ONE_FACE, Observer, PassThrough
from tests.photo_kinds import KINDS, TAKEN, planted_in

SIZE_PX = (96, 64)


def state(path: Path) -> tuple[str, int, int]:
    """What must not change of the input."""
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, path.stat().st_mode


def stages(faces: tuple[object, ...] = ONE_FACE, fail_at: Sequence[int] = ()) -> PhotoStages:
    """Fakes that see `faces` and pass the picture through."""
    return PhotoStages(lambda frame: faces, lambda fps_hz: Observer(faces), PassThrough(fail_at))  # type: ignore[arg-type, return-value]


def test_a_photo_is_written_and_reported(tmp_path: Path) -> None:
    """The plan reaches the renderer, the picture the file, the input stays."""
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(gradient(SIZE_PX)).save(source)
    before = state(source)
    report = anonymize_image(source, target, stages())
    assert (report.verdict, report.faces, report.size_px, report.failure) == (Verdict.OBSCURED, 1, SIZE_PX, None)
    assert (report.pages, report.marked) == (1, True)
    assert state(source) == before
    with Image.open(target) as written:
        assert np.array_equal(np.array(written), gradient(SIZE_PX))


@pytest.mark.parametrize("stage", ["plan", "render"])
def test_a_photo_that_fails_is_black(tmp_path: Path, stage: str) -> None:
    """Nothing of it is left, its outline in the transparency neither."""
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    alpha = np.full(SIZE_PX[::-1], 255, np.uint8)
    alpha[:, :9] = 0
    Image.fromarray(np.dstack([gradient(SIZE_PX), alpha])).save(source)

    def plan(frame: Frame) -> tuple[()]:
        if stage == "plan":
            raise RuntimeError("planned")
        return ()

    failing = PassThrough(fail_at=[0] if stage == "render" else [])
    report = anonymize_image(source, target, PhotoStages(plan, lambda fps_hz: Observer(), failing))
    assert (report.verdict, report.failure) == (Verdict.BLANKED, "RuntimeError: planned")
    with Image.open(target) as written:
        assert written.mode == "RGB"
        assert not np.array(written).any()


def test_photos_follow_the_same_rules_of_writing(tmp_path: Path) -> None:
    """The input is refused as output, an old output needs overwrite, an odd ending is refused first."""
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(gradient(SIZE_PX)).save(source)
    target.write_bytes(b"old")
    for name, message in ((source, "is the input"), (target, "--overwrite"), (tmp_path / "out.heic", r"\.png")):
        with pytest.raises(SinkError, match=message):
            anonymize_image(source, name, stages())
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", sorted(KINDS))
def test_no_second_picture_and_no_tag_survives(tmp_path: Path, suffix: str) -> None:
    """Of each kind of file the picture is kept; what was planted is found in the source and nowhere in the output."""
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix.replace('.heic', '.jpg')}"
    rgb = gradient(SIZE_PX)
    KINDS[suffix](source, rgb)
    assert "PLANTED" in planted_in(source.read_bytes())
    report = anonymize_image(source, target, stages())
    assert planted_in(target.read_bytes()) == []
    assert (report.pages, report.size_px) == (1, SIZE_PX)
    assert psnr_db(read_image(target).rgb, read_image(source).rgb) > 35
    if suffix != ".bmp":
        assert SOURCE_TYPE.encode() in target.read_bytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".gif", ".avif"])
def test_only_changed_photos_are_marked_and_only_if_wanted(tmp_path: Path, suffix: str) -> None:
    """A photo without faces is none that an algorithm made; `--no-mark` leaves the mark out."""
    source = tmp_path / f"in{suffix}"
    KINDS[suffix](source, gradient(SIZE_PX))
    plain = anonymize_image(source, tmp_path / f"plain{suffix}", stages(()))
    unwanted = anonymize_image(source, tmp_path / f"unwanted{suffix}", stages(), PhotoOptions(mark=False))
    assert (plain.marked, unwanted.marked) == (False, False)
    for name in ("plain", "unwanted"):
        content = (tmp_path / f"{name}{suffix}").read_bytes()
        assert b"compositeWith" not in content
        assert planted_in(content) == []


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_dates_are_kept_on_demand_and_nothing_with_them(tmp_path: Path, suffix: str) -> None:
    """With `keep_dates` the date taken and the file's own time live on; place, names and serial number do not."""
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    KINDS[suffix](source, gradient(SIZE_PX))
    os.utime(source, (1_500_000_000, 1_500_000_000))
    anonymize_image(source, target, stages(), PhotoOptions(keep_dates=True))
    content = target.read_bytes()
    assert planted_in(content) == ["the date", "its day"]
    assert target.stat().st_mtime == 1_500_000_000
    with PhotoReader(target) as photo:
        dates = photo.dates()
    assert dates is not None
    assert dates.taken == TAKEN


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_animations_keep_frames_and_durations(tmp_path: Path, suffix: str) -> None:
    """Every frame goes through the renderer, and comes out as long as it was."""
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    frames = [Image.fromarray(quadrants(SIZE_PX, step)) for step in (0, 20, 40, 60)]
    durations = [100, 250, 40, 80]
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    observer = Observer(ONE_FACE)
    report = anonymize_image(source, target, PhotoStages(lambda frame: (), lambda fps_hz: observer, PassThrough([2])))
    assert (report.pages, report.faces, report.verdict) == (4, 3, Verdict.BLANKED)
    assert observer.seen == [0, 1, 2, 3]
    with PhotoReader(source) as before, PhotoReader(target) as after:
        assert (after.pages, after.loop) == (4, before.loop)
        for number in range(4):
            one, other = before.page(number), after.page(number)
            assert one.duration_ms == other.duration_ms
            if number == 2:
                assert other.rgb.max() < 12
            else:
                assert psnr_db(one.rgb, other.rgb) > 30
    assert SOURCE_TYPE.encode() in target.read_bytes()


def test_every_page_of_a_tiff_is_rendered(tmp_path: Path) -> None:
    """Pages of any size go through one by one; a failed one is blank, the others are not."""
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    pages = [Image.fromarray(gradient(size_px)) for size_px in ((96, 64), (40, 80), (64, 64))]
    pages[0].save(source, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    report = anonymize_image(source, target, stages(fail_at=[1]))
    assert (report.pages, report.verdict, report.size_px) == (3, Verdict.BLANKED, (96, 64))
    with PhotoReader(target) as photo:
        got = [photo.page(number).rgb for number in range(photo.pages)]
    assert [page.shape[:2] for page in got] == [(64, 96), (80, 40), (64, 64)]
    assert np.array_equal(got[0], gradient((96, 64)))
    assert not got[1].any()
    assert np.array_equal(got[2], gradient((64, 64)))


@pytest.mark.parametrize(("kind", "message"), [("pages", r"3 pages.*\.tif"), ("frames", "animated")])
def test_what_the_target_cannot_hold_is_refused(tmp_path: Path, kind: str, message: str) -> None:
    """Neither pages nor frames are dropped in silence, and nothing is left behind."""
    source = tmp_path / ("in.tif" if kind == "pages" else "in.gif")
    pages = [Image.fromarray(quadrants(SIZE_PX, step)) for step in (0, 20, 40)]
    pages[0].save(source, save_all=True, append_images=pages[1:], duration=50)
    with pytest.raises(SinkError, match=message):
        anonymize_image(source, tmp_path / "out.jpg", stages())
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_endless_animations_are_refused(tmp_path: Path) -> None:
    """Thousands of frames are a video, and the message says so."""
    frames = [Image.new("P", (2, 2), number % 2) for number in range(1001)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 255, 255])
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:], duration=20)
    with pytest.raises(InputError, match="anonymizer video"):
        anonymize_image(tmp_path / "in.gif", tmp_path / "out.gif", stages())
