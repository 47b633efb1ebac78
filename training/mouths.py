"""Teeth and tongues: what stands between open lips, taken from photos into the atlas's mouth patch."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Face, Floats
from anonymizer.geometry import rotation_from_vector, yaw_pitch_roll
from anonymizer.perceive.motion import fit_motion, motion_in_head
from anonymizer.persona import atlas
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.landmark_groups import LIP_LOWER_INNER, LIP_UPPER_INNER, LIPS_INNER
from training.landmark_photos import PhotoLandmarks, read_rgb

SIZE_PX = (atlas.MOUTH.x1 - atlas.MOUTH.x0, atlas.MOUTH.y1 - atlas.MOUTH.y0)
MIN_OPEN_CM = 0.55  # between the inner lips
MIN_SCALE = 14  # px per cm of the photo, else teeth are mush
MAX_YAW_RAD = 0.3
KEEP = 5


def mouth_patches(photos: Iterable[PhotoLandmarks], model: FaceModel) -> list[npt.NDArray[np.uint8]]:
    """(128, 192, 3) uint8 RGB mouths with bright teeth, most teeth first."""
    found = []
    for photo in photos:
        patch = _patch(photo, model)
        if patch is not None:
            found.append(patch)
    found.sort(key=lambda scored: -scored[0])
    return [patch for _, patch in found[:KEEP]]


def _patch(photo: PhotoLandmarks, model: FaceModel) -> tuple[float, npt.NDArray[np.uint8]] | None:
    face = Face(Box(0, 0, 1, 1), 1.0, photo.landmarks_px, photo.expression)
    motion = fit_motion(face, model)
    head = motion_in_head(face, motion)
    opening = head[LIP_LOWER_INNER, 1] - head[LIP_UPPER_INNER, 1]
    scale = float(np.exp(motion.pose[2]))
    if opening < MIN_OPEN_CM or scale < MIN_SCALE or abs(yaw_pitch_roll(motion.pose[3:])[0]) > MAX_YAW_RAD:
        return None
    shape = head[:468] - model.head(photo.expression)
    anchor = model.head(model.resting_expression, np.asarray(shape, np.float32))[LIP_UPPER_INNER]
    rotation = rotation_from_vector(motion.pose[3:])
    xy = _patch_points(anchor) @ rotation.T * scale + np.array([*motion.pose[:2], 0])
    mapped = xy[:, :2].reshape(SIZE_PX[1], SIZE_PX[0], 2).astype(np.float32) - 0.5
    rgb = cv2.remap(read_rgb(photo.path), mapped[..., 0], mapped[..., 1], cv2.INTER_LINEAR)
    mask = _opening_mask(head[list(LIPS_INNER), :2], anchor)
    inside = rgb[mask > 0].astype(np.float32)
    if len(inside) < 400:
        return None
    teeth = (inside.min(1) > 120) & (np.ptp(inside, 1) < 70)
    if teeth.mean() < 0.2:
        return None
    return float(teeth.sum()), complete(np.asarray(rgb, np.uint8), mask)


def _patch_points(anchor_cm: Floats) -> npt.NDArray[np.float64]:
    x = np.linspace(*atlas.MOUTH_X_CM, SIZE_PX[0]) + anchor_cm[0]
    y = np.linspace(*atlas.MOUTH_Y_CM, SIZE_PX[1]) + anchor_cm[1]
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    return np.concatenate([grid, np.full((len(grid), 1), anchor_cm[2] + 0.5)], 1)


def _opening_mask(lips_cm: npt.NDArray[np.float64], anchor_cm: Floats) -> npt.NDArray[np.uint8]:
    start = np.array([atlas.MOUTH_X_CM[0], atlas.MOUTH_Y_CM[0]]) + anchor_cm[:2]
    span = np.array([np.ptp(atlas.MOUTH_X_CM), np.ptp(atlas.MOUTH_Y_CM)])
    polygon = ((lips_cm - start) / span * SIZE_PX).astype(np.int32)
    mask = np.zeros(SIZE_PX[::-1], np.uint8)
    cv2.fillPoly(mask, [polygon], 255)
    return np.asarray(cv2.erode(mask, np.ones((5, 5), np.uint8)), np.uint8)


def complete(rgb: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What no lip opened on this photo: gums above, the dark of the mouth and a tongue below."""
    height, width = mask.shape
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    gum, dark, tongue = np.array([150, 82, 80]), np.array([46, 16, 16]), np.array([100, 48, 47])
    above, below = (np.clip((rows - start) / 0.25, 0, 1)[..., None] for start in (0.08, 0.5))
    base = gum + (dark - gum) * above + (tongue - dark) * below
    columns = (np.arange(width, dtype=np.float32) / width - 0.5)[None, :, None]
    base = base * np.clip(1.15 - (np.abs(columns) * 2) ** 3, 0.15, 1)
    near = cv2.GaussianBlur(mask, (0, 0), 3).astype(np.float32) / 255
    inside = np.minimum(near * 2, 1) * (mask > 0)
    soft = np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.5), np.float32)[..., None]
    return np.asarray(np.clip(rgb * soft + base * (1 - soft), 0, 255), np.uint8)
