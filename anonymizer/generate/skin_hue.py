"""The new face in the hue of the skin that stays in sight above it: beside a forehead it was mauve or grey.

Brightness is left as the network says it: hair and shadow lie there, too.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.persona.surroundings import SKIN_HIGH, SKIN_LOW

# Of the way to that hue. Off by, rms in log colour, where such skin is seen: .052 without and .044 with .4 on 144
# photos of London and Congress, .030 and .024 on OpenPeople, .107 and .108 on 488 made portraits of coloured light.
SHARE = 0.4
ALIKE = 0.5  # log brightness: what is darker than the face by more is hair (with it made portraits were off by .115)
SURE_PX = 48  # of a crop of 192 px; less skin counts less, so that nothing jumps when some comes into sight
# A face's middle over the skin around it, log colour: redder. Means of the four: .033, .013, .037, .040 in red.
REDDER = np.array([0.03, -0.027, -0.003], np.float32)
MOST = 0.3  # of a channel's log, that it may be away before the share is taken
REACH_SHARE = 0.055  # of the crop's side, from the hole
ABOVE = 0.3  # of the hole's height, from its top: further down are hair, walls and shaded necks
_LIT_PERCENTILE = 40  # of what looks like skin; the darker is hair
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def in_hue_of_skin(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with its gain and bias (G, G, 3) in another hue, as bright; the same where no skin is in sight."""
    shown = crop.guide_coverage > 0.5
    skin = skin_above(crop)
    if not len(skin) or not shown.any():
        return face
    luma = skin @ _LUMA
    seen = np.median(skin[luma >= np.percentile(luma, _LIT_PERCENTILE)], 0)
    size = shown.shape[::-1]
    gain, bias = (cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR) for grid in (face.gain, face.bias))
    own = np.maximum(np.median((gain * crop.guide_rgb + bias)[shown], 0), 0.02)
    share = SHARE * _trust(len(skin) * (192 / size[0]) ** 2, float(np.log(np.maximum(seen, 0.02) / own).mean()))
    if share <= 0:
        return face
    tint = np.exp(share * np.clip(_hue(seen) + REDDER - _hue(own), -MOST, MOST))
    tint = (tint * (own @ _LUMA) / ((own * tint) @ _LUMA)).astype(np.float32)
    return replace(face, gain=face.gain * tint, bias=face.bias * tint)


def _trust(px: float, brighter: float) -> float:
    """0 to 1: so much skin, by so much brighter than the face (log)."""
    return float(np.clip(px / SURE_PX, 0, 1) * np.clip(3 * (1 - abs(brighter) / ALIKE), 0, 1))


def skin_above(crop: FaceCrop) -> Floats:
    """RGB (n, 3) [0, 1] of what looks like skin close above the hole, outside it."""
    size = crop.hole.shape[0]
    hidden = (crop.hole > 0.02).astype(np.uint8)
    rows = np.flatnonzero(hidden.any(1))
    if not len(rows):
        return np.zeros((0, 3), np.float32)
    below = rows[0] + int(ABOVE * np.ptp(rows))
    reach = 2 * round(REACH_SHARE * size) + 1
    near = cv2.dilate(hidden, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))[:below]
    ring = (near > 0) & (cv2.dilate(hidden, np.ones((3, 3), np.uint8))[:below] == 0)
    rgb = (np.clip(crop.context_rgb[:below], 0, 1) * 255).astype(np.uint8)
    if not rgb.size:
        return np.zeros((0, 3), np.float32)
    skin = ring & (cv2.inRange(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), SKIN_LOW, SKIN_HIGH) > 0)
    return np.asarray(crop.context_rgb[:below][skin], np.float32)


def _hue(rgb: Floats) -> Floats:
    """(3,) log colour without its mean."""
    log = np.log(np.maximum(rgb, 0.02))
    return np.asarray(log - log.mean(), np.float32)
