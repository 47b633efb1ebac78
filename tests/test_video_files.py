"""What is written: the same times, sound and colour, an even size, and not one tag."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.adapters.video_writer import VideoWriter
from anonymizer.clip import ClipInfo
from anonymizer.errors import ConfigError, SinkError
from anonymizer.frames import Frame
from anonymizer.media.codecs import CODECS
from anonymizer.offline import VideoOptions, anonymize_video
from tests.clips import audio_packets, gradient, make_clip, psnr_db, quadrants, read_frames
from tests.fakes import Observer, PassThrough, safe

SIZE_PX = (96, 64)
PICTURES = [quadrants(SIZE_PX, step) for step in range(0, 36, 3)]


def info_of(path: Path) -> ClipInfo:
    reader = VideoReader(path)
    reader.close()
    return reader.info


def rewrite(source: Path, target: Path, crf: int = 1, **choices: Any) -> ClipInfo:
    """Through everything, with faces nowhere and nothing changed."""
    anonymize_video(source, target, Observer(), PassThrough(), VideoOptions(crf=crf, **choices))
    return info_of(target)


def open_writer(path: Path, info: ClipInfo, **choices: Any) -> VideoWriter:
    return VideoWriter(path, info, CODECS["h264"], **choices)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_clip_comes_through(tmp_path: Path, suffix: str) -> None:
    """Same frames, times and size; H.264 inside."""
    source = make_clip(tmp_path / "in.mp4", PICTURES)
    target = tmp_path / f"out{suffix}"
    rewrite(source, target)
    before, after = read_frames(source), read_frames(target)
    assert len(before) == len(after) == 12
    for one, other in zip(before, after, strict=True):
        assert other.captured_at_s == pytest.approx(one.captured_at_s, abs=0.0006 if suffix == ".mkv" else 1e-9)
        assert psnr_db(one.rgb, other.rgb) > 38
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_uneven_and_late_times_are_kept(tmp_path: Path) -> None:
    """A variable rate and a first frame after zero come back to the tick."""
    ticks = [50, 83, 90, 190, 191, 450]
    source = make_clip(tmp_path / "in.mkv", PICTURES[:6], ticks=ticks, time_base=Fraction(1, 1000))
    rewrite(source, tmp_path / "out.mp4")
    assert [round(frame.captured_at_s * 1000) for frame in read_frames(tmp_path / "out.mp4")] == ticks


def test_pictures_stay_in_order_where_sound_has_ended(tmp_path: Path) -> None:
    """Each picture is shown at its own time, though some are decoded ahead, behind the sound's end too."""
    noise = np.random.default_rng(0).integers(0, 60, (64, 96, 3))
    pictures = [np.clip(np.roll(noise, 2 * step, 1) + 3 * step, 0, 255).astype(np.uint8) for step in range(60)]
    source = make_clip(tmp_path / "in.mp4", pictures, sound=True, crf=12)  # the sound is as long as 26 frames
    rewrite(source, tmp_path / "out.mp4", crf=20)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = list(container.decode(video=0))
    assert any(frame.pict_type == 3 for frame in frames), "no frame is decoded ahead, so this proves nothing"
    times = [frame.time for frame in frames]
    assert times == [frame.time for frame in av.open(str(source)).decode(video=0)]
    light = [float(np.mean(frame.to_ndarray(format="gray"))) for frame in frames]
    assert light == sorted(light)


def test_sound_is_copied_bit_by_bit(tmp_path: Path) -> None:
    """Every audio packet has the same bytes and the same time."""
    source = make_clip(tmp_path / "in.mp4", PICTURES, sound=True)
    rewrite(source, tmp_path / "out.mp4")
    assert len(audio_packets(source)) > 35
    assert audio_packets(tmp_path / "out.mp4") == audio_packets(source)


