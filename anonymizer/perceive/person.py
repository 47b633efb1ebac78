"""Where people are: the cover of last resort when a face was lost (MediaPipe selfie segmentation on LiteRT)."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import Mask
from anonymizer.frames import Frame
from anonymizer.perceive.network import Network
from anonymizer.weights.locate import weight_bytes

INPUT_PX = 256


class PersonMasker:
    """Marks people. min_share: how sure the network must be; low, because a missed person costs more than a wall."""

    def __init__(self, threads: int = 1, min_share: float = 0.3) -> None:
        self._network = Network(weight_bytes("selfie_segmentation"), "selfie segmentation", threads)
        self._min_share = min_share

    def mask(self, frame: Frame) -> Mask:
        """(H, W) uint8, 255 where a person may be."""
        height, width = frame.rgb.shape[:2]
        small = cv2.resize(frame.rgb, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
        share = self._network.run(np.asarray(small, np.float32) / np.float32(255))[0].reshape(INPUT_PX, INPUT_PX)
        full = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(full >= self._min_share, np.uint8(255), np.uint8(0))
