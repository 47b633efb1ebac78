"""Which part of an anonymized face still speaks: each is hidden in turn in the aligned picture.

Hidden means: its surroundings flow in, so that no new edge is made. What the recogniser then no longer knows, that
part told it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.audit.chips import Array
from anonymizer.audit.detail import BROWS, NOSE
from anonymizer.faces import Floats
from anonymizer.frames import RgbImage
from anonymizer.guard.coverage import fill_hole
from anonymizer.guard.fallback import diffuse
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIPS_OUTER

Mask = npt.NDArray[np.uint8]
REGIONS = ("hair", "ears and sides", "forehead", "brow and eyes", "nose", "cheeks", "mouth", "chin and jaw", "neck")
SIDE_SHARE = 0.35  # of the face's width: so far to each side reach ears and sideburns


def hidden_region(chip: RgbImage, chip_from_frame: Array, landmarks_px: Floats, region: str) -> RgbImage:
    """A copy of the aligned picture (S, S, 3) with one of REGIONS filled from around it."""
    points = landmarks_px[:, :2] @ chip_from_frame[:, :2].T + chip_from_frame[:, 2]
    mask = region_mask(points, chip.shape[0], region)
    out = chip.copy()
    if mask.any() and not mask.all():
        out[mask > 0] = diffuse(chip, mask)[mask > 0]
    return out


def region_mask(points: Array, side_px: int, region: str) -> Mask:
    """(S, S), 255 in the region. points: mesh in the aligned, so upright, picture (468 or more, 2)."""
    oval = _filled(points[list(FACE_OVAL)], side_px)
    inner = {
        "brow and eyes": _filled(points[[*EYE_LEFT, *EYE_RIGHT, *BROWS]], side_px, 0.03),
        "nose": _filled(points[list(NOSE)], side_px, 0.01),
        "mouth": _filled(points[list(LIPS_OUTER)], side_px, 0.02),
    }
    if region in inner:
        return inner[region]
    rows, columns = np.mgrid[0:side_px, 0:side_px] + 0.5
    brow, lip = points[list(BROWS), 1].min(), points[list(LIPS_OUTER), 1].max()
    low, high = points[list(FACE_OVAL), 0].min(), points[list(FACE_OVAL), 0].max()
    reach = SIDE_SHARE * (high - low)
    beside = (columns > low - reach) & (columns < high + reach)
    rest = (oval > 0) & ~np.any([mask > 0 for mask in inner.values()], axis=0)
    outside = oval == 0
    masks = {
        "hair": outside & (rows < brow),
        "ears and sides": outside & (rows >= brow) & (rows < lip) & beside,
        "forehead": rest & (rows < brow),
        "cheeks": rest & (rows >= brow) & (rows < lip),
        "chin and jaw": rest & (rows >= lip),
        "neck": outside & (rows >= lip),
    }
    return np.asarray(masks[region] * 255, np.uint8)


def _filled(points: Array, side_px: int, grow: float = 0.0) -> Mask:
    """The convex hull of points, grown by a share of the picture."""
    import cv2

    mask = np.zeros((side_px, side_px), np.uint8)
    fill_hole(mask, np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0], np.float64))
    width = 2 * round(grow * side_px) + 1
    return np.asarray(cv2.dilate(mask, np.ones((width, width), np.uint8)), np.uint8) if width > 1 else mask
