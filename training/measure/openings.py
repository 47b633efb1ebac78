"""How far mouth and eyes are open, by a second landmark network, so that the landmarker does not judge itself alone.

The network is MediaPipe's older face mesh (468 points, 192 px, Apache-2.0): `face_landmark.tflite` in the PyPI wheel
mediapipe 0.10.21. It is not shipped; give the file, or the wheel, which is read and never run.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.errors import WeightsError
from anonymizer.faces import Floats
from anonymizer.frames import RgbImage
from anonymizer.perceive.landmarks import INPUT_PX as REGION_PX
from anonymizer.perceive.landmarks import Region, cut_region
from anonymizer.perceive.network import Network

SHA256 = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
IN_WHEEL = "mediapipe/modules/face_landmark/face_landmark.tflite"
INPUT_PX = 192
LEAST_PRESENCE = 0.5
# Of one side of a lid or lip to the other, over the distance of its corners; numbered as in MediaPipe's face mesh.
MOUTH = ((13, 14), (78, 308))
EYES = (((159, 145), (33, 133)), ((386, 374), (362, 263)))


class SecondLandmarks:
    """Holds the network."""

    def __init__(self, path: Path) -> None:
        data = _network_bytes(path)
        got = hashlib.sha256(data).hexdigest()
        if got != SHA256:
            raise WeightsError(f"{path} holds another network: SHA-256 {got}, wanted {SHA256} (mediapipe 0.10.21)")
        self._network = Network(data, "face mesh, older")

    def openings(self, rgb: RgbImage, region: Region) -> npt.NDArray[np.float64] | None:
        """(mouth, eyes) in the region of a face: shares of their width, None where it sees no face."""
        points = self.points(rgb, region)
        if points is None:
            return None
        eyes = [_open(points, *eye) for eye in EYES]
        return np.array([_open(points, *MOUTH), float(np.mean(eyes))])

    def points(self, rgb: RgbImage, region: Region) -> Floats | None:
        """(468, 3) in px of the region."""
        cut = cv2.resize(cut_region(rgb, region), (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
        raw, flag = self._network.run(np.asarray(cut, np.float32))
        if 1 / (1 + math.exp(-float(np.clip(flag.item(), -30, 30)))) < LEAST_PRESENCE:
            return None
        return np.asarray(raw.reshape(468, 3) * (REGION_PX / INPUT_PX), np.float32)


def _open(points: Floats, lids: tuple[int, int], corners: tuple[int, int]) -> float:
    gap, width = (float(np.linalg.norm(points[a] - points[b])) for a, b in (lids, corners))
    return gap / max(width, 1e-6)


def _network_bytes(path: Path) -> bytes:
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                return wheel.read(IN_WHEEL)
        return path.read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} holds no {IN_WHEEL} ({error}); give it, or the wheel mediapipe 0.10.21") from error