def test_sound_keeps_its_place_in_mkv(tmp_path: Path) -> None:
    """MKV has no negative times: picture and sound move together, to its millisecond."""
    source = make_clip(tmp_path / "in.mp4", PICTURES, sound=True)
    rewrite(source, tmp_path / "out.mkv")
    before, after = audio_packets(source), audio_packets(tmp_path / "out.mkv")
    assert [digest for _, digest in after] == [digest for _, digest in before]
    shift_s = read_frames(tmp_path / "out.mkv")[0].captured_at_s - read_frames(source)[0].captured_at_s
    assert float(after[5][0] - before[5][0]) == pytest.approx(shift_s, abs=0.0011)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_tags_are_gone(tmp_path: Path, suffix: str) -> None:
    """Place, device, dates and titles are nowhere in the bytes, nor are the encoder's settings."""
    source = make_clip(tmp_path / "in.mp4", PICTURES, sound=True, tags=True)
    planted = (b"PLANTED", b"48.8577", b"+002.2950", b"x264 - core")
    assert all(mark in source.read_bytes() for mark in planted)
    target = tmp_path / f"out{suffix}"
    rewrite(source, target)
    assert not [mark for mark in planted if mark in target.read_bytes()]
    with av.open(str(target)) as container:
        assert "creation_time" not in container.metadata
        assert all("creation_time" not in stream.metadata for stream in container.streams)


def test_nothing_but_picture_and_sound_is_copied(tmp_path: Path) -> None:
    """Subtitles, attachments and chapters stay behind."""
    plain = make_clip(tmp_path / "plain.mp4", PICTURES, sound=True)
    source = tmp_path / "in.mkv"
    with av.open(str(plain)) as given, av.open(str(source), "w") as container:
        outputs = {stream.index: container.add_stream_from_template(stream) for stream in given.streams}
        container.add_attachment("PLANTED.txt", "text/plain", b"PLANTEDattachment")
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 9, "time_base": Fraction(1, 30), "metadata": {"title": "PLANTEDchapter"}}]
        )
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = outputs[packet.stream.index]
                container.mux(packet)
    assert b"PLANTEDattachment" in source.read_bytes()
    assert b"PLANTEDchapter" in source.read_bytes()
    rewrite(source, tmp_path / "out.mkv")
    assert b"PLANTED" not in (tmp_path / "out.mkv").read_bytes()


@pytest.mark.parametrize(
    ("codes", "matrix"),
    [((1, 1, 1, 1), 1), ((6, 1, 6, 6), 5), ((5, 1, 5, 6), 5), ((1, 2, 1, 1), 1), ((2, 0, 2, 2), 5), ((2, 2, 2, 2), 5)],
    ids=["bt709", "bt601-525", "bt601-625", "full range", "untagged", "untagged full range"],
)
def test_colour_survives(tmp_path: Path, codes: tuple[int, int, int, int], matrix: int) -> None:
    """Pixels to 45 dB, and the same colour codes, so that players show the same."""
    source = make_clip(tmp_path / "in.mp4", [gradient((192, 128))] * 3, crf=1, colour=codes, swscale_matrix=matrix)
    after = rewrite(source, tmp_path / "out.mp4")
    assert after.colour == info_of(source).colour
    for one, other in zip(read_frames(source), read_frames(tmp_path / "out.mp4"), strict=True):
        assert psnr_db(one.rgb, other.rgb) > 45


def test_a_turned_clip_stays_upright_without_its_tag(tmp_path: Path) -> None:
    """The rotation is in the pixels afterwards."""
    source = make_clip(tmp_path / "in.mp4", PICTURES[:3], rotation_deg=90)
    after = rewrite(source, tmp_path / "out.mp4")
    assert after.size_px == (64, 96)
    assert not after.turned
    assert psnr_db(read_frames(tmp_path / "out.mp4")[0].rgb, np.rot90(PICTURES[0])) > 30


