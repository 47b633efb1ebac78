"""What a camera and its cable do to a picture: darkness, blur, noise, compression. Backgrounds without anybody."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.frames import RgbImage


@dataclass(frozen=True, slots=True)
class Camera:
    """gain: of the light, 1 = day. cast: factors of red, green, blue. noise: standard deviation, grey levels.

    blur_px: length of a smear along x. jpeg: quality 1 to 100, 0 = none. Noise comes last but for compression.
    """

    gain: float = 1.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = 2.0
    blur_px: int = 0
    jpeg: int = 0

    def take(self, rgb: RgbImage, rng: np.random.Generator) -> RgbImage:
        """The picture (H, W, 3) as the camera gives it."""
        seen = rgb
        if self.blur_px > 1:
            seen = np.asarray(cv2.blur(seen, (self.blur_px, 1)), np.uint8)
        lit = seen.astype(np.float32) * (np.array(self.cast, np.float32) * np.float32(self.gain))
        if self.noise:
            lit += _noise(rng, rgb.shape) * np.float32(self.noise)
        out = np.clip(lit + 0.5, 0, 255).astype(np.uint8)
        return _compressed(out, self.jpeg) if self.jpeg else out


_FIELD_SIDE = 2048


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Normal values of a shape: a window of a fixed field at a random place, which is much faster than drawing."""
    height, width = shape[:2]
    if height > _FIELD_SIDE // 2 or width > _FIELD_SIDE // 2:
        return rng.standard_normal(shape, np.float32)
    y, x = rng.integers(0, _FIELD_SIDE - height), rng.integers(0, _FIELD_SIDE - width)
    return _field()[y : y + height, x : x + width]


_fields: list[npt.NDArray[np.float32]] = []


def _field() -> npt.NDArray[np.float32]:
    if not _fields:
        _fields.append(np.random.default_rng(11).standard_normal((_FIELD_SIDE, _FIELD_SIDE, 3), np.float32))
    return _fields[0]


def _compressed(rgb: RgbImage, quality: int) -> RgbImage:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)


def room(seed: int, size_px: tuple[int, int]) -> RgbImage:
    """(H, W, 3): walls, a floor, furniture, frames and lamps, nobody."""
    rng = np.random.default_rng(seed)
    width, height = size_px
    wall, floor = rng.uniform(90, 230, 3), rng.uniform(50, 160, 3)
    rgb = np.empty((height, width, 3), np.float32)
    rgb[:] = wall * np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.9, 1.1), width)[None, :, None]
    line = int(height * rng.uniform(0.6, 0.85))
    rgb[line:] = floor
    canvas = np.clip(rgb, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(4, 11))):
        x, y = int(rng.uniform(-0.1, 1) * width), int(rng.uniform(-0.1, 1) * height)
        w, h = int(rng.uniform(0.04, 0.3) * width), int(rng.uniform(0.05, 0.4) * height)
        colour = tuple(float(c) for c in rng.uniform(20, 240, 3))
        if rng.random() < 0.75:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, -1)
            cv2.rectangle(canvas, (x, y), (x + w, y + h), tuple(c * 0.7 for c in colour), 2)
        else:
            cv2.ellipse(canvas, (x, y), (max(w // 2, 1), max(h // 2, 1)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.6, 2.5))), np.uint8)
