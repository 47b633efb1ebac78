"""Which encoder makes which picture, and how each is told its quality, its speed and its HDR values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from anonymizer.clip import ClipInfo, HdrValues

CodecName = Literal["h264", "hevc", "av1"]
SPEEDS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_SVT_SPEEDS = (10, 9, 8, 8, 7, 6, 5, 4, 3)  # SVT-AV1's presets, one for each of SPEEDS
# The same picture to the eye: x265 and SVT-AV1 count their quality otherwise than x264.
_HEVC_CRF_8_BITS = -1  # 45.7 dB around faces against an untouched film; 45.1 with 0, 43 with 2 (deep clips: 50)
_HEVC_CRF_MORE, _AV1_CRF_TIMES, _AV1_CRF_MOST = 2, 1.4, 63
# x264 by default lets what a face looks like decide how fine the rest of the picture and the frames around are.
# So nothing is shared out: outside the faces a film is then 47 dB and more from an untouched one, not 43, at 1.15 to
# 1.35 times the size. And with mbtree one of some 200 encodings of the same frames had other bits (docs/notes).
_X264_LOCAL = "mbtree=0:aq-mode=0:b-adapt=0:qcomp=1"


@dataclass(frozen=True, slots=True)
class Codec:
    """encoder: FFmpeg's name. reorder: frames that the encoder may decode ahead of showing. tag: for MP4 and MOV."""

    name: CodecName
    encoder: str
    reorder: int
    tag: str | None


CODECS: dict[CodecName, Codec] = {
    "h264": Codec("h264", "libx264", 2, None),
    "hevc": Codec("hevc", "libx265", 2, "hvc1"),  # Apple's players want this one
    "av1": Codec("av1", "libsvtav1", 0, None),
}


def codec_for(wanted: str, info: ClipInfo) -> Codec:
    """wanted: a name, or "auto": H.264 for 8 bits; for more, HEVC, which players that know HDR play."""
    if wanted == "auto":
        return CODECS["hevc" if info.deep else "h264"]
    return next(codec for codec in CODECS.values() if codec.name == wanted)


def encoder_options(codec: Codec, info: ClipInfo, crf: int, speed: str, threads: int) -> dict[str, str]:
    """What the encoder is told. crf: as x264 counts, 0 to 51. threads: 0 = its own choice."""
    if codec.name == "h264":
        return {"crf": str(crf), "preset": speed, "x264-params": _X264_LOCAL}
    if codec.name == "hevc":
        parts = ["log-level=none", "info=0"]  # info: its version and settings, written into the picture
        if threads:
            parts += [f"pools={threads}", f"frame-threads={min(threads, 4)}"]
        parts += _x265_hdr(info.hdr)
        more = min(51, max(1, crf + (_HEVC_CRF_MORE if info.deep else _HEVC_CRF_8_BITS))) if crf else 0
        return {"crf": str(more), "preset": speed, "x265-params": ":".join(parts)}
    parts = _svt_hdr(info.hdr)
    if threads:
        parts.append(f"lp={threads}")
    more = max(1, min(_AV1_CRF_MOST, round(crf * _AV1_CRF_TIMES)))
    options = {"crf": str(more), "preset": str(_SVT_SPEEDS[SPEEDS.index(speed)])}
    return options | ({"svtav1-params": ":".join(parts)} if parts else {})


def _x265_hdr(hdr: HdrValues | None) -> list[str]:
    """x265 counts chromaticity in 0.00002 and luminance in 0.0001 cd/m²."""
    parts = []
    if hdr is not None and hdr.mastering is not None:
        m = hdr.mastering
        points = [f"{name}({round(x * 50000)},{round(y * 50000)})" for name, (x, y) in m.points().items()]
        parts.append(f"master-display={''.join(points)}L({round(m.max_nits * 10000)},{round(m.min_nits * 10000)})")
    if hdr is not None and hdr.content_light is not None:
        parts.append(f"max-cll={hdr.content_light[0]},{hdr.content_light[1]}")
    return parts


def _svt_hdr(hdr: HdrValues | None) -> list[str]:
    parts = []
    if hdr is not None and hdr.mastering is not None:
        m = hdr.mastering
        points = [f"{name}({x:.5f},{y:.5f})" for name, (x, y) in m.points().items()]
        parts.append(f"mastering-display={''.join(points)}L({m.max_nits:.4f},{m.min_nits:.4f})")
    if hdr is not None and hdr.content_light is not None:
        parts.append(f"content-light={hdr.content_light[0]},{hdr.content_light[1]}")
    return parts
