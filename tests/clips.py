"""Makes small clips with known pixels, times, sound and tags, and reads them back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Interpolation
from av.video.stream import VideoStream

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.frames import Frame

Pixels = npt.NDArray[np.uint8]

COLOURS = ((200, 40, 40), (40, 180, 60), (50, 70, 200), (210, 200, 70))  # quadrants: top left, top right, bottom
PLANTED_TAGS = {
    "title": "PLANTEDtitle",
    "comment": "PLANTEDcomment",
    "location": "+48.8577+002.2950/",
    "make": "PLANTEDmake",
    "model": "PLANTEDmodel",
    "creation_time": "2021-03-04T05:06:07.000000Z",
}


def quadrants(size_px: tuple[int, int], step: int = 0) -> Pixels:
    """(H, W, 3): four flat colours, a little lighter with every step."""
    width, height = size_px
    rgb = np.empty((height, width, 3), np.uint8)
    rows, columns = (slice(0, height // 2), slice(height // 2, None)), (slice(0, width // 2), slice(width // 2, None))
    for number, colour in enumerate(COLOURS):
        rgb[rows[number // 2], columns[number % 2]] = np.array(colour) + step
    return rgb


def gradient(size_px: tuple[int, int]) -> Pixels:
    """(H, W, 3): smooth in all channels, so that halved chroma loses nothing."""
    y, x = np.mgrid[0 : size_px[1], 0 : size_px[0]]
    u, v = x / size_px[0], y / size_px[1]
    rgb: Pixels = np.rint(np.dstack([40 + 170 * u, 60 + 140 * v, 200 - 120 * u * v])).astype(np.uint8)
    return rgb


def make_clip(
    path: Path,
    pictures: Sequence[Pixels],
    *,
    ticks: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 30),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    crf: int = 8,
    colour: tuple[int, int, int, int] = (1, 1, 1, 1),  # H.273 matrix, range, primaries, transfer
    swscale_matrix: int = 1,
    rotation_deg: float | None = None,
    mirrored: bool = False,
    sound: bool = False,
    tags: bool = False,
) -> Path:
    """Encode `pictures`, picture n at ticks[n], with a sine tone and planted tags if asked for."""
    options = {"movflags": "+use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        options = {"crf": str(crf), "preset": "veryfast"}
        video = cast(VideoStream, container.add_stream(codec, rate=30, options=options))
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.time_base = video.codec_context.time_base = time_base
        context = video.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
        if rotation_deg is not None:
            video.set_display_rotation(rotation_deg, hflip=mirrored)
        tone = container.add_stream("aac", rate=48_000) if sound else None
        if tags:
            container.metadata.update(PLANTED_TAGS)
            for stream in container.streams:
                stream.metadata["title"] = "PLANTEDstream"
                stream.metadata["handler_name"] = "PLANTEDhandler"
        for number, rgb in enumerate(pictures):
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                format=pix_fmt,
                src_colorspace=swscale_matrix,
                dst_colorspace=swscale_matrix,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if colour[1] == 2 else ColorRange.MPEG,
                interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP,
            )
            picture.pts, picture.time_base = (ticks[number] if ticks else number), time_base
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if tone is not None:
            for block in range(40):
                seconds = (np.arange(1024) + block * 1024) / 48_000
                wave = (0.3 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
                samples = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
                samples.sample_rate, samples.pts, samples.time_base = 48_000, block * 1024, Fraction(1, 48_000)
                container.mux(tone.encode(samples))
            container.mux(tone.encode(None))
    return path


def read_frames(path: Path) -> list[Frame]:
    """All frames, upright."""
    reader = VideoReader(path)
    try:
        return list(iter(reader.read, None))
    finally:
        reader.close()


def audio_packets(path: Path) -> list[tuple[Fraction, str]]:
    """Start in seconds and hash of every packet of the first audio stream."""
    with av.open(str(path)) as container:
        return [
            (Fraction(packet.pts or 0) * packet.time_base, hashlib.sha256(bytes(packet)).hexdigest())
            for packet in container.demux(container.streams.audio[0])
            if packet.dts is not None
        ]


def psnr_db(one: Pixels, other: Pixels) -> float:
    """Peak signal to noise over all values."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))
