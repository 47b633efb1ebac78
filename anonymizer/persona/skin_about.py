"""What skin looks like around a px of the atlas: of forehead and cheeks, carried on to where there is none."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import Floats

SKIN = (25, 110), 300, (60, 170)  # px aside, last row, and where the nose is: so far aside, from that row on
SKIN_PX = 64.0  # standard deviation: skin so far about tells how light a px should be


def usual_skin(grey: Floats, hue: Floats, features: Floats) -> Floats:
    """(440, 512, 4): mean log brightness and hue of skin about each px. grey (440, 512), hue (440, 512, 3);
    features (440, 512): 1 where brows and eyes are."""
    known = _skin(features)
    values = np.dstack([grey, hue]) * known[..., None]
    small = cv2.resize(np.dstack([values, known]), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    sums = cv2.GaussianBlur(small, (0, 0), SKIN_PX / 4)
    mean = sums[..., :-1] / np.maximum(sums[..., -1:], np.float32(1e-4))
    return np.asarray(cv2.resize(mean, known.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def lightened(log: Floats, lighter: Floats, skin_hue: Floats, hue: tuple[float, float, float]) -> Floats:
    """log (440, 512, 3) brighter by lighter (440, 512), and in skin_hue (440, 512, 3) where it is. hue: the share of
    its own that it gives up, for which lighter (log) it gives up all of that, and how coarse that hue is (px)."""
    share, depth, px = hue
    grey = log.mean(2)
    own = log - grey[..., None]
    taken = share * np.clip(lighter / depth, 0, 1)[..., None] * (skin_hue - cv2.GaussianBlur(own, (0, 0), px))
    return np.asarray((grey + lighter)[..., None] + (own + taken), np.float32)


def without_narrow(grey: Floats, narrow_px: int, soft_px: tuple[float, float]) -> Floats:
    """Log brightness (440, 512) without what is dark and narrower than that, blurred before and after."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (narrow_px, narrow_px))
    wide = cv2.morphologyEx(cv2.GaussianBlur(grey, (0, 0), soft_px[0]), cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), soft_px[1]), np.float32)


def places(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Row of each px, and how far it lies from the middle column."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return y, np.abs(x - shape[1] / 2)


def _skin(features: Floats) -> Floats:
    """(440, 512): 1 on forehead and cheeks, not on the nose, the mouth, the sides and features."""
    y, aside = places(features.shape)
    (nearest, furthest), last_row, (nose, nose_row) = SKIN
    skin = (aside > nearest) & (aside < furthest) & (y < last_row) & ~((y > nose_row) & (aside < nose))
    return np.asarray(skin * (1 - np.clip(2 * features, 0, 1)), np.float32)
