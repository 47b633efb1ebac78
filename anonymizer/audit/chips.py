"""Bring a face to where a recogniser expects it, by five points taken from the landmarks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.frames import RgbImage
from anonymizer.geometry import fit_similarity
from anonymizer.persona.landmark_groups import EYE_CORNERS

Array = npt.NDArray[np.float64]

NOSE_TIP, NOSE_BASE, MOUTH_CORNERS = 4, 2, (61, 291)
# ArcFace's template: eyes, nose tip and mouth corners in a 112 px crop (Deng et al. 2019, insightface).
ARCFACE_PX = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
ARCFACE_CROP_PX = 112


def five_points(landmarks_px: Floats) -> Array:
    """(5, 2): eye at the image's left, the other, nose tip, mouth corners."""
    xy = landmarks_px[:, :2].astype(np.float64)
    eyes = [xy[list(corners)].mean(0) for corners in EYE_CORNERS]
    return np.stack([*eyes, xy[NOSE_TIP], *xy[list(MOUTH_CORNERS)]])


def chip_from_frame(landmarks_px: Floats, template_px: Array) -> Array:
    """(2, 3) similarity that brings the five points nearest to template_px (5, 2)."""
    source, target = (np.pad(p, ((0, 0), (0, 1))) for p in (five_points(landmarks_px), template_px))
    scale, rotation, shift = fit_similarity(source, target, np.ones(5))
    return np.concatenate([scale * rotation[:2, :2], shift[:2, None]], 1)


def cut_chip(rgb: RgbImage, matrix: Array, side_px: int) -> RgbImage:
    """(side_px, side_px, 3): rgb (H, W, 3) through the frame-to-chip matrix (2, 3); its edge goes on outside."""
    import cv2

    flags, border = cv2.INTER_AREA, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(rgb, matrix, (side_px, side_px), flags=flags, borderMode=border), np.uint8)
