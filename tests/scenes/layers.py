"""A picture of one thing, with what is known of every pixel of it; and how such things lie over one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Floats, MotionCode
from anonymizer.frames import RgbImage

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """rgb (h, w, 3) uint8 and opacity alpha (h, w) float32 [0, 1], whose top left pixel is (x, y) of the frame.

    inner (h, w) bool: eyes, nose and mouth of a face and what lies between them; all False for things.
    code: the head's true pose where it is known. yaw: of a head that keeps its own, degrees.
    face_width_px: of a head seen from the front, 0 for things.
    """

    x: int
    y: int
    rgb: RgbImage
    alpha: Floats
    inner: Bools
    face_width_px: float = 0.0
    code: MotionCode | None = None
    yaw: float | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """Where and how a head is seen. center_px: of the face. width_px: of the face seen from the front.

    yaw: to the image's right; pitch: down; roll: clockwise; degrees. mouth: 0 shut to 1 open.
    """

    center_px: tuple[float, float]
    width_px: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    mouth: float = 0.0


class Person(Protocol):
    """Somebody who can be drawn in a pose. A photo's person keeps the photo's own yaw and pitch."""

    def draw(self, pose: Pose) -> Layer: ...


@dataclass(frozen=True, slots=True, eq=False)
class TrueFace:
    """What is known of one face in one frame.

    person: who. box: around all of the inner region, in the frame or not. inner (h, w) bool at (x, y): the pixels of it
    that the frame shows. share: how much of the inner region is shown, 0 to 1. yaw, roll: degrees.
    """

    person: int
    box: Box
    x: int
    y: int
    inner: Bools
    share: float
    width_px: float
    yaw: float
    roll: float
    code: MotionCode | None

    @property
    def visible(self) -> bool:
        return bool(self.inner.any())

    @property
    def where(self) -> tuple[slice, slice]:
        """Rows and columns of the frame that `inner` speaks of."""
        height, width = self.inner.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)

    def within(self, shape: tuple[int, ...]) -> Bools:
        """`inner` at the size of a frame, (H, W)."""
        mask = np.zeros(shape[:2], bool)
        mask[self.where] = self.inner
        return mask


def stack(background: RgbImage, layers: Sequence[Layer]) -> tuple[RgbImage, list[Bools]]:
    """Layers over a background (H, W, 3), the last in front -> the picture, and of each layer the part of its `inner`,
    (H, W) bool, that nothing in front hides by half or more."""
    out = background.astype(np.float32)
    shape = background.shape[:2]
    shown: list[Bools] = []
    for layer in layers:
        rows, columns, part = _inside(layer, shape)
        alpha = layer.alpha[part]
        out[rows, columns] += (layer.rgb[part] - out[rows, columns]) * alpha[..., None]
        for mask in shown:
            mask[rows, columns] &= alpha < 0.5
        mask = np.zeros(shape, bool)
        mask[rows, columns] = layer.inner[part] & (alpha >= 0.5)
        shown.append(mask)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8), shown


def _inside(layer: Layer, shape: tuple[int, ...]) -> tuple[slice, slice, tuple[slice, slice]]:
    """The frame's rows and columns that a layer takes, and the layer's own."""
    height, width = layer.alpha.shape
    x0, y0 = (min(max(at, 0), end) for at, end in ((layer.x, shape[1]), (layer.y, shape[0])))
    x1, y1 = max(x0, min(layer.x + width, shape[1])), max(y0, min(layer.y + height, shape[0]))
    own = slice(y0 - layer.y, y1 - layer.y), slice(x0 - layer.x, x1 - layer.x)
    return slice(y0, y1), slice(x0, x1), own


def box_of(layer: Layer) -> Box:
    """Around a layer's inner region, in frame px."""
    rows, columns = np.nonzero(layer.inner)
    if not len(rows):
        return Box(layer.x, layer.y, layer.x, layer.y)
    return Box(
        float(layer.x + columns.min()),
        float(layer.y + rows.min()),
        float(layer.x + columns.max() + 1),
        float(layer.y + rows.max() + 1),
    )
