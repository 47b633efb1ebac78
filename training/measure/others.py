"""Face detectors that are no part of the product: is a face found again where one was?"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from anonymizer.audit.recognisers import packaged_dlib_models
from anonymizer.audit.seen import DETECTED_OVERLAP, OtherDetector
from anonymizer.errors import WeightsError
from anonymizer.faces import Box
from anonymizer.frames import RgbImage

CNN_FILE = "mmod_human_face_detector.dat"
CNN_SIDE_PX = 320  # faces of 40 px or more are found; a quarter of a second on one thread


class Detects(Protocol):
    """Says whether a face is found where `face` is."""

    def sees(self, rgb: RgbImage, face: Box) -> bool: ...


class CnnDetector:
    """dlib's max-margin CNN (King 2015), weights of the PyPI package face_recognition_models (CC0-1.0)."""

    def __init__(self) -> None:
        if importlib.util.find_spec("dlib") is None:
            raise WeightsError("dlib is not installed; install it with: pip install 'anonymizer[audit]'")
        import dlib

        path: Path = packaged_dlib_models() / CNN_FILE
        self._detect: Any = dlib.cnn_face_detection_model_v1(str(path))

    def sees(self, rgb: RgbImage, face: Box) -> bool:
        """Looks at the face's surroundings, three times its size, at CNN_SIDE_PX."""
        side, (x, y) = 3 * max(face.width, face.height), face.center
        scale = CNN_SIDE_PX / side
        matrix = np.array([[scale, 0, CNN_SIDE_PX / 2 - x * scale], [0, scale, CNN_SIDE_PX / 2 - y * scale]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        border = cv2.BORDER_REPLICATE
        cut = cv2.warpAffine(rgb, matrix, (CNN_SIDE_PX, CNN_SIDE_PX), flags=flags, borderMode=border)
        wanted = face.scaled(scale)
        half = CNN_SIDE_PX / 2
        here = Box(half - wanted.width / 2, half - wanted.height / 2, half + wanted.width / 2, half + wanted.height / 2)
        found = (each.rect for each in self._detect(np.ascontiguousarray(cut), 0))
        return any(Box(r.left(), r.top(), r.right() + 1, r.bottom() + 1).iou(here) >= DETECTED_OVERLAP for r in found)


def other_detectors() -> dict[str, Detects]:
    return {"dlib HOG": OtherDetector(), "dlib CNN": CnnDetector()}
