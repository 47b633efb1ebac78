"""Clips are read upright, in true colour, with their own times, and refused in words."""

from __future__ import annotations

import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.errors import InputError
from tests.clips import gradient, make_clip, psnr_db, quadrants, read_frames

SIZE_PX = (96, 64)
PICTURES = [quadrants(SIZE_PX, step) for step in range(0, 36, 3)]

Pixels = npt.NDArray[np.uint8]


def test_frames_come_in_order_and_twice_the_same(tmp_path: Path) -> None:
    """Opening again gives the same pixels at the same times."""
    path = make_clip(tmp_path / "in.mp4", PICTURES)
    frames, again = read_frames(path), read_frames(path)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.captured_at_s for frame in frames] == pytest.approx([n / 30 for n in range(12)], abs=1e-9)
    assert all(psnr_db(frame.rgb, picture) > 30 for frame, picture in zip(frames, PICTURES, strict=True))
    for one, other in zip(frames, again, strict=True):
        assert np.array_equal(one.rgb, other.rgb)
        assert one.captured_at_s == other.captured_at_s


def test_a_closed_reader_leaves_no_picture_behind(tmp_path: Path) -> None:
    """A clip in a loop is opened anew at each turn; PyAV's pictures hold themselves until garbage is collected."""
    path = make_clip(tmp_path / "in.mp4", PICTURES)
    gc.collect()
    before = _pictures()
    gc.disable()
    try:
        reader = VideoReader(path)
        reader.read()
        reader.close()
        del reader
        assert _pictures() <= before
    finally:
        gc.enable()


def _pictures() -> int:
    return sum(type(each) is av.VideoFrame for each in gc.get_objects())  # isinstance would wake lazy objects


def test_the_header_is_told(tmp_path: Path) -> None:
    """Size, rate, number of frames and sound are known before the first frame."""
    reader = VideoReader(make_clip(tmp_path / "in.mp4", PICTURES, sound=True))
    assert reader.size_px == SIZE_PX
    assert reader.fps_hz == pytest.approx(30)
    assert reader.info.frame_estimate == 12
    assert [(track.codec, track.rate_hz, track.channels) for track in reader.info.audio] == [("aac", 48_000, 2)]
    reader.close()


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    """A variable frame rate is read as it is."""
    ticks = [0, 33, 40, 140, 141, 400]
    frames = read_frames(make_clip(tmp_path / "in.mkv", PICTURES[:6], ticks=ticks, time_base=Fraction(1, 1000)))
    assert [round(frame.captured_at_s * 1000) for frame in frames] == ticks


@pytest.mark.parametrize(
    ("degrees", "mirrored", "upright"),
    [
        (0, False, lambda rgb: rgb),
        (90, False, lambda rgb: np.rot90(rgb, 1)),  # FFmpeg counts counterclockwise
        (180, False, lambda rgb: np.rot90(rgb, 2)),
        (-90, False, lambda rgb: np.rot90(rgb, -1)),
        (0, True, lambda rgb: rgb[:, ::-1]),
        (90, True, lambda rgb: np.rot90(rgb, 1)[:, ::-1]),
    ],
)
def test_rotation_is_applied(
    tmp_path: Path, degrees: float, mirrored: bool, upright: Callable[[Pixels], Pixels]
) -> None:
    """Turned and mirrored clips come as they are to be seen."""
    path = make_clip(tmp_path / "in.mp4", PICTURES[:3], rotation_deg=degrees, mirrored=mirrored)
    reader = VideoReader(path)
    frame = reader.read()
    assert frame is not None
    expected = upright(PICTURES[0])
    assert reader.size_px == (expected.shape[1], expected.shape[0])
    assert reader.info.turned == (degrees != 0 or mirrored)
    assert psnr_db(frame.rgb, expected) > 30
    reader.close()


@pytest.mark.parametrize(
    ("codes", "matrix"),
    [((1, 1, 1, 1), 1), ((6, 1, 6, 6), 5), ((5, 1, 5, 6), 5), ((1, 2, 1, 1), 1), ((2, 0, 2, 2), 5), ((9, 1, 9, 14), 9)],
    ids=["bt709", "bt601-525", "bt601-625", "full range", "untagged", "bt2020"],
)
def test_colour_is_true(tmp_path: Path, codes: tuple[int, int, int, int], matrix: int) -> None:
    """Every matrix and range gives the pixels that were meant, to 45 dB."""
    meant = gradient((192, 128))
    path = make_clip(tmp_path / "in.mp4", [meant], crf=1, colour=codes, swscale_matrix=matrix)
    assert psnr_db(read_frames(path)[0].rgb, meant) > 45


def test_gifs_are_read(tmp_path: Path) -> None:
    """A GIF is a clip too."""
    path = make_clip(tmp_path / "in.gif", PICTURES[:4], codec="gif", pix_fmt="rgb8", time_base=Fraction(1, 10))
    assert len(read_frames(path)) == 4


def test_a_cover_picture_is_not_a_video(tmp_path: Path) -> None:
    """A song with a cover has no moving picture."""
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        tone = container.add_stream("aac", rate=48_000)
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        samples.sample_rate = 48_000
        container.mux(tone.encode(samples))
        container.mux(tone.encode(None))
    with pytest.raises(InputError, match="no moving picture"):
        VideoReader(path)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "photo", "folder", "head only", "playlist"])
def test_what_is_no_video_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    """The message names the file and says what to do."""
    path = tmp_path / "in.mp4"
    content = make_clip(path, PICTURES, sound=True).read_bytes()
    other = make_clip(tmp_path / "other.mp4", PICTURES)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "photo":
        from PIL import Image

        Image.fromarray(PICTURES[0]).save(path, format="PNG")
    elif kind != "missing":
        lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n".encode()
        path.write_bytes({"empty": b"", "text": b"hello " * 99, "head only": content[:900], "playlist": lines}[kind])
    with pytest.raises(InputError, match=r"in\.mp4.*[;,]"):
        VideoReader(path)


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path: Path) -> None:
    """The frames around it are still read, at their own times."""
    path = make_clip(
        tmp_path / "in.mkv", [np.random.default_rng(n).integers(0, 255, (64, 96, 3), np.uint8) for n in range(12)]
    )
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = bytes(6000)
    path.write_bytes(content)
    reader = VideoReader(path)
    times_s = [frame.captured_at_s for frame in iter(reader.read, None)]
    assert 1 <= len(times_s) <= 12
    assert times_s == sorted(set(times_s))
    reader.close()