@pytest.mark.parametrize("size_px", [(318, 238), (319, 239), (97, 64), (96, 65), (67, 67)])
def test_odd_sizes_grow_by_a_copied_edge(tmp_path: Path, size_px: tuple[int, int]) -> None:
    """The picture itself is unchanged; the added column or row repeats its neighbour."""
    info = dataclasses.replace(info_of(make_clip(tmp_path / "in.mp4", PICTURES[:1])), size_px=size_px)
    picture = gradient(size_px)
    writer = open_writer(tmp_path / "out.mp4", info, crf=1)
    writer.send(safe(Frame(picture)))
    writer.close(ok=True)
    rgb = read_frames(tmp_path / "out.mp4")[0].rgb
    width, height = size_px
    assert rgb.shape == (height + height % 2, width + width % 2, 3)
    assert psnr_db(rgb[:height, :width], picture) > 38
    assert psnr_db(rgb[-1, :width], picture[-1]) > 30
    assert psnr_db(rgb[:height, -1], picture[:, -1]) > 30


def test_a_raw_frame_is_refused(tmp_path: Path) -> None:
    """Only a SafeFrame goes in, at run time too."""
    writer = open_writer(tmp_path / "out.mp4", info_of(make_clip(tmp_path / "in.mp4", PICTURES)))
    with pytest.raises(TypeError, match="SafeFrame"):
        writer.send(Frame(PICTURES[0]))  # type: ignore[arg-type]  # the point
    writer.close(ok=False)


def test_frames_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """A wrong size and a time that runs back are said as got and wanted."""
    writer = open_writer(tmp_path / "out.mp4", info_of(make_clip(tmp_path / "in.mp4", PICTURES)))
    with pytest.raises(ValueError, match="expected frames of 96×64 px, got 10×20 px"):
        writer.send(safe(Frame(quadrants((10, 20)))))
    writer.send(safe(Frame(PICTURES[0], 0, 0.5)))
    with pytest.raises(ValueError, match="expected a time after"):
        writer.send(safe(Frame(PICTURES[0], 1, 0.5)))
    writer.close(ok=False)


def test_what_cannot_be_written_is_known_before_the_first_frame(tmp_path: Path) -> None:
    """Ending, speed, quality and folder are checked before anything is looked at, and nothing stays behind."""
    source = make_clip(tmp_path / "in.mp4", PICTURES)
    info = info_of(source)
    for name, options, kind, message in (
        ("out.avi", VideoOptions(), SinkError, r"\.mp4, \.mov or \.mkv"),
        ("out.mov", VideoOptions(codec="av1"), SinkError, "cannot hold AV1"),
        ("no/out.mp4", VideoOptions(), SinkError, "does not exist"),
    ):
        observer = Observer()
        with pytest.raises(kind, match=message):
            anonymize_video(source, tmp_path / name, observer, PassThrough(), options)
        assert observer.seen == []
    with pytest.raises(ConfigError, match="veryfast"):
        open_writer(tmp_path / "out.mp4", info, speed="quick")
    with pytest.raises(ConfigError, match="0 to 51"):
        open_writer(tmp_path / "out.mp4", info, crf=99)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_sound_that_does_not_fit_names_the_way_out(tmp_path: Path) -> None:
    """A codec that MP4 cannot hold is refused with the advice to write MKV, which works."""
    plain, source = make_clip(tmp_path / "plain.mp4", PICTURES), tmp_path / "in.mkv"
    with av.open(str(plain)) as given, av.open(str(source), "w") as container:
        picture = container.add_stream_from_template(given.streams.video[0])
        tone = container.add_stream("wavpack", rate=48_000)
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 4800), np.float32), format="fltp", layout="stereo")
        samples.sample_rate = 48_000
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = picture
                container.mux(packet)
        container.mux(tone.encode(samples))
        container.mux(tone.encode(None))
    with pytest.raises(SinkError, match=r"wavpack.*\.mkv"):
        rewrite(source, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
    rewrite(source, tmp_path / "out.mkv")
    assert [digest for _, digest in audio_packets(tmp_path / "out.mkv")] == [d for _, d in audio_packets(source)]
