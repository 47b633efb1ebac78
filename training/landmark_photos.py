"""Landmarks of whole folders of photos, through the same landmark model the live path uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.frames import Frame
from anonymizer.perceive.finder import Finder, FinderSettings

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


def photos_in(folders: Sequence[Path]) -> list[Path]:
    """Photos of these folders, in the order of their names."""
    return [p for folder in folders for p in sorted(folder.iterdir()) if p.suffix in SUFFIXES]


def landmark_photos(folders: Sequence[Path]) -> Iterator[PhotoLandmarks]:
    """Photos in which a face with landmarks was found, in the order of their names."""
    with Finder(FinderSettings(side_px=480, min_landmark_px=60)) as finder:
        for path in photos_in(folders):
            faces = finder.find(Frame(read_rgb(path)))
            largest = max(faces, key=lambda f: f.box_px.width, default=None)
            if largest is not None and largest.landmarks_px is not None and largest.expression is not None:
                yield PhotoLandmarks(path, largest.landmarks_px, largest.expression, len(faces))
