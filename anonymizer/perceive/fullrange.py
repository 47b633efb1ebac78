"""MediaPipe's full-range face detector (BlazeFace family): fast, for larger faces; a witness unlike CenterFace.

The network sees the frame letterboxed to 192×192, values in [-1, 1], and answers for 48×48 anchors, one a cell.
"""

from __future__ import annotations

import numpy as np

from anonymizer.faces import Box, Floats
from anonymizer.frames import RgbImage
from anonymizer.perceive.detections import Detection, roll_of_eyes, suppressed
from anonymizer.perceive.network import Network
from anonymizer.perceive.shrink import shrunk
from anonymizer.weights.locate import weight_bytes

INPUT_PX = 192
CELLS = 48
MAX_LOGIT = 80.0  # keeps exp() finite in float32


class FullRange:
    """Holds the network."""

    def __init__(self, threads: int = 1) -> None:
        self._network = Network(weight_bytes("face_detection_full_range"), "full-range face detector", threads)

    def detect(self, rgb: RgbImage, min_score: float = 0.5) -> tuple[Detection, ...]:
        """Faces of `rgb`, best first."""
        height, width = rgb.shape[:2]
        scale = INPUT_PX / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (INPUT_PX - size[0]) // 2, (INPUT_PX - size[1]) // 2
        square = np.zeros((INPUT_PX, INPUT_PX, 3), np.float32)
        small = shrunk(rgb, size)
        square[top : top + size[1], left : left + size[0]] = small
        regressed, logits = self._network.run(square / 127.5 - 1)
        rows = _decode(regressed[0], logits[0, :, 0], min_score)
        rows[:, :8] = (rows[:, :8] - np.tile((left, top), 4)) * np.tile((width / size[0], height / size[1]), 4)
        return suppressed(_to_detection(row) for row in rows)


def _decode(regressed: Floats, logits: Floats, min_score: float) -> Floats:
    """(N, 9) in input px: x0 y0 x1 y1, eye at the image's left x y, the other x y, score."""
    score = 1 / (1 + np.exp(-np.clip(logits, -MAX_LOGIT, MAX_LOGIT)))
    keep = np.nonzero(score >= min_score)[0]
    anchor = (np.stack([keep % CELLS, keep // CELLS], axis=1) + 0.5) * (INPUT_PX / CELLS)
    centre, size = regressed[keep, :2] + anchor, regressed[keep, 2:4]
    eyes = regressed[keep, 4:8] + np.tile(anchor, 2)
    rows = np.hstack([centre - size / 2, centre + size / 2, eyes, score[keep, None]])
    return np.asarray(rows, np.float32)


def _to_detection(row: Floats) -> Detection:
    x0, y0, x1, y1, left_x, left_y, right_x, right_y, score = (float(value) for value in row)
    return Detection(Box(x0, y0, x1, y1), score, roll_of_eyes((left_x, left_y), (right_x, right_y)))
