"""Keeps what the network paints beside a face within the colours that are there: no rims lighter than the wall behind,
no dark collars below chins.

A young network overshoots where wall, ear and neck meet. Nothing that is painted in may be lighter than the lightest of
what is in sight around it, or of the guide, nor much darker than the darkest; and what has the hue of the wall beside
it not lighter than that wall: neither a white collar nor a light cheek says anything of it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats
from anonymizer.generate.conditioning import KNOWN_HOLE

REACH_SHARE = 0.2  # of the crop's side, to each side: from the neck beside a chin to the wall and the collar
# The same of what is close, the blur that takes single lights from it, and what of that blur has to be in sight.
NEAR_SHARE, NEAR_BLUR_PX, NEAR_LEAST = 0.06, 5, 0.3
SAME_CHROMA = 0.03  # a wall so near to the guide's chroma (shares of the sum of R, G and B) is not told from skin
MARGIN = 0.01
SHADE = 0.9  # of the darkest in reach: a chin throws a shadow
CELLS = 48  # of the crop's side, in which the darkest is looked for, and chroma
GRAIN_CELLS = 3, 3  # what is dark over less, such as nostrils and lips, is not the darkest


def in_range(inpaint_rgb: Floats, crop: FaceCrop) -> Floats:
    """inpaint_rgb (S, S, 3) of [0, 1], nowhere lighter than the crop's context and guide nearby, nor darker than SHADE
    of them: light of the skin's hue is added, with the shade's own there were grey stripes below chins."""
    known = crop.hole < KNOWN_HOLE
    seen = known | (crop.guide_coverage > 0)
    brightness = _lightest(np.where(known[..., None], crop.context_rgb, crop.guide_rgb)) * seen
    window = _window(crop.hole.shape[0])
    high = cv2.dilate(brightness, window)
    high[high == 0] = 1  # nothing is in reach
    high = cv2.blur(high, window.shape[::-1])  # else the window's corners show
    near, close = _lightest_close(brightness * known, known)
    close *= 1 - _like_the_guide(inpaint_rgb, crop)
    high = np.asarray(high + close * (np.minimum(near, high) - high) + MARGIN, np.float32)
    low = _darkest_in_reach(brightness, seen) * np.float32(SHADE)
    own = _lightest(inpaint_rgb)
    less = np.minimum(high / np.maximum(own, np.float32(1e-6)), 1)
    out = np.asarray(inpaint_rgb * less[..., None], np.float32)
    more = np.minimum(low, high) - own
    dark = more > 0
    out[dark] += more[dark][:, None] * _skin_hue(crop)
    return out


def _lightest_close(brightness: Floats, seen: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(S, S) the lightest within NEAR_SHARE, and (S, S) how surely: 1 well within reach, 0 from its end on."""
    blur, window = (NEAR_BLUR_PX, NEAR_BLUR_PX), _window(len(seen), NEAR_SHARE)
    weight = cv2.blur(seen.astype(np.float32), blur)
    means = np.where(weight > NEAR_LEAST, cv2.blur(brightness, blur) / np.maximum(weight, np.float32(1e-3)), 0)
    high = cv2.dilate(np.asarray(means, np.float32), window)
    found = (high > 0).astype(np.float32)
    share = cv2.blur(found, window.shape[::-1])
    high = cv2.blur(high, window.shape[::-1]) / np.maximum(share, np.float32(1e-3))
    return np.asarray(high, np.float32), np.asarray(np.clip(2 * share - 1, 0, 1) * found, np.float32)


def _like_the_guide(rgb: Floats, crop: FaceCrop) -> Floats:
    """(S, S): 0 where rgb has the chroma of what is known close by, 1 where that of the guide, or where the two are one
    or there is no guide. Of CELLS."""
    cells = (CELLS, CELLS)
    context = cv2.resize(crop.context_rgb, cells, interpolation=cv2.INTER_AREA)  # 0 where it is unknown
    around = _chroma(np.asarray(cv2.blur(context, _window(CELLS, NEAR_SHARE).shape[::-1]), np.float32))
    way = _chroma(_guide_colour(crop)[None, None]) - around
    length = (way * way).sum(2)
    painted = np.asarray(cv2.resize(rgb, cells, interpolation=cv2.INTER_AREA), np.float32)
    share = ((_chroma(painted) - around) * way).sum(2)
    like = np.where(length > SAME_CHROMA**2, np.clip(share / np.maximum(length, np.float32(1e-6)), 0, 1), 1)
    smooth = cv2.resize(like.astype(np.float32), rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth, np.float32)


def _chroma(rgb: Floats) -> Floats:
    """(h, w, 3): shares of the sum."""
    return np.asarray(rgb / np.maximum(rgb.sum(2, keepdims=True), np.float32(1e-3)), np.float32)


def _guide_colour(crop: FaceCrop) -> Floats:
    """(3,) the guide's mean colour times its share of the crop: it is 0 where there is none."""
    return np.array(cv2.mean(crop.guide_rgb)[:3], np.float32)


def _skin_hue(crop: FaceCrop) -> Floats:
    """(3,) of the guide's mean colour, the largest of them 1; grey without a guide."""
    mean = _guide_colour(crop)
    return np.asarray(mean / mean.max() if mean.max() > 0 else np.ones(3), np.float32)


def _darkest_in_reach(brightness: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    """(S, S): the least of the means over GRAIN_CELLS, of what is seen; 0 where nothing is in reach."""
    size = (CELLS, CELLS)
    share = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    sums = cv2.blur(cv2.resize(brightness, size, interpolation=cv2.INTER_AREA), GRAIN_CELLS)
    weight = cv2.blur(share, GRAIN_CELLS)
    means = np.where(weight > 0.5, sums / np.maximum(weight, np.float32(1e-6)), np.float32(2))
    window = _window(CELLS)
    low = cv2.erode(means, window)
    low[low > 1] = 0
    low = cv2.blur(low, window.shape[::-1])
    return np.asarray(cv2.resize(low, seen.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _lightest(rgb: Floats) -> Floats:
    """(S, S): the largest of the three; forty times as fast as `max` over the last axis."""
    return np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])


def _window(size: int, reach_share: float = REACH_SHARE) -> npt.NDArray[np.uint8]:
    side = 2 * round(reach_share * size) + 1
    return np.ones((side, side), np.uint8)


__all__ = ["in_range"]
