"""Pictures with more than 8 bits: how PQ and HLG are shown to the stages, and the values of their mastering screen.

The stages know ordinary pictures. So an HDR frame is shown to them through a rising curve, the same for each channel,
and what they painted goes back through its inverse.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from anonymizer.clip import Mastering
from anonymizer.frames import Depth

PQ, HLG = 16, 18  # H.273 transfer characteristics
_WHITE_NITS = 203.0  # ITU-R BT.2408: diffuse white
_HLG_WHITE = 0.75  # of the signal, the same white
_PQ_PEAK_NITS = 1000.0  # what is shown as the brightest; above, everything is white to the stages


def parse_mastering(data: bytes) -> Mastering | None:
    """From FFmpeg's AVMasteringDisplayMetadata: ten rationals (r, g, b, white, min, max), then two flags."""
    if len(data) < 88:
        return None
    numbers = struct.unpack("=22i", data[:88])
    if not (numbers[20] and numbers[21]) or any(numbers[i] == 0 for i in range(1, 20, 2)):
        return None
    v = [numbers[i] / numbers[i + 1] for i in range(0, 20, 2)]
    return Mastering((v[0], v[1]), (v[2], v[3]), (v[4], v[5]), (v[6], v[7]), min_nits=v[8], max_nits=v[9])


def parse_content_light(data: bytes) -> tuple[int, int] | None:
    """From FFmpeg's AVContentLightMetadata."""
    if len(data) < 8:
        return None
    most, average = struct.unpack("=2I", data[:8])
    return (most, average) if most else None


def depth_of(rgb16: npt.NDArray[np.uint16], transfer: int) -> Depth:
    """A deep frame with the curve of its transfer function (H.273)."""
    to_8bit, from_8bit = _curve(transfer if transfer in (PQ, HLG) else 0)
    return Depth(rgb16, to_8bit, from_8bit)


@lru_cache(maxsize=3)
def _curve(transfer: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """(65536,) uint8 and (256,) uint16. transfer 0: 8 bits are the upper part of 16."""
    code = np.arange(65536) / 65535
    if transfer == 0:
        shown = code
    else:
        linear = _pq_linear(code) if transfer == PQ else _hlg_linear(code)
        most = _PQ_PEAK_NITS / _WHITE_NITS if transfer == PQ else float(_hlg_linear(np.ones(1))[0])
        linear = np.minimum(linear, most)
        shown = _srgb(linear * (1 + linear / most**2) / (1 + linear))  # Reinhard's curve, white at `most`
    to_8bit = np.rint(shown * 255).astype(np.uint8)
    middles = np.interp(np.arange(256) / 255, np.maximum.accumulate(shown), code)
    return to_8bit, np.rint(middles * 65535).astype(np.uint16)


def _pq_linear(code: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """SMPTE ST 2084: code 0 to 1 -> light, 1 = diffuse white."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = code ** (1 / m2)
    nits: npt.NDArray[np.float64] = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return nits / _WHITE_NITS


def _hlg_linear(code: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """ITU-R BT.2100 HLG, inverse OETF: code 0 to 1 -> scene light, 1 = diffuse white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073

    def light(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)

    return light(code) / light(np.array([_HLG_WHITE]))


def _srgb(linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
