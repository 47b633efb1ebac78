"""A face that does not move before a camera that does not either: a photo played over and over with sensor noise.

What moves inside the hole then is the tool's own doing. Noise: Poisson and read noise of a cheap webcam indoors,
NOISE_LEVELS of 255 in the middle tones, another draw in every frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Mask
from anonymizer.frames import Frame, RgbImage

NOISE_LEVELS = 2.0
LONG_SIDE_PX = 640
COARSE = 4  # px that are averaged for what the eye sees moving; noise of single pixels goes

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Jitter:
    """Mean standard deviation over time of the pixels inside the hole, levels of 255; fine, and of 4 × 4 means."""

    fine: float
    coarse: float


def still_frames(rgb: RgbImage, count: int, seed: int, fps_hz: float = 30.0) -> Iterator[Frame]:
    """`count` frames of the photo, LONG_SIDE_PX at most, as a camera gives them."""
    scale = min(1.0, LONG_SIDE_PX / max(rgb.shape[:2]))
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    still = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    random = np.random.default_rng(seed)
    for index in range(count):
        sigma = NOISE_LEVELS * np.sqrt(np.clip(still, 16, 255) / 128)
        noisy = still + random.normal(0, 1, still.shape) * sigma
        yield Frame(np.clip(np.round(noisy), 0, 255).astype(np.uint8), index, index / fps_hz)


def jitter_inside(frames: Sequence[RgbImage], hole: Mask) -> Jitter:
    """hole: (H, W), uint8; its rim of a few px is left out."""
    inside = cv2.erode(hole, np.ones((7, 7), np.uint8)) > 0
    height, width = (side // COARSE * COARSE for side in inside.shape)
    blocks = inside[:height, :width].reshape(height // COARSE, COARSE, width // COARSE, COARSE).all((1, 3))
    stack = np.stack([frame[:height, :width] for frame in frames]).astype(np.float32)
    means = stack.reshape(len(stack), height // COARSE, COARSE, width // COARSE, COARSE, 3).mean((2, 4))
    return Jitter(float(stack.std(0)[inside[:height, :width]].mean()), float(means.std(0)[blocks].mean()))


def consecutive_cosines(vectors: npt.NDArray[np.float32]) -> Array:
    """(T, D) -> (T − 1,): of each vector with the next."""
    unit = vectors.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    return np.asarray((unit[:-1] * unit[1:]).sum(1))
