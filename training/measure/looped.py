"""A clip as long as wanted, made of a short one: played over and over through a moving window, cuts marked."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from anonymizer.adapters.video_reader import VideoReader

ZOOM = 1.12  # the window is this much smaller than the picture, and wanders in what is left
WANDER_S = 7.3  # a round of the window; no divisor of usual clip lengths, so that no two rounds are alike


def write_looped(source: Path, target: Path, seconds: float, size_px: tuple[int, int]) -> tuple[int, list[int]]:
    """Write H.264 of `size_px` -> frames written, and the frames at which the source begins again."""
    frames, cuts = 0, []
    with av.open(str(target), "w") as container:
        stream = None
        while stream is None or frames < seconds * float(stream.average_rate or 30):
            reader = VideoReader(source, 1, exact_colour=False)
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(reader.fps_hz).limit_denominator(1001))
                stream.width, stream.height = size_px
                stream.pix_fmt, stream.options = "yuv420p", {"crf": "18", "preset": "veryfast"}
            else:
                cuts.append(frames)
            while (frame := reader.read()) is not None and frames < seconds * float(stream.average_rate or 30):
                shown = _window(frame.rgb, frames / reader.fps_hz, size_px)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
                frames += 1
            reader.close()
        container.mux(stream.encode(None))
    return frames, cuts


def _window(rgb: npt.NDArray[np.uint8], at_s: float, size_px: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The part of (H, W, 3) that is seen at a time, at size_px; the picture fills it."""
    import cv2

    height, width = rgb.shape[:2]
    scale = max(size_px[0] / width, size_px[1] / height) * ZOOM
    room = np.array([width * scale - size_px[0], height * scale - size_px[1]])
    angle = 2 * np.pi * at_s / WANDER_S
    shift = room * (0.5 + 0.5 * np.array([np.cos(angle), np.sin(1.3 * angle)]))
    matrix = np.array([[scale, 0, -shift[0]], [0, scale, -shift[1]]])
    return np.asarray(cv2.warpAffine(rgb, matrix, size_px, flags=cv2.INTER_LINEAR), np.uint8)
