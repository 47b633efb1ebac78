"""The adversaries: face recognisers, fed with faces aligned by landmarks that are known, never by their own detector.

Two steps, so that a part of the aligned picture can be hidden in between: `chip` aligns, `embed` looks.
Each has its own measure of similarity, the one its thresholds were published for: a cosine for most; for dlib,
whose vectors are not of unit length, 1 minus their distance, so that its threshold of .6 is a similarity of .4.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from anonymizer import quiet
from anonymizer.audit.chips import NOSE_BASE, Array, chip_from_frame, cut_chip
from anonymizer.audit.recogniser_file import RecogniserFile, read_recogniser_file
from anonymizer.errors import ConfigError, WeightsError
from anonymizer.faces import Floats
from anonymizer.frames import RgbImage
from anonymizer.persona.landmark_groups import EYE_CORNERS

DLIB_FILE = "dlib_face_recognition_resnet_model_v1.dat"
DLIB_CHIP_PX = 150
DLIB_PADDING = 0.25  # of its own training chips (dlib, dnn_face_recognition_ex.cpp)
INSTALL_DLIB = "install it with: pip install 'anonymizer[audit]'"


class Recogniser(Protocol):
    """thresholds: similarity at or above which two faces count as one person, by name, strictest last."""

    @property
    def name(self) -> str: ...
    @property
    def thresholds(self) -> dict[str, float]: ...

    def chip(self, rgb: RgbImage, landmarks_px: Floats) -> RgbImage:
        """The aligned square picture of the face in rgb (H, W, 3) with mesh points (468 or more, 2 or 3)."""

    def transform(self, landmarks_px: Floats) -> Array:
        """(2, 3): frame px -> chip px, near enough to say where in a chip a point of the face lies."""

    def embed(self, chip: RgbImage) -> Floats:
        """(D,) vector of an aligned picture."""

    def similarity(self, a: Floats, b: Floats) -> Floats:
        """(n, D), (m, D) -> (n, m), more is more alike."""


@dataclass(slots=True)
class OnnxRecogniser:
    """Any network that takes one aligned picture and gives one vector, described by a TOML file."""

    session: Any
    file: RecogniserFile

    @classmethod
    def load(cls, description: Path, models: Path | None = None) -> OnnxRecogniser:
        """models: folder of the ONNX file, None = the description's. Raises ConfigError or WeightsError."""
        file = read_recogniser_file(description)
        data = file.network_bytes(models or description.parent)
        runtime = quiet.onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        try:
            session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsError(f"the recogniser {file.file} cannot be loaded: {error}; is it ONNX?") from error
        return cls(session, file)

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def thresholds(self) -> dict[str, float]:
        return dict(self.file.thresholds)

    def transform(self, landmarks_px: Floats) -> Array:
        return chip_from_frame(landmarks_px, self.file.template_px)

    def chip(self, rgb: RgbImage, landmarks_px: Floats) -> RgbImage:
        return cut_chip(rgb, self.transform(landmarks_px), self.file.input_px)

    def embed(self, chip: RgbImage) -> Floats:
        colours = chip[..., ::-1] if self.file.colour == "bgr" else chip
        scaled = (colours * self.file.scale - np.array(self.file.mean)) / np.array(self.file.std)
        blob = np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)
        return np.asarray(self.session.run(None, {self.session.get_inputs()[0].name: blob})[0][0], np.float32)

    def similarity(self, a: Floats, b: Floats) -> Floats:
        if self.file.similarity == "distance":
            return np.asarray(1 - np.linalg.norm(a[:, None] - b[None], axis=2), np.float32)
        unit_a, unit_b = (v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12) for v in (a, b))
        return np.asarray(unit_a @ unit_b.T, np.float32)


@dataclass(slots=True)
class DlibResNet:
    """dlib's ResNet (King 2017; 99.38 % on LFW), chips of 150 px with a quarter of padding, as its own tools make."""

    network: Any
    name: str = "dlib ResNet"

    @classmethod
    def load(cls, folder: Path | None = None) -> DlibResNet:
        """folder: where its .dat lies, None = in the package face_recognition_models. Raises WeightsError."""
        try:
            import dlib
        except ImportError as error:
            raise WeightsError(f"the recogniser dlib is not installed; {INSTALL_DLIB}") from error
        file = (folder or packaged_dlib_models()) / DLIB_FILE
        if not file.is_file():
            raise WeightsError(f"{file} is missing; it is in the PyPI package face_recognition_models, under models/")
        return cls(dlib.face_recognition_model_v1(str(file)))

    @property
    def thresholds(self) -> dict[str, float]:
        return {"distance .6": 0.4}

    def transform(self, landmarks_px: Floats) -> Array:
        import dlib

        details = dlib.get_face_chip_details(_dlib_shape(landmarks_px), DLIB_CHIP_PX, DLIB_PADDING)
        rect = details.rect
        scale = DLIB_CHIP_PX / rect.width()
        c, s = np.cos(details.angle) * scale, np.sin(details.angle) * scale
        linear = np.array([[c, s], [-s, c]])
        middle = np.array([(rect.left() + rect.right()) / 2, (rect.top() + rect.bottom()) / 2])
        return np.concatenate([linear, (DLIB_CHIP_PX / 2 - linear @ middle)[:, None]], 1)

    def chip(self, rgb: RgbImage, landmarks_px: Floats) -> RgbImage:
        import dlib

        chip = dlib.get_face_chip(np.ascontiguousarray(rgb), _dlib_shape(landmarks_px), DLIB_CHIP_PX, DLIB_PADDING)
        return np.asarray(chip, np.uint8)

    def embed(self, chip: RgbImage) -> Floats:
        return np.array(self.network.compute_face_descriptor(np.ascontiguousarray(chip)), np.float32)

    def similarity(self, a: Floats, b: Floats) -> Floats:
        return np.asarray(1 - np.linalg.norm(a[:, None] - b[None], axis=2), np.float32)


def packaged_dlib_models() -> Path:
    """The folder of models in the PyPI package face_recognition_models, whose own code needs pkg_resources and is not
    run. Raises WeightsError."""
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or found.origin is None:
        raise WeightsError(f"the recogniser's weights (face_recognition_models) are not installed; {INSTALL_DLIB}")
    return Path(found.origin).parent / "models"


def _dlib_shape(landmarks_px: Floats) -> Any:
    """What dlib's five-point predictor would say: the corners of both eyes and the nose's base."""
    import dlib

    corners = (EYE_CORNERS[1][1], EYE_CORNERS[1][0], EYE_CORNERS[0][0], EYE_CORNERS[0][1], NOSE_BASE)
    points = [dlib.point(*(round(float(v)) for v in landmarks_px[i, :2])) for i in corners]
    (x0, y0), (x1, y1) = (np.round(f(landmarks_px[:, :2], axis=0)).astype(int) for f in (np.min, np.max))
    return dlib.full_object_detection(dlib.rectangle(int(x0), int(y0), int(x1), int(y1)), points)


def load_recognisers(
    descriptions: Sequence[Path] = (), models: Path | None = None, with_dlib: bool = True
) -> list[Recogniser]:
    """dlib's, if wanted, and those described by TOML files. Raises ConfigError, WeightsError."""
    found: list[Recogniser] = [DlibResNet.load()] if with_dlib else []
    found += [OnnxRecogniser.load(description, models) for description in descriptions]
    if not found:
        raise ConfigError(f"no recogniser to attack with; {INSTALL_DLIB}, or describe one with --recogniser FILE.toml")
    return found
