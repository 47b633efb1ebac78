"""Unwrap a portrait into the atlas: hidden and grazing parts filled by symmetry, then from around."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import VERTEX_COUNT, Floats
from anonymizer.persona import atlas
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.rasterise import rasterise, vertex_normals

SIZE_PX = (atlas.WIDTH_PX, atlas.HEIGHT_PX)
SEEN_FROM, SEEN_FULLY = 0.30, 0.55  # cosine between normal and view where a texel begins to count, and counts fully


def unwrap(rgb: npt.NDArray[np.uint8], landmarks_px: Floats, model: FaceModel) -> tuple[Floats, Floats]:
    """Photo (H, W, 3) and its landmarks (478, 3) -> face texture (576, 512, 3) float32 [0, 1] RGB,
    confidence (576, 512) float32 [0, 1] of what was really seen, before filling."""
    skin = model.triangles[(model.triangles < VERTEX_COUNT).all(1)]
    points = landmarks_px[:468].astype(np.float32)
    facing = -vertex_normals(points, skin)[:, 2:]
    flat = np.concatenate([model.uv * SIZE_PX, np.zeros((468, 1), np.float32)], 1)
    drawn, which = rasterise(flat, skin, np.concatenate([points[:, :2], facing], 1), SIZE_PX)
    seen = cv2.remap(rgb, drawn[..., 0] - 0.5, drawn[..., 1] - 0.5, cv2.INTER_LINEAR)
    texture = np.asarray(seen / np.float32(255), np.float32)
    sure = np.clip((drawn[..., 2] - SEEN_FROM) / (SEEN_FULLY - SEEN_FROM), 0, 1)
    sure[which < 0] = 0
    confidence = np.asarray(cv2.GaussianBlur(sure, (0, 0), 4) * (which >= 0), np.float32)
    return fill(texture, confidence), confidence


def fill(texture: Floats, confidence: Floats) -> Floats:
    """Complete what was not seen: mirrored where the other side was seen better, else spread from around."""
    other, seen_there = texture[:, ::-1], confidence[:, ::-1]
    borrow = np.clip(seen_there - confidence, 0, 1)[..., None]
    # the borrowed side takes on this side's light
    level = _spread(texture, confidence) - _spread(other, seen_there)
    merged = texture * (1 - borrow) + (other + level) * borrow
    known = np.maximum(confidence, seen_there)
    around = _spread(merged, known)
    return np.asarray(np.clip(around + (merged - around) * known[..., None], 0, 1), np.float32)


def _spread(texture: Floats, weight: Floats) -> Floats:
    """Low frequencies, carried on beyond where weight ends: normalised Gaussians of growing width, at 1/8 size."""
    height, width = weight.shape
    small = (width // 8, height // 8)
    w = cv2.resize(weight**2, small, interpolation=cv2.INTER_AREA)
    t = cv2.resize(texture * (weight**2)[..., None], small, interpolation=cv2.INTER_AREA)
    total: Floats = np.zeros(t.shape, np.float32)
    norm: Floats = np.full(w.shape, 1e-6, np.float32)
    for sigma, share in ((3, 1.0), (8, 1e-2), (24, 1e-4)):
        norm += share * cv2.GaussianBlur(w, (0, 0), sigma)
        total += share * cv2.GaussianBlur(t, (0, 0), sigma)
    return np.asarray(cv2.resize(total / norm[..., None], (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
