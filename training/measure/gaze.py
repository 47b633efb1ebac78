"""Gaze as angles: how far the eyes of an anonymized face look past where the raw ones looked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.audit.clip_figures import EYE_RADIUS_CM, HALF_EYE_CM
from anonymizer.faces import Floats


def gaze_rad(gaze: Floats) -> npt.NDArray[np.float64]:
    """(2, 2) iris offsets in half eye widths -> (2, 2) angles, x and y of each eye."""
    return np.arcsin(np.clip(gaze.astype(np.float64) * HALF_EYE_CM / EYE_RADIUS_CM, -1, 1))


def gaze_off_rad(before: Floats, after: Floats) -> float:
    """Mean of both eyes of the angle between the two."""
    return float(np.linalg.norm(gaze_rad(after) - gaze_rad(before), axis=1).mean())
