"""Notices shot cuts, where tracks and filters must not go on. Cheap: a thumbnail a frame."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from anonymizer.faces import Floats
from anonymizer.frames import RgbImage

THUMB_PX = (64, 36)
LEAST_CHANGE = 16.0  # mean grey levels a pixel; 15 clips without a cut reach 11.8, cuts between them 18 and more
LEAST_RATIO = 3.5  # times the usual change of the last frames: a panning camera changes every frame
MEMORY = 8
SPARSE = 3  # every third pixel and row is looked at


class CutDetector:
    """Fed every frame in order, says at which a new shot begins."""

    def __init__(self) -> None:
        self._thumb: Floats | None = None
        self._recent: deque[float] = deque(maxlen=MEMORY)

    def is_cut(self, rgb: RgbImage) -> bool:
        """Does `rgb` begin a new shot? The first frame does not.

        The mean grey value is taken off, so that a lamp switched on is no cut.
        """
        height, width = rgb.shape[:2]
        fewer = max(THUMB_PX[0], width // SPARSE), max(THUMB_PX[1], height // SPARSE)
        sparse = cv2.resize(rgb, fewer, interpolation=cv2.INTER_NEAREST)  # all pixels would take six times as long
        grey = cv2.cvtColor(cv2.resize(sparse, THUMB_PX, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        thumb = np.asarray(grey, np.float32)
        thumb -= thumb.mean()
        old, self._thumb = self._thumb, thumb
        if old is None:
            return False
        change = float(np.abs(thumb - old).mean())
        usual = float(np.median(self._recent)) if self._recent else 0.0
        cut = change > max(LEAST_CHANGE, LEAST_RATIO * usual)
        if cut:
            self._recent.clear()
        else:
            self._recent.append(change)
        return cut
