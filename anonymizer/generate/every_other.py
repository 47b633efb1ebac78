"""A cheaper network: asked about every second frame only. Its answer moves with the face in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, SyntheticFace
from anonymizer.stages import FaceGenerator

MOST_STEP = 0.2  # of a crop's side that a face may have moved for the answer before to be good enough


class EveryOther:
    """A FaceGenerator that asks `generator` for new faces and for every second look at known ones.

    Crops lie on the face, so light, matte and fill of the frame before fit the pose of this one; what they show of the
    surroundings is a frame older. Faces that came, went or jumped are asked about at once.
    """

    def __init__(self, generator: FaceGenerator) -> None:
        self._generator = generator
        self._last: tuple[tuple[FaceCrop, ...], tuple[SyntheticFace, ...]] | None = None

    @property
    def size_px(self) -> int:
        return self._generator.size_px

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        last, self._last = self._last, None
        if last is not None and _alike(last[0], crops, self.size_px):
            return last[1]
        answers = self._generator.generate(crops)
        self._last = tuple(crops), answers
        return answers


def _alike(before: Sequence[FaceCrop], now: Sequence[FaceCrop], size_px: int) -> bool:
    """The same faces in the same order, near where they were."""
    return len(before) == len(now) and all(
        _step(a.crop_from_frame, b.crop_from_frame, size_px) < MOST_STEP for a, b in zip(before, now, strict=True)
    )


def _step(before: npt.NDArray[np.float64], now: npt.NDArray[np.float64], size_px: int) -> float:
    """How far the crop's corners have moved, as a share of its side."""
    corners = np.array([[0, 0, 1], [size_px, 0, 1], [0, size_px, 1]], np.float64)
    inverse = np.linalg.inv(np.vstack([now, [0, 0, 1]]))
    back = (inverse @ corners.T)[:2].T
    seen = np.hstack([back, np.ones((3, 1))]) @ before.T
    return float(np.abs(seen - corners[:, :2]).max() / size_px)
