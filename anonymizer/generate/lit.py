"""The guide as the network lights it: at every EVERY-th px, enough to speak of a whole face, and in the crop."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace

EVERY = 4  # of the crop's rows and columns one is looked at


def lit_guide(face: SyntheticFace, crop: FaceCrop) -> Floats:
    """RGB (n, 3), 0 to about 1, of the px that the guide covers; n may be 0."""
    shown = crop.guide_coverage[::EVERY, ::EVERY] > 0.5
    size = shown.shape[::-1]
    gain, bias = (cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR) for grid in (face.gain, face.bias))
    return np.asarray((gain * crop.guide_rgb[::EVERY, ::EVERY] + bias)[shown], np.float32)


def seen_crop(face: SyntheticFace, crop: FaceCrop) -> Floats:
    """(S, S, 3) RGB [0, 1]: the surroundings and in the hole what is painted, the lit guide by the matte over it."""
    size = crop.hole.shape[::-1]
    gain, bias = (cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR) for grid in (face.gain, face.bias))
    shown = (face.matte * crop.guide_coverage)[..., None]
    inside = face.inpaint_rgb + shown * (gain * crop.guide_rgb + bias - face.inpaint_rgb)
    return np.asarray(np.clip(crop.context_rgb + crop.hole[..., None] * inside, 0, 1), np.float32)
