"""What a frame shows around a face's hole, in a few dozen numbers: what a face's likely colour is learnt from.

Read from px outside the hole alone: skin by chroma in five regions, and how bright and coloured all of it is.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats, Mask

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
HULL_PX = 64  # height of the hole when it is looked at
# Skin by chroma and not too dark (Chai and Ngan, "Face segmentation using skin-color map", 1999), a little wider.
SKIN_LOW, SKIN_HIGH = np.array([14, 134, 77]), np.array([250, 178, 127])
# Regions as shares of the hull's width and height, from its upper left: neck, both sides, above, chest.
REGIONS = (
    (0.22, 0.9, 0.78, 1.4),
    (-0.35, 0.3, 0.1, 0.8),
    (0.9, 0.3, 1.35, 0.8),
    (0.0, -0.3, 1.0, 0.15),
    (-0.6, 0.95, 1.6, 1.5),
)
_REACH = (-0.6, -0.3, 1.6, 1.5)  # all of them
_LIT = (60, 97)  # percentiles of brightness between which skin is averaged
_FEWEST_PX = 12
COUNT = len(REGIONS) * 7 + 5 + 6 + 1


def features(
    rgb: npt.NDArray[np.uint8], unknown: Mask, hull_px: npt.NDArray[np.float64], usual_rgb: Floats
) -> npt.NDArray[np.float64]:
    """(COUNT,) numbers, the last of them 1. rgb (H, W, 3) with unknown (H, W) not 0 where it was erased; hull_px
    (N, 2): the hole; usual_rgb (3,) [0, 1]: the colour that others are held against."""
    part, known, (x0, y0, width, height) = _looked_at(rgb, unknown, hull_px)
    usual = np.log(usual_rgb)
    log = np.log(np.maximum(part / np.float32(255), np.float32(0.01)))
    luma = np.log(np.maximum(part @ (LUMA / 255), 0.01))
    skin = looks_like_skin(part) & known
    out: list[float] = []
    for left, top, right, bottom in REGIONS:
        box = (_span(y0, height, top, bottom, len(part)), _span(x0, width, left, right, part.shape[1]))
        out += _of_skin(log[box], luma[box], skin[box], usual)
    shares = np.percentile(luma[skin], (20, 50, 80, 95)) - usual.mean() if skin.sum() >= _FEWEST_PX else None
    out += [0.0] * 5 if shares is None else [1.0, *shares]
    out += _of_all(log[known], luma[known])
    return np.array([*out, 1.0])


def looks_like_skin(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(H, W): which px of rgb (H, W, 3) have a chroma of skin."""
    return np.asarray(cv2.inRange(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), SKIN_LOW, SKIN_HIGH) > 0)


def _looked_at(
    rgb: npt.NDArray[np.uint8], unknown: Mask, hull_px: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], tuple[float, float, float, float]]:
    """The part of the frame that REGIONS lie in, shrunk to HULL_PX; which px of it are wholly known; the hull there."""
    (x0, y0), (x1, y1) = hull_px.min(0), hull_px.max(0)
    width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    rows, columns = unknown.shape
    top, bottom = (int(np.clip(y0 + share * height, 0, rows)) for share in (_REACH[1], _REACH[3]))
    left, right = (int(np.clip(x0 + share * width, 0, columns)) for share in (_REACH[0], _REACH[2]))
    part, hidden = rgb[top:bottom, left:right], unknown[top:bottom, left:right]
    if not part.size:
        return np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.bool_), (0.0, 0.0, 1.0, 1.0)
    scale = min(1.0, HULL_PX / height)
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    known = cv2.resize((hidden > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA) == 0
    return small, known, ((x0 - left) * scale, (y0 - top) * scale, width * scale, height * scale)


def _span(start: float, length: float, low: float, high: float, most: int) -> slice:
    first, last = (int(np.clip(round(start + share * length), 0, most)) for share in (low, high))
    return slice(first, last)


def _of_skin(log: Floats, luma: Floats, skin: npt.NDArray[np.bool_], usual: Floats) -> list[float]:
    """Whether there is skin; brightness and hue of what is lit of it, middle brightness, share, spread."""
    count = int(skin.sum())
    if count < _FEWEST_PX:
        return [0.0] * 7
    of_it = luma[skin]
    low, high = np.percentile(of_it, _LIT)
    away = log[skin][(of_it >= low) & (of_it <= high)].mean(0) - usual
    grey = float(away.mean())
    return [
        1.0,
        grey,
        *(away - grey)[:2],
        float(np.median(of_it) - usual.mean()),
        count / skin.size,
        float(of_it.std()),
    ]


def _of_all(log: Floats, luma: Floats) -> list[float]:
    if len(luma) < _FEWEST_PX:
        return [0.0] * 6
    high, middle = np.percentile(luma, (97, 50))
    mean = log.mean(0)
    return [float(v) for v in (luma.mean() + 1.5, high + 0.5, middle + 1.5, luma.std(), *(mean - mean.mean())[:2])]
