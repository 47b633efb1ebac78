"""Is a finger where its joints say? Along a bone its colour hardly changes; where it does, the bone leaves the hand.

Looks that agree can all be wrong alike: a curled finger drawn on as if it were stretched, one that ends behind a head.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.frames import RgbImage
from anonymizer.guard.hands import FINGERS, TIP_SHARE

SAMPLES, SIDE = 9, 3  # along a bone; to each side of the place where a step may be
# Of cv2's 8-bit Lab, on a hand brought to LIT. In 1,200 made frames with a hand before or behind a head, of 1,510 bones
# on hands 69 % have no greater one, and of 6 that lay on a face's features none.
MOST_STEP = 12.0
LIT, MOST_GAIN = 170.0, 8.5
DOUBTED = 1.5  # half breadths by which the far joint of a bone with a step may be wrong: drawn, but not sure


def doubting(
    rgb: RgbImage, points_px: npt.NDArray[np.float64], spread_px: npt.NDArray[np.float64], half_px: float
) -> npt.NDArray[np.float64]:
    """spread_px (21,), grown where the frame's colours speak against a bone; half_px: half a finger's breadth."""
    picture, at = _around(rgb, points_px, half_px)
    if picture.size == 0:
        return np.full_like(spread_px, np.inf)
    paths = _paths(points_px - at)
    lab = _lit_lab(picture, paths)
    grown = spread_px.copy()
    for number, (_, far) in enumerate(_bones()):
        if _step(_read(lab, paths[number])) > MOST_STEP:
            grown[far] = max(grown[far], DOUBTED * half_px)
    return grown


def _bones() -> list[tuple[int, int]]:
    return [bone for finger in FINGERS for bone in pairwise(finger)]


def _around(
    rgb: RgbImage, points_px: npt.NDArray[np.float64], half_px: float
) -> tuple[RgbImage, npt.NDArray[np.float64]]:
    """The part of the frame that holds the hand, slightly blurred, and its corner (x, y)."""
    margin = 2 * half_px + 3
    low = np.maximum(np.floor(points_px.min(0) - margin), 0).astype(int)
    high = np.ceil(points_px.max(0) + margin).astype(int)
    part = rgb[low[1] : max(low[1], high[1]), low[0] : max(low[0], high[0])]
    if part.size:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), max(0.8, 0.15 * half_px)), np.uint8)
    return part, low.astype(np.float64)


def _paths(points_px: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """(bones, SAMPLES, 2): places along each bone's core."""
    share = np.linspace(0, 1, SAMPLES)[:, None]
    out = []
    for near, far in _bones():
        reach = TIP_SHARE if far % 4 == 0 else 1.0
        out.append(points_px[near] + share * reach * (points_px[far] - points_px[near]))
    return np.asarray(out, np.float32)


def _lit_lab(rgb: RgbImage, paths: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(h, w, 3): as cv2 has Lab in 8 bits, brightened so that the hand is as bright as in good light."""
    bright = float(np.median(_read(rgb.astype(np.float32), paths.reshape(-1, 2)).max(1)))
    gain = min(MOST_GAIN, LIT / max(bright, 1.0))
    lit = np.clip(rgb.astype(np.float32) * np.float32(gain), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(lit, cv2.COLOR_RGB2LAB), np.float32)


def _read(picture: npt.NDArray[np.float32], places: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, 3): colours at places (N, 2), pixel centres at .5."""
    x, y = (np.ascontiguousarray(places[:, axis] - np.float32(0.5))[None] for axis in (0, 1))
    seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen[0], np.float32)


def _step(colours: npt.NDArray[np.float32]) -> float:
    """The greatest change between one part of a path (SAMPLES, 3) and the next."""
    ends = range(SIDE, SAMPLES - SIDE + 1)
    return max(float(np.linalg.norm(colours[i - SIDE : i].mean(0) - colours[i : i + SIDE].mean(0))) for i in ends)
