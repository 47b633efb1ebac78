"""Videos as people have them: depth, HDR, fields, voices, subtitles; what is kept, what is gone, and what is said."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av.sidedata.sidedata import SideData

from anonymizer.marking import SOURCE_TYPE
from anonymizer.media.hdr import depth_of
from anonymizer.offline import VideoOptions, VideoReport, anonymize_video
from tests.clips import audio_packets, make_clip, quadrants, read_frames
from tests.fakes import ONE_FACE, Observer, PassThrough
from tests.photo_kinds import planted_in
from tests.video_kinds import (
    HLG,
    PQ,
    SDR,
    combing,
    deep_clip,
    deep_frames,
    deep_gradient,
    deep_psnr_db,
    interlaced_clip,
    rich_clip,
)

SIZE_PX = (96, 64)
PICTURES = [quadrants(SIZE_PX, step) for step in range(0, 36, 3)]


def run(source: Path, target: Path, faces: Any = ONE_FACE, **choices: Any) -> VideoReport:
    return anonymize_video(source, target, Observer(faces), PassThrough(), VideoOptions(crf=4, **choices))


def streams_of(path: Path) -> list[tuple[str, str, str | None]]:
    """Kind, codec and language of each stream."""
    with av.open(str(path)) as container:
        return [(s.type, s.codec_context.name if s.codec_context else "none", s.language) for s in container.streams]


@pytest.mark.parametrize("transfer", [PQ, HLG, SDR])
@pytest.mark.parametrize("codec", ["auto", "av1", "h264"])
def test_10_bits_and_hdr_are_kept(tmp_path: Path, transfer: int, codec: Any) -> None:
    """Ten bits come out as ten, to 42 dB, with the codes for HDR and, but for H.264, the mastering screen's values."""
    source = deep_clip(tmp_path / "in.mp4", [deep_gradient((192, 128), step) for step in range(4)], transfer)
    report = run(source, tmp_path / "out.mp4", codec=codec)
    assert report.codec == ("hevc" if codec == "auto" else codec)
    before, after = deep_frames(source), deep_frames(tmp_path / "out.mp4")
    assert len(after) == 4
    assert min(deep_psnr_db(a, b) for a, b in zip(before, after, strict=True)) > 42
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        frame = next(container.decode(video=0))
        kinds = {str(data.type) for data in cast("Iterable[SideData]", frame.side_data)}
    assert context.pix_fmt == "yuv420p10le"
    codes = (9, transfer, 9) if transfer != SDR else (1, 1, 1)
    assert (context.color_primaries, context.color_trc, context.colorspace) == codes
    assert ("Type.MASTERING_DISPLAY_METADATA" in kinds) == (transfer == PQ and codec != "h264")
    if codec == "auto":
        assert context.codec_tag == "hvc1"


@pytest.mark.parametrize("transfer", [PQ, HLG, 0])
def test_what_the_stages_see_goes_back_through_the_same_curve(transfer: int) -> None:
    """The curve rises, uses nearly all of 8 bits, and each 8-bit value comes back to itself."""
    depth = depth_of(np.zeros((1, 1, 3), np.uint16), transfer)
    steps = np.diff(depth.to_8bit.astype(int))
    assert steps.min() >= 0
    assert (depth.to_8bit[0], depth.to_8bit[-1]) == (0, 255)
    assert np.array_equal(depth.to_8bit[depth.from_8bit], np.arange(256))


def test_a_blank_frame_of_an_hdr_clip_is_dark(tmp_path: Path) -> None:
    """What fails shows nothing there either."""
    source = deep_clip(tmp_path / "in.mp4", [deep_gradient((96, 64))] * 3, PQ)
    anonymize_video(source, tmp_path / "out.mp4", Observer(ONE_FACE), PassThrough([1]), VideoOptions(crf=4))
    brightest = [int(frame.max()) for frame in deep_frames(tmp_path / "out.mp4")]
    assert brightest[1] < 3000 < 40000 < brightest[0]


def test_interlaced_clips_are_made_whole_and_it_is_said(tmp_path: Path) -> None:
    """As many pictures at the same times, without the comb of two moments in one."""
    source = interlaced_clip(tmp_path / "in.mpg")
    report = run(source, tmp_path / "out.mp4")
    with av.open(str(source)) as container:
        raw = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
        times_s = [frame.time for frame in av.open(str(source)).decode(video=0)]
    after = read_frames(tmp_path / "out.mp4")
    assert report.deinterlaced
    assert [frame.captured_at_s for frame in after] == pytest.approx(times_s)
    assert np.mean([combing(rgb) for rgb in raw]) > 10
    assert np.mean([combing(frame.rgb) for frame in after]) < 1
    assert not run(make_clip(tmp_path / "whole.mp4", PICTURES), tmp_path / "whole_out.mp4").deinterlaced


