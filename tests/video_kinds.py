"""Makes clips as people have them: HDR, interlaced, with voices, subtitles, covers and data beside the picture."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Interpolation
from av.video.stream import VideoStream

from anonymizer.media.subtitles import TextTrack, TextTracks
from tests.photo_kinds import jpeg_bytes

_IN = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_OUT = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
MASTER = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
LIGHT = "1000,400"
PQ, HLG, SDR = 16, 18, 1

Deep = npt.NDArray[np.uint16]


def deep_gradient(size_px: tuple[int, int], step: int = 0) -> Deep:
    """(H, W, 3) uint16: smooth, moving with `step`, with steps finer than 8 bits."""
    y, x = np.mgrid[0 : size_px[1], 0 : size_px[0]]
    u, v = x / size_px[0], y / size_px[1]
    rgb = np.dstack([0.2 + 0.5 * u, 0.25 + 0.4 * v, 0.6 - 0.3 * u * v]) + 0.002 * step
    return np.rint(np.clip(rgb, 0, 1) * 65535).astype(np.uint16)


def deep_clip(path: Path, pictures: Sequence[Deep], transfer: int, codec: str = "libx265", crf: int = 4) -> Path:
    """10 bits in 4:2:0; BT.2020 with the values of a mastering screen for PQ and HLG, BT.709 else."""
    primaries, matrix = (9, 9) if transfer in (PQ, HLG) else (1, 1)
    extra = f":master-display={MASTER}:max-cll={LIGHT}" if transfer == PQ else ""
    options = {"crf": str(crf), "preset": "veryfast", "x265-params": f"log-level=none{extra}"}
    with av.open(str(path), "w") as container:
        video = cast(VideoStream, container.add_stream(codec, rate=30, options=options))
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p10le"
        context = video.codec_context
        context.colorspace, context.color_range = matrix, 1
        context.color_primaries, context.color_trc = primaries, transfer
        for number, rgb in enumerate(pictures):
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb48le").reformat(
                format="yuv420p10le",
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=_OUT,
            )
            picture.pts, picture.time_base = number, Fraction(1, 30)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return path


def deep_frames(path: Path) -> list[Deep]:
    """All frames as (H, W, 3) uint16, by the file's own tags."""
    out = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            rgb = frame.reformat(
                format="rgb48le",
                src_colorspace=int(frame.colorspace),
                dst_colorspace=int(frame.colorspace),
                src_color_range=ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=_IN,
            )
            out.append(np.asarray(rgb.to_ndarray(), np.uint16))
    return out


def deep_psnr_db(one: Deep, other: Deep) -> float:
    """Peak signal to noise over all 16-bit values."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 120.0 if error == 0 else 10 * float(np.log10(65535**2 / error))


def interlaced_clip(path: Path, count: int = 12, pictures: Sequence[npt.NDArray[np.uint8]] | None = None) -> Path:
    """A bright bar that moves 4 px from field to field, upper field first; or two of `pictures` in each frame."""
    shown = [_bar(moment) for moment in range(2 * count)] if pictures is None else pictures
    height, width = shown[0].shape[:2]
    with av.open(str(path), "w") as container:
        options = {"flags": "+ildct+ilme", "field_order": "tt", "b": "4M"}
        video = container.add_stream("mpeg2video", rate=25, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 25)
        )
        tag, sink = graph.add("setfield", "tff"), graph.add("buffersink")
        graph.link_nodes(source, tag, sink).configure()
        for number in range(len(shown) // 2):
            rgb = shown[2 * number].copy()
            rgb[1::2] = shown[2 * number + 1][1::2]
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            graph.vpush(picture)
            tagged = graph.vpull()
            container.mux(video.encode(tagged))
        container.mux(video.encode(None))
    return path


def _bar(moment: int) -> npt.NDArray[np.uint8]:
    rgb = np.full((64, 96, 3), 60, np.uint8)
    x = 4 * moment % 84
    rgb[:, x : x + 12] = 220
    return rgb


def combing(rgb: npt.NDArray[np.uint8]) -> float:
    """How much odd rows differ from the even rows around them: large where two fields show two moments."""
    grey = rgb[..., 1].astype(np.float64)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


def rich_clip(path: Path, pictures: Sequence[npt.NDArray[np.uint8]], *, cover: bool = True) -> Path:
    """Two voices and two subtitles with languages, a cover picture, and timed metadata with places, as MP4 or MKV."""
    time_base = Fraction(1, 30)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30, options={"crf": "6", "preset": "veryfast"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.time_base = video.codec_context.time_base = time_base
        tones = [_tone(out, language) for language in ("deu", "fra")]
        lines = ((100, 300, "Hallo"), (320, 390, "zwei\nZeilen"))
        texts = TextTracks((TextTrack("deu", lines), TextTrack("eng", ((50, 250, "Hello"),))))
        texts.add_to(out, path.suffix)
        data = _data_stream(out) if path.suffix == ".mp4" else None
        picture_stream = _cover_stream(out) if cover else None
        out.metadata.update({"location": "+48.8577+002.2950/", "title": "PLANTEDtitle"})
        for number, rgb in enumerate(pictures):
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = number, time_base
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        for number, (tone, hz) in enumerate(zip(tones, (440, 330), strict=True)):
            _sing(out, tone, hz, blocks=24 - number)
        out.mux(list(texts.until(None)))
        if data is not None:
            _put(out, data, b"PLANTEDgps" + struct.pack(">2d", 48.8577, 2.295), 0)
        if picture_stream is not None:
            _put(out, picture_stream, jpeg_bytes(), 0)
    return path


def _tone(out: OutputContainer, language: str) -> Any:
    tone = out.add_stream("aac", rate=48_000)
    tone.metadata["language"] = language
    tone.metadata["title"] = "PLANTEDvoice"
    return tone


def _sing(out: OutputContainer, tone: Any, hz: float, blocks: int) -> None:
    for block in range(blocks):
        seconds = (np.arange(1024) + block * 1024) / 48_000
        wave = (0.3 * np.sin(2 * np.pi * hz * seconds)).astype(np.float32)
        samples = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        samples.sample_rate, samples.pts, samples.time_base = 48_000, block * 1024, Fraction(1, 48_000)
        out.mux(tone.encode(samples))
    out.mux(tone.encode(None))


def _data_stream(out: OutputContainer) -> Any:
    stream = out.add_data_stream("bin_data")
    stream.time_base = Fraction(1, 1000)
    return stream


def _cover_stream(out: OutputContainer) -> Any:
    stream = out.add_mux_stream("mjpeg", width=32, height=24)
    stream.disposition = av.stream.Disposition.attached_pic
    return stream


def _put(out: OutputContainer, stream: Any, content: bytes, pts: int) -> None:
    packet: Any = av.Packet(content)
    packet.stream, packet.pts, packet.dts = stream, pts, pts
    packet.time_base = Fraction(1, 1000)
    packet.is_keyframe = True
    out.mux(packet)


def jpeg_of(rgb: npt.NDArray[np.uint8]) -> bytes:
    """A JPEG of a picture."""
    from PIL import Image

    out = BytesIO()
    Image.fromarray(rgb).save(out, format="JPEG")
    return out.getvalue()
