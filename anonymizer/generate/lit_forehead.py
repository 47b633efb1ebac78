"""A forehead as light as the face below it: the network takes hair's shadow far down, and foreheads were grey, or red
and orange where hair is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, SyntheticFace

LEAST = 0.9  # of the light on the face below; of 39 pictures that differ 21 looked better to a judge of pairs, 9 worse
FACE = 0.3, 0.75  # of the guide's height, from its top: what is lit below the forehead
FOREHEAD = 0.25, 0.45  # up to where it is forehead wholly, and at all
SPREAD = 0.12  # of the grid's side: how far columns go with their neighbours (standard deviation)
LIFTED = 0.25  # log light: what is lifted by that has the face's hue alone
SOFT_CELLS = 0.8  # standard deviation
_FEWEST_ROWS = 4


def lit_forehead(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with its gain (G, G, 3) on the forehead at least LEAST of that in the same columns below."""
    cells = len(face.gain)
    coverage = cv2.resize(crop.guide_coverage, (cells, cells), interpolation=cv2.INTER_AREA)
    rows = np.flatnonzero((coverage > 0.5).any(1))
    if len(rows) < _FEWEST_ROWS:
        return face
    height = (np.arange(cells) - rows[0]) / np.ptp(rows)
    below = coverage * ((height > FACE[0]) & (height < FACE[1]))[:, None]
    log = np.log(np.maximum(face.gain, np.float32(0.02)))
    light = log.mean(2)
    hue = log - light[..., None]
    usual = (below[..., None] * hue).sum((0, 1)) / np.maximum(below.sum(), np.float32(1e-3))
    least = _across(below * light) / np.maximum(_across(below), np.float32(1e-3)) + np.log(LEAST)
    share = np.clip((FOREHEAD[1] - height) / (FOREHEAD[1] - FOREHEAD[0]), 0, 1)[:, None]
    lift = cv2.GaussianBlur((share * np.maximum(least - light, 0)).astype(np.float32), (0, 0), SOFT_CELLS)[..., None]
    lifted = light[..., None] + lift + hue + np.minimum(lift / LIFTED, 1) * (usual - hue)
    return replace(face, gain=np.exp(lifted).astype(np.float32))


def _across(grid: npt.NDArray[np.floating]) -> Floats:
    """(G, G) -> (G,): sums of columns, with their neighbours'."""
    sums = np.asarray(grid.sum(0, dtype=np.float32)[None], np.float32)
    spread = cv2.GaussianBlur(sums, (0, 0), sigmaX=SPREAD * grid.shape[1], sigmaY=0.01, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(spread[0], np.float32)
