"""Where the generator looks: a square around the head, upright in the head's own roll, set by the motion code."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import MotionCode
from anonymizer.geometry import yaw_pitch_roll

CROP_CM = 30.0  # side of the square; the face takes about half of it


def crop_from_frame(code: MotionCode, size_px: int) -> npt.NDArray[np.float64]:
    """(2, 3) similarity: frame px -> crop px, pixel centres at .5 in both."""
    scale = size_px / (CROP_CM * code.scale_px_per_cm)
    roll = yaw_pitch_roll(code.rotation)[2]
    c, s = np.cos(-roll) * scale, np.sin(-roll) * scale
    linear = np.array([[c, -s], [s, c]])
    shift = size_px / 2 - linear @ code.center_px.astype(np.float64)
    return np.concatenate([linear, shift[:, None]], 1)


def warp_matrix(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same (2, 3) map for cv2.warpAffine, whose pixel centres are at 0."""
    out = matrix.copy()
    out[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return out
