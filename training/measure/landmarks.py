"""Our run of MediaPipe's networks against MediaPipe itself: landmarks and expression on the same photos.

    unshare -rn python -m training measure-landmarks --photos FOLDER

The mediapipe library is the reference here and nowhere else: it reports usage over the network and has no switch, so it
is an extra, is never imported by the package, and this command wants to be run where there is no network.
"""

from __future__ import annotations

import argparse
import importlib
import socket
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.errors import ConfigError
from anonymizer.faces import Floats
from anonymizer.weights.locate import weight_path
from training.landmark_photos import landmark_photos, read_rgb


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training measure-landmarks", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    args = parser.parse_args(argv)
    if has_network():
        raise ConfigError("this machine has a network, and mediapipe reports usage; run under `unshare -rn`")
    points, coefficients = compare(args.photos)
    quantiles = (50, 90, 99)
    print(f"{len(points)} photos in which both find one face")
    print("landmarks, rms % of the face's width, at", quantiles, "%:", np.percentile(points, quantiles).round(2))
    print("coefficients, mean difference, at", quantiles, "%:", np.percentile(coefficients, quantiles).round(4))
    return 0


def compare(folder: Path) -> tuple[list[float], list[float]]:
    """Of every photo: rms distance of landmarks in % of the face's width; mean absolute difference of coefficients."""
    points, coefficients = [], []
    with reference() as landmarker:
        for photo in landmark_photos([folder]):
            theirs = ask(landmarker, read_rgb(photo.path))
            if theirs is not None and photo.faces == 1:
                ours = photo.landmarks_px[:, :2]
                width = float(np.ptp(ours[:, 0]))
                points.append(100 * float(np.sqrt(((ours - theirs[0]) ** 2).sum(1).mean())) / width)
                coefficients.append(float(np.abs(photo.expression - theirs[1]).mean()))
    return points, coefficients


def reference() -> Any:
    """MediaPipe's own face landmarker, a context manager."""
    vision = importlib.import_module("mediapipe").tasks.vision
    base = importlib.import_module("mediapipe").tasks.BaseOptions(model_asset_path=str(weight_path("face_landmarker")))
    options = vision.FaceLandmarkerOptions(base_options=base, num_faces=2, output_face_blendshapes=True)
    return vision.FaceLandmarker.create_from_options(options)


def ask(landmarker: Any, rgb: npt.NDArray[np.uint8]) -> tuple[Floats, Floats] | None:
    """(478, 2) px and (52,) of the one face, None when there are none or several."""
    mp = importlib.import_module("mediapipe")
    found = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
    if len(found.face_landmarks) != 1:
        return None
    height, width = rgb.shape[:2]
    points = np.array([(p.x * width, p.y * height) for p in found.face_landmarks[0]], np.float32)
    return points, np.array([c.score for c in found.face_blendshapes[0]], np.float32)


def has_network() -> bool:
    """Is there any interface but the loopback?"""
    return any(name != "lo" for _, name in socket.if_nameindex())
