"""Shadows that a portrait's own light drew into its skin, where on another face they are a moustache or one brow for
both eyes: about the lips and between the brows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.persona import atlas
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.landmark_groups import LIPS_OUTER

# How much of what is darker than the skin around it by more than ALLOWED (log brightness) is taken.
LIPS_SHARE, LIPS_ALLOWED = 0.9, 0.1
LIPS_WIDE, LIPS_AROUND = (56, 34), (60, 40)  # atlas px about the lips: where it is taken; and no skin to compare with
BELOW_SHARE = 0.5  # of that below the lips: a lower lip throws a shadow
BROWS_SHARE, BROWS_ALLOWED = 0.6, 0.25
BETWEEN_BROWS = (256, 118), (26, 40)
BROWS_AROUND = 12, 4
FINE_PX, SKIN_PX = 2.5, 22.0  # standard deviations: what is finer is texture; the skin around
HUE_TAKEN, DEEP = 0.8, 0.3  # of the hue of what is lightened by DEEP (log): it was orange
SOFT_PX = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """share (440, 512): of what is too dark, taken. skin (440, 512): 1 where there is skin to compare with."""

    share: Floats
    skin: Floats
    allowed: float


def without_shades(log: Floats, brows: Floats, model: FaceModel) -> Floats:
    """Skin (440, 512, 3), log colour, as light as what lies around it in those two spots. brows (440, 512): 1 where
    brows and eyes are, which tell nothing of skin."""
    mean = grey = log.mean(2)
    for spot in _spots(model):
        darker = _around(grey, spot.skin * (1 - brows)) - cv2.GaussianBlur(grey, (0, 0), FINE_PX) - spot.allowed
        grey = grey + spot.share * np.maximum(darker, 0)
    lighter = np.clip((grey - mean) / DEEP, 0, 1)
    hue = (log - mean[..., None]) * (1 - HUE_TAKEN * lighter)[..., None]
    return np.asarray(grey[..., None] + hue, np.float32)


def _around(grey: Floats, skin: Floats) -> Floats:
    """(H, W): the mean of grey (H, W) around each px where skin (H, W) is, in a quarter of the size."""
    small = cv2.resize(np.dstack([grey * skin, skin]), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    sums = cv2.GaussianBlur(small, (0, 0), SKIN_PX / 4)
    mean = np.ascontiguousarray(sums[..., 0] / np.maximum(sums[..., 1], np.float32(1e-3)))
    return np.asarray(cv2.resize(mean, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=2)
def _spots(model: FaceModel) -> tuple[Spot, Spot]:
    lips = _empty()
    uv = model.uv[list(LIPS_OUTER)] * (atlas.WIDTH_PX, atlas.HEIGHT_PX)
    cv2.fillPoly(lips, [np.round(uv).astype(np.int32)], (1,))
    top, bottom = uv[:, 1].mean(), uv[:, 1].max() + 8
    below = np.clip((np.arange(atlas.FACE_ROWS) - top) / (bottom - top), 0, 1)[:, None]
    about = _soft(_grown(lips, LIPS_WIDE), SOFT_PX) * (1 - _soft(_grown(lips, (1, 1)), 1.5))
    between = _empty()
    cv2.ellipse(between, BETWEEN_BROWS[0], BETWEEN_BROWS[1], 0, 0, 360, (1,), -1)
    return (
        Spot(LIPS_SHARE * about * (1 - BELOW_SHARE * below), 1.0 - _grown(lips, LIPS_AROUND), LIPS_ALLOWED),
        Spot(BROWS_SHARE * _soft(between, 8.0), 1.0 - _grown(between, BROWS_AROUND), BROWS_ALLOWED),
    )


def _empty() -> npt.NDArray[np.uint8]:
    return np.zeros((atlas.FACE_ROWS, atlas.WIDTH_PX), np.uint8)


def _grown(mask: npt.NDArray[np.uint8], px: tuple[int, int]) -> npt.NDArray[np.uint8]:
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px[0] + 1, 2 * px[1] + 1))
    return np.asarray(cv2.dilate(mask, ellipse), np.uint8)


def _soft(mask: npt.NDArray[np.uint8], px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), px), np.float32)
