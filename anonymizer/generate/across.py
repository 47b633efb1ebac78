"""Across the edge of a hole: where, outside it, the texture lies that goes on inside."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats

REACH_SHARE = 12 / 128  # of the crop's side: how deep into the hole texture goes on, and how far outside it is taken
# Less of it downwards, where the neck is smooth and a collar or a chain would come back: nothing at 53 degrees below
# the horizontal, all of it at 8.
LEAST_DOWN, MOST_DOWN = 0.133, 0.8
LEAST_PX, MARGIN_PX = 6.0, 3.0  # texture is taken so far away at least, and so much further than the gap is wide


@dataclass(frozen=True, slots=True, eq=False)
class Across:
    """All (S, S) float32. inward_x, inward_y: unit vector away from the edge. back_px: so far back along it the texture
    of a px lies, outside the hole where the edge is straight. share: how much of it goes on, falling to 0 in the depth
    and downwards, 0 outside the hole."""

    inward_x: Floats
    inward_y: Floats
    back_px: Floats
    share: Floats


def across(crop: FaceCrop) -> Across:
    """Moved, not mirrored: mirrored strands of hair make chevrons along the edge. By no more than the gap between
    edge and guide is wide: a wall lies beyond thin hair."""
    size = crop.hole.shape[0]
    reach_px = REACH_SHARE * size
    depth = cv2.distanceTransform((crop.hole >= 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    smooth = cv2.GaussianBlur(depth, (9, 9), 2.0)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, along, 1 - along) for along in (1, 0))
    length = cv2.magnitude(x, y) + np.float32(1e-6)
    window = np.ones((2 * int(reach_px / 2) + 1,) * 2, np.uint8)
    bare = np.where(crop.guide_coverage < 0.5, depth, np.float32(0))
    gap = cv2.blur(cv2.dilate(bare, window), window.shape)
    back = np.maximum(np.clip(gap + MARGIN_PX, LEAST_PX, reach_px + 1), np.minimum(depth + 2, reach_px + 1))
    x, y = x / length, y / length
    sideways = np.clip((MOST_DOWN + y) / (MOST_DOWN - LEAST_DOWN), 0, 1)
    share = np.clip(1.5 * (1 - depth / reach_px), 0, 1) * sideways * (depth > 0)
    return Across(*(np.asarray(each, np.float32) for each in (x, y, back, share)))


def smoothed(crop: FaceCrop, sigma_px: float) -> Floats:
    """(S, S, 3) RGB [0, 1]: what is known, blurred by that standard deviation in crop px."""
    side = 2 * int(np.ceil(2 * sigma_px)) + 1
    colour = cv2.GaussianBlur(crop.context_rgb, (side, side), sigma_px)
    known = np.maximum(cv2.GaussianBlur(1 - crop.hole, (side, side), sigma_px), np.float32(1e-3))
    return np.asarray(cv2.divide(colour, cv2.merge([known] * 3)), np.float32)