@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
@pytest.mark.parametrize("out", [".mp4", ".mkv", ".mov"])
def test_voices_and_subtitles_are_kept_and_nothing_else(tmp_path: Path, kind: str, out: str) -> None:
    """Both languages of both, text and times to the millisecond; cover, data, places and titles are gone and named."""
    source = rich_clip(tmp_path / f"in{kind}", PICTURES)
    assert "PLANTED" in planted_in(source.read_bytes())
    report = run(source, tmp_path / f"out{out}")
    content = (tmp_path / f"out{out}").read_bytes()
    assert planted_in(content) == []
    assert b"48.8577" not in content
    assert (report.audio_streams, report.subtitle_tracks) == (2, 2)
    assert report.left_out == (("a data track", "a cover picture") if kind == ".mp4" else ("another picture track",))
    text = "srt" if out == ".mkv" else "mov_text"
    german = "ger" if out == ".mov" else "deu"
    expected = [("audio", "aac", german), ("audio", "aac", "fra")]
    expected += [("subtitle", text, german), ("subtitle", text, "eng")]
    assert streams_of(tmp_path / f"out{out}")[1:] == expected
    with av.open(str(tmp_path / f"out{out}")) as container:
        packets = [packet for packet in container.demux(container.streams.subtitles[0]) if packet.size > 2]
        lines = [(int(p.pts or 0) * p.time_base, int(p.duration or 0) * p.time_base, bytes(p)) for p in packets]
    # MKV knows no time below 0: all tracks move together
    first_ms = round(read_frames(tmp_path / f"out{out}")[0].captured_at_s * 1000)
    skipped = 0 if out == ".mkv" else 2  # bytes that tell the length
    trimmed = [(round(at * 1000) - first_ms, round(long * 1000), text[skipped:].decode()) for at, long, text in lines]
    assert trimmed == [(100, 200, "Hallo"), (320, 70, "zwei\nZeilen")]
    if kind == ".mp4" and out == ".mp4":
        assert audio_packets(tmp_path / f"out{out}") == audio_packets(source)


def test_sound_can_be_dropped(tmp_path: Path) -> None:
    """No audio stream is left."""
    source = rich_clip(tmp_path / "in.mp4", PICTURES)
    assert run(source, tmp_path / "out.mp4", audio="drop").audio_streams == 0
    assert "audio" not in [kind for kind, _, _ in streams_of(tmp_path / "out.mp4")]


def dominant_hz(path: Path) -> float:
    """The strongest frequency of the first audio track."""
    with av.open(str(path)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 48_000 / len(samples))


def test_a_voice_can_be_made_deeper_which_is_no_anonymisation_and_says_so(tmp_path: Path) -> None:
    """A tone of 440 Hz comes out at 352, as long as it was; the raw sound is nowhere, the report warns."""
    source = make_clip(tmp_path / "in.mp4", PICTURES, sound=True)
    report = run(source, tmp_path / "out.mp4", audio="pitch")
    assert report.voice_note is not None
    assert "does not anonymize" in report.voice_note
    assert dominant_hz(source) == pytest.approx(440, abs=3)
    assert dominant_hz(tmp_path / "out.mp4") == pytest.approx(352, abs=5)
    before, after = audio_packets(source), audio_packets(tmp_path / "out.mp4")
    assert float(after[-1][0] - before[-1][0]) == pytest.approx(0, abs=0.1)
    assert not {digest for _, digest in before[2:-2]} & {digest for _, digest in after}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_changed_videos_are_marked(tmp_path: Path, suffix: str) -> None:
    """With faces replaced the file says so; without faces, or if unwanted, it does not; it plays in any case."""
    source = make_clip(tmp_path / "in.mp4", PICTURES)
    for name, faces, mark, expected in (("a", ONE_FACE, True, 1), ("b", (), True, 0), ("c", ONE_FACE, False, 0)):
        target = tmp_path / f"{name}{suffix}"
        assert run(source, target, faces, mark=mark).marked == bool(expected)
        assert target.read_bytes().count(SOURCE_TYPE.encode()) == expected
        assert len(read_frames(target)) == 12


def test_dates_are_kept_on_demand(tmp_path: Path) -> None:
    """With `keep_dates` creation time and the file's own time live on, nothing else of the tags does."""
    source = make_clip(tmp_path / "in.mp4", PICTURES, tags=True)
    os.utime(source, (1_500_000_000, 1_500_000_000))
    run(source, tmp_path / "out.mp4", keep_dates=True)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.metadata["creation_time"].startswith("2021-03-04T05:06:07")
    assert (tmp_path / "out.mp4").stat().st_mtime == 1_500_000_000
    assert b"PLANTED" not in (tmp_path / "out.mp4").read_bytes()
