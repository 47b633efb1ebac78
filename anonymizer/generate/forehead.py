"""One forehead instead of two: what the network carries on of the skin above takes the new face's hue.

Between the hole's upper rim and the persona the wearer's own forehead goes on in what is painted, and stood as a strip
of another colour above the new one.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.persona.surroundings import LUMA, looks_like_skin

SHARE = 0.9  # of the way to the new face's hue; of what is brighter than the new face BRIGHTER_SHARE of that
BRIGHTER_SHARE = 0.4
DARK = 1.5  # log brightness below the new face at which nothing is changed: hair
MOST = 0.7  # log colour
ABOVE = 0.3  # of the hole's height, from its top; over the last LAST of it less and less
LAST = 0.15
ASIDE, EDGE = 0.9, 0.4  # of half the guide's width: how far from its middle, and over how much of that less and less
SPREAD_SHARE = 0.16  # of the crop's side: how far about the new face's edge its colour is taken
SURE = 0.01  # of that window, that the new face has to fill


def one_forehead(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with what is painted above the guide, and looks like skin, in the lit guide's hue."""
    rows = np.flatnonzero((crop.hole > 0.5).any(1))
    columns = np.flatnonzero((crop.guide_coverage > 0.5).any(0))
    if not len(rows) or not len(columns):
        return face
    end = rows[0] + int(ABOVE * np.ptp(rows))
    target, sure = _colour_nearby(face, crop, end)
    painted = face.inpaint_rgb[:end]
    hole = crop.hole[:end, :, None]
    seen = np.clip(crop.context_rgb[:end] + hole * painted, 0, 1).astype(np.float32)
    apart = np.log(np.maximum(cv2.blur(seen, (3, 3)), np.float32(0.02))) - target
    brighter = (apart @ LUMA.astype(np.float32))[..., None]
    hue = (apart - brighter) * np.clip(1 + brighter / DARK, 0, 1)
    less = SHARE * np.clip(BRIGHTER_SHARE * np.maximum(brighter, 0) + hue, -MOST, MOST)
    weight = _skin(seen) * sure * _window(rows, columns, end, crop.hole.shape[1])
    inpaint = face.inpaint_rgb.copy()
    inpaint[:end] = painted * np.exp(-less * weight[..., None])
    return replace(face, inpaint_rgb=inpaint)


def _colour_nearby(face: SyntheticFace, crop: FaceCrop, end: int) -> tuple[Floats, Floats]:
    """(end, S, 3) log colour of the lit guide where it shows, carried on beyond it, and (end, S) how surely."""
    size = crop.hole.shape[0]
    side = 2 * round(SPREAD_SHARE * size / 2) + 1
    reach = min(end + side, size)
    gain, bias = (
        cv2.resize(grid, (size, size), interpolation=cv2.INTER_LINEAR)[:reach] for grid in (face.gain, face.bias)
    )
    shows = ((face.matte * crop.guide_coverage)[:reach] > 0.6).astype(np.float32)
    log = np.log(np.clip(gain * crop.guide_rgb[:reach] + bias, 0.02, 1)) * shows[..., None]
    sums, weight = (cv2.blur(cv2.blur(each, (side, side)), (side, side))[:end] for each in (log, shows))
    colour = sums / np.maximum(weight, np.float32(1e-4))[..., None]
    return np.asarray(colour, np.float32), np.asarray(np.clip(weight / SURE, 0, 1), np.float32)


def _skin(rgb: Floats) -> Floats:
    """(h, w): 1 where rgb (h, w, 3) looks like skin, with soft edges."""
    skin = looks_like_skin((rgb * 255).astype(np.uint8))
    return np.asarray(cv2.blur(skin.astype(np.float32), (3, 3)), np.float32)


def _window(rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], end: int, width: int) -> Floats:
    """(end, width): 1 above the guide's middle, 0 at its sides and at the last row."""
    half = ASIDE * np.ptp(columns) / 2
    across = (half - np.abs(np.arange(width) - (columns[0] + columns[-1]) / 2)) / max(EDGE * half, 1)
    down = (end - np.arange(end)) / max(LAST * np.ptp(rows), 1)
    return np.asarray(np.clip(down, 0, 1)[:, None] * np.clip(across, 0, 1)[None], np.float32)
