"""The new face as colourful as faces are, in the hue of the skin that stays in sight above it, or of the neck: it was
mauve or grey beside them.

Brightness is left as the network says it: hair and shadow lie there, too.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.conditioning import KNOWN_HOLE
from anonymizer.generate.lit import lit_guide
from anonymizer.persona.surroundings import LUMA, looks_like_skin

# Of the way to that hue, above first, to the neck's with what trust is left. Off by, rms in log colour, without, with
# what is above, with both: .060, .051, .051 on 93 photos of Congress, .027, .030, .028 on 51 of London, .043, .041,
# .038 on OpenPeople, .116, .115, .115 on 488 made portraits, whose hue is .86, .88, .91 as strong as the real one.
SHARE = 0.4
# What learns by its error says too little: hues of 216 faces were .97, .89, .92, .84 and .99 as strong as in London,
# Congress, OpenPeople, 98 made portraits and groups; with this and the skin in sight 1.10, 1.01, 1.03, .95, 1.11. Of 78
# pictures 38 looked better to a judge of pairs, 12 worse.
STRONGER = 1.2
ALIKE = 0.5  # log brightness: what is darker than the face by more is hair (with it made portraits were off by .115)
SURE_PX = 48  # of a crop of 192 px; less skin counts less, so that nothing jumps when some comes into sight
# A face's middle over the skin around it, log colour: redder. On made portraits, OpenPeople, London and Congress by
# .033, .013, .037, .040.
REDDER = np.array([0.03, -0.027, -0.003], np.float32)
MOST = 0.3  # of a channel's log, that it may be away before the share is taken
REACH_SHARE = 0.055  # of the crop's side, from the hole
ABOVE = 0.3  # of the hole's height, from its top: further down are hair and walls
NECK = 0.85, 1.35, 0.1  # of the hole's height, from and to; of the guide's width, left out at each side
_LIT_PERCENTILE = 40  # of what looks like skin; the darker is hair
_NONE = np.zeros((0, 3), np.float32)


def in_hue_of_skin(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with its gain and bias (G, G, 3) in another hue, as bright; the same without a guide."""
    lit = lit_guide(face, crop)
    if not len(lit):
        return face
    own = np.maximum(np.median(lit, 0), 0.02)
    wanted, left = STRONGER * _hue(own), 1.0
    for skin in (skin_above(crop), skin_of_neck(crop)):
        seen, trust = _seen(skin, own, len(crop.hole))
        wanted = wanted + SHARE * left * trust * np.clip(_hue(seen) + REDDER - wanted, -MOST, MOST)
        left -= left * trust
    tint = np.exp(wanted - _hue(own))
    tint = (tint * (own @ LUMA) / ((own * tint) @ LUMA)).astype(np.float32)
    return replace(face, gain=face.gain * tint, bias=face.bias * tint)


def skin_above(crop: FaceCrop) -> Floats:
    """RGB (n, 3) [0, 1] of what looks like skin close above the hole, outside it."""
    size = crop.hole.shape[0]
    hidden = (crop.hole > KNOWN_HOLE).astype(np.uint8)
    rows = np.flatnonzero(hidden.any(1))
    if not len(rows):
        return _NONE
    below = rows[0] + int(ABOVE * np.ptp(rows))
    reach = 2 * round(REACH_SHARE * size) + 1
    near = cv2.dilate(hidden, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))[:below]
    ring = (near > 0) & (cv2.dilate(hidden, np.ones((3, 3), np.uint8))[:below] == 0)
    return _skin(crop.context_rgb[:below], ring)


def skin_of_neck(crop: FaceCrop) -> Floats:
    """RGB (n, 3) [0, 1] of what looks like skin below the hole."""
    hidden, guide = crop.hole > KNOWN_HOLE, (crop.guide_coverage > 0.5).any(0)
    rows, columns = np.flatnonzero(hidden.any(1)), np.flatnonzero(guide)
    if not len(rows) or not len(columns):
        return _NONE
    start, end = (rows[0] + int(share * np.ptp(rows)) for share in NECK[:2])
    aside = int(NECK[2] * np.ptp(columns))
    part = slice(start, end), slice(columns[0] + aside, columns[-1] - aside + 1)
    return _skin(crop.context_rgb[part], ~hidden[part])


def _skin(rgb: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    """The px of rgb (h, w, 3) that look like skin, where (h, w) says so -> (n, 3)."""
    if not rgb.size:
        return _NONE
    levels = (np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    return np.asarray(rgb[where & looks_like_skin(levels)], np.float32)


def _seen(skin: Floats, own: Floats, size_px: int) -> tuple[Floats, float]:
    """The colour (3,) of what is lit of skin (n, 3), beside a face of colour own (3,), and how far to trust it."""
    if not len(skin):
        return own, 0.0
    luma = skin @ LUMA
    lit = np.maximum(np.median(skin[luma >= np.percentile(luma, _LIT_PERCENTILE)], 0), 0.02)
    return lit, _trust(len(skin) * (192 / size_px) ** 2, float(np.log(lit / own).mean()))


def _trust(px: float, brighter: float) -> float:
    """0 to 1: so much skin, by so much brighter than the face (log)."""
    return float(np.clip(px / SURE_PX, 0, 1) * np.clip(3 * (1 - abs(brighter) / ALIKE), 0, 1))


def _hue(rgb: Floats) -> Floats:
    """Of a colour (3,) that is nowhere 0: its log without its mean."""
    log = np.log(rgb)
    return np.asarray(log - log.mean(), np.float32)
