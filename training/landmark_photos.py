"""Landmarks of whole folders of photos, through the same landmark model the live path uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.weights.locate import weight_path

SUFFIXES = {".webp", ".png", ".jpg", ".jpeg"}


@dataclass(frozen=True, slots=True, eq=False)
class PhotoLandmarks:
    """The largest face of one photo. landmarks_px (478, 3), expression (52,), faces: how many were found."""

    path: Path
    landmarks_px: npt.NDArray[np.float32]
    expression: npt.NDArray[np.float32]
    faces: int


def read_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{path} is not a picture that can be read")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def landmark_photos(folders: Sequence[Path]) -> Iterator[PhotoLandmarks]:
    """Photos in which a face was found, in the order of their names."""
    mp = quiet.mediapipe()
    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=str(weight_path("face_landmarker"))),
        num_faces=3,
        min_face_detection_confidence=0.4,
        output_face_blendshapes=True,
    )
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        for path in (p for folder in folders for p in sorted(folder.iterdir()) if p.suffix in SUFFIXES):
            rgb = read_rgb(path)
            found = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
            if found.face_landmarks:
                yield _largest(path, found, rgb.shape[1], rgb.shape[0])


def _largest(path: Path, found: object, width: int, height: int) -> PhotoLandmarks:
    faces = [
        np.array([(p.x * width, p.y * height, p.z * width) for p in points], np.float32)
        for points in found.face_landmarks  # type: ignore[attr-defined]
    ]
    best = int(np.argmax([np.ptp(f[:, 0]) for f in faces]))
    scores = np.array([c.score for c in found.face_blendshapes[best]], np.float32)  # type: ignore[attr-defined]
    return PhotoLandmarks(path, faces[best], scores, len(faces))
