"""The hole: which pixels of the frame are erased. Made of pose and expression alone, never of the face's own outline.

`face` is the average head's face, moved by the code, with a margin; `head` is an ellipsoid with ears, hair line
and jaw; `box` is the rectangle around that. All outlines have the same 64 directions for everybody.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Mask, MotionCode
from anonymizer.geometry import convex_outline
from anonymizer.perceive.motion import JAW_OPEN, MAX_RESTING_JAW
from anonymizer.persona.face_model import FaceModel, project

Coverage = Literal["face", "head", "box"]
FACE_MARGIN = np.array([1.16, 1.14, 1.0], np.float32)  # of the average face, about its middle
FACE_GROW_CM = 0.6
# An average head in cm: breadth with ears 18.5, crown to chin 23, forehead to back of the head 19.5 (NASA-STD-3000,
# 50th percentile male, with ears), and its middle behind and above the origin.
HEAD_CENTER_CM = np.array([0.0, -1.2, 2.6], np.float32)
HEAD_RADII_CM = np.array([9.6, 12.6, 9.8], np.float32)


def hull(code: MotionCode, coverage: Coverage, model: FaceModel) -> npt.NDArray[np.float64]:
    """Convex outline of the hole in frame px, (64, 2), or (4, 2) for `box`."""
    expression = code.expression.copy()
    expression[JAW_OPEN] += MAX_RESTING_JAW  # what a baseline may have taken off: the chin can hang lower
    head = model.head(expression)
    middle = (head.min(0) + head.max(0)) / 2
    widened = project(code, (head - middle) * FACE_MARGIN + middle)[:, :2]
    face = convex_outline(widened, grow_px=FACE_GROW_CM * code.scale_px_per_cm)
    if coverage == "face":
        return face
    ellipsoid = project(code, _ELLIPSOID_CM)[:, :2]
    outline = convex_outline(np.concatenate([ellipsoid, face]))
    if coverage == "head":
        return outline
    (x0, y0), (x1, y1) = outline.min(0), outline.max(0)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def box_outline(box: Box) -> npt.NDArray[np.float64]:
    """(4, 2) corners."""
    return np.array([[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]])


def oval_outline(box: Box) -> npt.NDArray[np.float64]:
    """(32, 2): the oval in a box, which has to be the larger for it: see cover_of in anonymizer.perceive.doubts."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    (x, y), half = box.center, (box.width / 2, box.height / 2)
    return np.stack([x + half[0] * np.cos(angle), y + half[1] * np.sin(angle)], 1)


def fill_hole(mask: Mask, outline: npt.NDArray[np.float64]) -> None:
    """Set every pixel that the outline (N, 2) touches to 255, in place."""
    import cv2

    shift = 4  # 1/16 px; pixel centres are at .5 here and at 0 in cv2
    points = np.round((np.clip(outline, -4e4, 4e4) - 0.5) * (1 << shift)).astype(np.int32)
    cv2.fillConvexPoly(mask, points, 255, lineType=cv2.LINE_8, shift=shift)


def _sphere(count: int = 240) -> npt.NDArray[np.float32]:
    """Points spread evenly on the unit sphere (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], 1).astype(np.float32)


_ELLIPSOID_CM = _sphere() * HEAD_RADII_CM + HEAD_CENTER_CM
