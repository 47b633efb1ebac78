"""Temples and cheeks as light as the rest of a face: shadows of hair, drawn into a portrait's skin, were dark rings
about the eyes of another's face."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import Floats
from anonymizer.persona.skin_about import lightened, places, usual_skin, without_narrow

# How much of what is darker than the skin further in by more than ALLOWED (log brightness) is taken: of shadows wider
# than a brow, with all that lies on them, and of narrower ones where there are neither brows nor eyes. Of 127 pictures
# 33 looked better to a judge of pairs, 1 worse.
SHARE, ALLOWED = 0.85, 0.06
NARROW_SHARE, NARROW_ALLOWED = 0.8, 0.08
BROW_PX = 37  # what is darker and narrower is a brow, a lash or a line
ASIDE, NARROW_ASIDE = (70, 110), (112, 138)  # px from the middle, from where and to where more and more is taken
ROWS = (5, 45), (350, 410)  # likewise downwards, and from where on less and less
HUE = 0.8, 0.25, 10.0  # of `lightened`


def with_light_temples(log: Floats, features: Floats) -> Floats:
    """Skin (440, 512, 3), log colour, without wide shadows at its sides. features (440, 512): 1 where brows and eyes
    are."""
    grey = log.mean(2)
    wide = without_narrow(grey, BROW_PX, (2.5, 6))
    usual = usual_skin(wide, log - grey[..., None], features)
    lighter = SHARE * _at_sides(features.shape, ASIDE, smooth=True) * np.maximum(usual[..., 0] - wide - ALLOWED, 0)
    lighter = cv2.GaussianBlur(lighter, (0, 0), 4)
    bare = 1 - cv2.GaussianBlur(cv2.dilate(features, np.ones((9, 9), np.uint8)), (0, 0), 5)
    darker = usual[..., 0] - cv2.GaussianBlur(grey + lighter, (0, 0), 3) - NARROW_ALLOWED
    lighter += NARROW_SHARE * _at_sides(features.shape, NARROW_ASIDE) * bare * np.maximum(darker, 0)
    return lightened(log, lighter, usual[..., 1:], HUE)


def _at_sides(shape: tuple[int, ...], aside: tuple[int, int], smooth: bool = False) -> Floats:
    """(H, W): 0 further in than aside, 1 further out, within ROWS."""
    y, x = places(shape)
    (top, below_top), (above_bottom, bottom) = ROWS
    window = np.clip((x - aside[0]) / (aside[1] - aside[0]), 0, 1) * np.clip((y - top) / (below_top - top), 0, 1)
    window *= np.clip((bottom - y) / (bottom - above_bottom), 0, 1)
    return np.asarray(window * window * (3 - 2 * window) if smooth else window, np.float32)
