"""The dark line between shut lips: no triangle of the mesh lies there, so that it was as light as cheeks."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.persona import atlas
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.landmark_groups import LIPS_INNER

DARKER = np.array([0.48, 0.6, 0.66], np.float32)  # log colour, of the line's middle: redder than the lips
SOFT_PX, LIPS_PX = 2.0, 3.0  # standard deviations, px of the atlas: of the line, and of lips that tell its colour


def with_lip_line(log: Floats, model: FaceModel) -> Floats:
    """Skin (440, 512, 3), log colour, with the lips' colour between them, and a dark line in it."""
    between, line = _between_lips(model)
    known = np.asarray(1 - cv2.dilate(between, np.ones((5, 5), np.uint8)), np.float32)
    sums = cv2.GaussianBlur(np.dstack([log * known[..., None], known]), (0, 0), LIPS_PX)
    lips = sums[..., :3] / np.maximum(sums[..., 3:], np.float32(1e-3))
    wider = cv2.dilate(between, np.ones((5, 3), np.uint8)).astype(np.float32)
    share = np.clip(1.2 * cv2.GaussianBlur(wider, (0, 0), 0.8), 0, 1)[..., None]
    return np.asarray(log + share * (lips - log) - line[..., None] * DARKER, np.float32)


@lru_cache(maxsize=2)
def _between_lips(model: FaceModel) -> tuple[npt.NDArray[np.uint8], Floats]:
    """(440, 512): 1 between the inner lips of a shut mouth; and the line, softer, 1 in its middle."""
    between = np.zeros((atlas.FACE_ROWS, atlas.WIDTH_PX), np.uint8)
    outline = np.round(model.uv[list(LIPS_INNER)] * (atlas.WIDTH_PX, atlas.HEIGHT_PX)).astype(np.int32)
    cv2.polylines(between, [outline], True, (1,), 1)
    cv2.fillPoly(between, [outline], (1,))
    line = cv2.GaussianBlur(between.astype(np.float32), (0, 0), SOFT_PX)
    return between, np.asarray(line / line.max(), np.float32)
