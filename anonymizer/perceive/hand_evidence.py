"""Is a finger where its joints say? Along a bone its colour hardly changes; where it does, the bone leaves the hand.

Looks that agree can all be wrong alike: a curled finger drawn on as if it were stretched, one that ends behind a head.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.frames import RgbImage
from anonymizer.guard.hands import FINGERS

SAMPLES, SIDE = 9, 3  # of a bone; to each side of the place where a step may be
TIP_REACH = 0.95  # of the last bone; its core ends before that
# Of cv2's 8-bit Lab, on a hand brought to LIT. In 1,200 made frames with a hand before or behind a head no sure pixel
# lay on a face's features with 12, 15 and 18; with 22 there were 74 in two frames, as many as without any limit.
MOST_STEP = 17.0
FAR_PX = 1e4  # by so much is wrong what lies outside the frame
LIT, MOST_GAIN = 170.0, 8.5
DOUBTED = 1.5  # half breadths by which the far joint of a bone with a step may be wrong: drawn, but not sure


def doubting(
    rgb: RgbImage, points_px: npt.NDArray[np.float64], spread_px: npt.NDArray[np.float64], half_px: float
) -> npt.NDArray[np.float64]:
    """spread_px (21,), grown where the frame's colours speak against a bone; half_px: half a finger's breadth."""
    picture, at = _around(rgb, points_px, half_px)
    if picture.size == 0:
        return spread_px + FAR_PX
    paths = _paths(points_px - at)
    lab = _lit_lab(picture, paths)
    grown = spread_px.copy()
    for finger, path in zip(FINGERS, paths, strict=True):
        first = _first_step(_read(lab, path))
        if first is not None:
            beyond = list(finger[1 + first // SAMPLES :])
            grown[beyond] = np.maximum(grown[beyond], DOUBTED * half_px)
    return grown


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
    """(fingers, 3 · SAMPLES, 2): places along each finger, from its root to near its tip."""
    share = np.linspace(0, 1, SAMPLES, endpoint=False)[:, None]
    out = []
    for finger in FINGERS:
        ends = points_px[list(finger)]
        ends[-1] = ends[-2] + TIP_REACH * (ends[-1] - ends[-2])
        out.append(np.concatenate([near + share * (far - near) for near, far in pairwise(ends)]))
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


def _first_step(colours: npt.NDArray[np.float32]) -> int | None:
    """Where a path's (N, 3) colours change first, and by more than a finger's do; None where they never do."""
    for at in range(SIDE, len(colours) - SIDE + 1):
        before, after = colours[at - SIDE : at].mean(0), colours[at : at + SIDE].mean(0)
        if float(np.linalg.norm(before - after)) > MOST_STEP:
            return max(0, at - SIDE)
    return None
