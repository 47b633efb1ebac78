"""The raw clip with noise nobody sees: what reading itself loses, the most that any face in its place could keep.

Faces of 40 px are read by what their noise happens to be, so a wanted correlation may be more than the clip has with
itself.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

NOISE = 2  # levels, the same in all channels, up and down
CRF = "18"  # of x264, hard to tell from the source


def noisy_copy(clip: Path, out: Path) -> None:
    """Write `clip` to `out` with grey noise of up to NOISE levels, the same every time; only its pictures, each at its
    time. The copy is as private as the clip. Raises what PyAV raises for a clip it cannot read."""
    rng = np.random.default_rng(0)
    with av.open(str(clip)) as source, av.open(str(out), "w") as target:
        shown = source.streams.video[0]
        stream = target.add_stream("libx264", rate=shown.average_rate, options={"crf": CRF})
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv444p"  # sizes may be odd
        if shown.time_base is not None:
            stream.codec_context.time_base = shown.time_base
        for frame in source.decode(shown):
            grey = rng.integers(-NOISE, NOISE + 1, (frame.height, frame.width, 1))
            noisy = np.clip(frame.to_ndarray(format="rgb24") + grey, 0, 255).astype(np.uint8)
            made = av.VideoFrame.from_ndarray(noisy, format="rgb24")
            made.pts, made.time_base = frame.pts, frame.time_base
            target.mux(stream.encode(made))
        target.mux(stream.encode(None))
