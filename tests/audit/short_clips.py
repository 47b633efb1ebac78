"""The first frames of a clip, and clips of frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.frames import RgbImage


def frames_of(path: Path, count: int) -> list[RgbImage]:
    reader = VideoReader(path, 1)
    try:
        found = [reader.read() for _ in range(count)]
    finally:
        reader.close()
    return [frame.rgb for frame in found if frame is not None]


def write_clip(path: Path, frames: Sequence[RgbImage]) -> Path:
    """H.264, 25 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "16", "preset": "ultrafast"}
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        container.mux(stream.encode(None))
    return path
