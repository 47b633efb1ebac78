"""The trained generator, run by ONNX Runtime on the CPU. Without a file that fits, it refuses to start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer import quiet
from anonymizer.errors import WeightsError
from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.conditioning import (
    CHANNELS,
    GRID_DIVISOR,
    INPUT_NAME,
    OUTPUT_NAMES,
    GeneratorSpec,
    condition_batch,
    read_spec,
)
from anonymizer.generate.crisp import crisp
from anonymizer.generate.even_light import evened
from anonymizer.generate.forehead import one_forehead
from anonymizer.generate.lit_forehead import lit_forehead
from anonymizer.generate.skin_hue import in_hue_of_skin
from anonymizer.generate.veil import veiled
from anonymizer.weights import locate


class OnnxGenerator:
    """A FaceGenerator. name: of the registry; threads: ONNX Runtime may use."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._load(locate.weight_bytes(name), name, threads)

    @classmethod
    def from_file(cls, path: Path, threads: int = 1) -> OnnxGenerator:
        """A generator that is not registered, such as one just exported."""
        generator = cls.__new__(cls)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"generator {path} cannot be read ({error.strerror}); give an exported .onnx") from error
        generator._load(data, path.name, threads)
        return generator

    def _load(self, data: bytes, name: str, threads: int) -> None:
        runtime = quiet.onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # a waiting thread must not burn a core
        try:
            self._session: Any = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsError(f"generator {name} cannot be loaded: {error}; export it again") from error
        self.spec: GeneratorSpec = read_spec(self._session.get_modelmeta().custom_metadata_map, name)
        _check_ports(self._session, self.spec, name)

    @property
    def size_px(self) -> int:
        return self.spec.size_px

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        """One answer a crop, in order; all crops go through the network together."""
        if not crops:
            return ()
        for crop in crops:
            if crop.hole.shape != (self.size_px, self.size_px):
                raise ValueError(f"this generator takes crops of {self.size_px} px, got {crop.hole.shape}")
        answers = self._session.run(list(OUTPUT_NAMES), {INPUT_NAME: condition_batch(crops)})
        return tuple(_face(crop, *(answer[i] for answer in answers)) for i, crop in enumerate(crops))


def _face(crop: FaceCrop, gain: Floats, bias: Floats, inpaint: Floats, matte: Floats) -> SyntheticFace:
    """Planes (C, h, w) of one answer -> images (h, w, C)."""
    images = [np.ascontiguousarray(planes.transpose(1, 2, 0)) for planes in (gain, bias, inpaint)]
    face = evened(SyntheticFace(images[0], images[1], crisp(images[2], crop), matte[0]), crop)
    face = in_hue_of_skin(lit_forehead(face, crop), crop)
    return one_forehead(veiled(face, crop), crop)


def _check_ports(session: Any, spec: GeneratorSpec, name: str) -> None:
    """The metadata may promise what the graph does not keep."""
    got_in = {port.name: list(port.shape[1:]) for port in session.get_inputs()}
    want_in = {INPUT_NAME: [len(CHANNELS), spec.size_px, spec.size_px]}
    grid = spec.size_px // GRID_DIVISOR
    sizes = ((3, grid), (3, grid), (3, spec.size_px), (1, spec.size_px))
    got_out = {port.name: list(port.shape[1:]) for port in session.get_outputs()}
    want_out = {port: [count, side, side] for port, (count, side) in zip(OUTPUT_NAMES, sizes, strict=True)}
    for what, got, want in (("takes", got_in, want_in), ("gives", got_out, want_out)):
        if got != want:
            raise WeightsError(f"generator {name} {what} {got}, this build wants {want}; choose another generator")
