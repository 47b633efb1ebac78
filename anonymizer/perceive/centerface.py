"""CenterFace, the detector that finds small, turned and many faces (Xu et al. 2019, arXiv 1911.03599).

A quarter-size heat map says where face centres are; two further maps give the box, ten the eyes, nose and mouth.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from anonymizer import quiet
from anonymizer.errors import WeightsError
from anonymizer.faces import Box, Floats
from anonymizer.frames import RgbImage
from anonymizer.perceive.detections import Detection, roll_of_eyes, suppressed
from anonymizer.perceive.onnx_shapes import with_free_size
from anonymizer.perceive.shrink import shrunk
from anonymizer.weights.locate import weight_bytes

CELL_PX = 4  # an output cell covers 4×4 input px
SIZE_STEP_PX = 32  # the network halves its input five times
MAX_CANDIDATES = 2000


def input_size(size_px: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """(width, height) for the network: `long_side_px` and the frame's shape, up to the next step of 32."""
    scale = long_side_px / max(size_px)
    width, height = (max(1, math.ceil(side * scale / SIZE_STEP_PX - 0.01)) * SIZE_STEP_PX for side in size_px)
    return width, height


class CenterFace:
    """Holds the network. `detect` may be called from several threads."""

    def __init__(self, threads: int = 1) -> None:
        ort = quiet.onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the cores free
        options.log_severity_level = 3
        model = with_free_size(weight_bytes("centerface"))
        try:
            self._session: Any = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsError(f"centerface.onnx cannot be loaded ({error}); reinstall the package") from error
        self._input = self._session.get_inputs()[0].name

    def detect(self, rgb: RgbImage, long_side_px: int = 640, min_score: float = 0.3) -> tuple[Detection, ...]:
        """Faces of `rgb`, best first, looked for at a frame width or height of `long_side_px`."""
        height, width = rgb.shape[:2]
        size = input_size((width, height), long_side_px)
        blob = np.ascontiguousarray(shrunk(rgb, size).transpose(2, 0, 1), np.float32)[None]
        heat, scale, offset, marks = self._session.run(None, {self._input: blob})
        found = _decode(heat[0, 0], scale[0], offset[0], marks[0], min_score)
        return suppressed(_to_frame(row, width / size[0], height / size[1]) for row in found)


def _decode(heat: Floats, scale: Floats, offset: Floats, marks: Floats, min_score: float) -> Floats:
    """(N, 9) float32 in input px: x0 y0 x1 y1, score, left eye x y, right eye x y; cells that are local maxima."""
    peak = heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(peak & (heat >= min_score))
    score = heat[rows, columns]
    if len(score) > MAX_CANDIDATES:
        best = np.argsort(-score)[:MAX_CANDIDATES]
        rows, columns, score = rows[best], columns[best], score[best]
    h, w = np.exp(np.minimum(scale[:, rows, columns], 8)) * CELL_PX
    y = (rows + offset[0, rows, columns] + 0.5) * CELL_PX - h / 2
    x = (columns + offset[1, rows, columns] + 0.5) * CELL_PX - w / 2
    eyes = marks[:4, rows, columns]  # y, x of one eye, y, x of the other, as shares of the box
    parts = [x, y, x + w, y + h, score, x + eyes[1] * w, y + eyes[0] * h, x + eyes[3] * w, y + eyes[2] * h]
    return np.stack(parts, axis=1).astype(np.float32)


def _to_frame(row: Floats, scale_x: float, scale_y: float) -> Detection:
    x0, y0, x1, y1, score, *eyes = (float(value) for value in row)
    left, right = (eyes[0] * scale_x, eyes[1] * scale_y), (eyes[2] * scale_x, eyes[3] * scale_y)
    box = Box(x0 * scale_x, y0 * scale_y, x1 * scale_x, y1 * scale_y)
    return Detection(box, score, roll_of_eyes(left, right))
