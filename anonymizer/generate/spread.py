"""Colours of what is known, spread smoothly to everywhere."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import Floats

_SMALLEST_PX = 4
_TRUST, _DOUBT = 4.0, 0.01  # as in `models.fill`


def spread_coarsely(premultiplied: Floats, known: Floats) -> Floats:
    """`spread` at half the size, a third of its time: for what need not meet the surroundings to the px."""
    full = known.shape[::-1]
    half = cv2.resize(np.dstack([premultiplied, known]), (full[0] // 2, full[1] // 2), interpolation=cv2.INTER_AREA)
    out = spread(np.ascontiguousarray(half[..., :-1]), np.ascontiguousarray(half[..., -1]))
    return np.asarray(cv2.resize(out, full, interpolation=cv2.INTER_LINEAR).reshape(*known.shape, -1), np.float32)


def spread(premultiplied: Floats, known: Floats) -> Floats:
    """(S, S, C) premultiplied by known (S, S) -> values everywhere: pyramid down, pyramid up."""
    levels = [np.dstack([premultiplied, known]).astype(np.float32)]
    while levels[-1].shape[0] > _SMALLEST_PX:
        side = levels[-1].shape[0] // 2
        levels.append(np.asarray(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA)))
    last = levels.pop()
    mean = last[..., :-1].mean((0, 1)) / max(float(last[..., -1].mean()), 1e-3)
    out = (last[..., :-1] + _DOUBT * mean) / (last[..., -1:] + _DOUBT)
    for level in reversed(levels):
        side = level.shape[0]
        coarse = cv2.resize(out, (side, side), interpolation=cv2.INTER_LINEAR).reshape(side, side, -1)
        weight = level[..., -1:]
        out = coarse + np.minimum(weight * _TRUST, 1) * (level[..., :-1] / np.maximum(weight, 1e-3) - coarse)
    return np.asarray(out, np.float32)
