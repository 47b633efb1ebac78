"""A generator into an ONNX file that says what it is, checked against torch before it is kept."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor

from anonymizer import quiet
from anonymizer.errors import WeightsError
from anonymizer.generate.conditioning import (
    CHANNELS,
    HOLE,
    INPUT_NAME,
    OUTPUT_NAMES,
    SPEC,
    SPEC_VERSION,
    GeneratorSpec,
    metadata_of,
)
from models.generator import Generator, Layers, shown

OPSET = 20
LEAST_PARITY_DB = 38.0


@dataclass(frozen=True, slots=True)
class Exported:
    """path of the file, its SHA-256, and how well it agrees with torch inside the hole."""

    path: Path
    sha256: str
    spec: GeneratorSpec
    parity_db: float


def export_generator(generator: Generator, path: Path, images_seen: int, trained_on: str, samples: Tensor) -> Exported:
    """Write path; WeightsError, and no file, when it does not agree with torch on samples (n, 11, S, S)."""
    generator = generator.float().cpu().eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    size = generator.shape.size_px
    spec = GeneratorSpec(SPEC, SPEC_VERSION, size, CHANNELS, images_seen, weights_hash(generator))
    part = path.with_suffix(".part.onnx")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        onnx.save(_graph(generator, {**metadata_of(spec), "trained_on": trained_on}), part)
        parity = parity_db(generator, part, samples)
        if parity < LEAST_PARITY_DB:
            raise WeightsError(
                f"the exported file agrees with torch to {parity:.1f} dB inside the hole, wanted "
                f"{LEAST_PARITY_DB:.0f}; nothing was kept, look for an operation that the exporter changed"
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Exported(path, hashlib.sha256(path.read_bytes()).hexdigest(), spec, parity)


def _graph(generator: Generator, metadata: dict[str, str]) -> onnx.ModelProto:
    size = generator.shape.size_px
    example = torch.zeros(2, len(CHANNELS), size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own parts
        program = torch.onnx.export(
            generator,
            (example,),
            input_names=[INPUT_NAME],
            output_names=list(OUTPUT_NAMES),
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise WeightsError("torch gave no ONNX program; check that onnxscript is installed")
    graph: onnx.ModelProto = program.model_proto
    graph.doc_string = ""
    for node in graph.graph.node:  # the exporter leaves stack traces and paths of this machine
        node.doc_string = ""
        del node.metadata_props[:]
    del graph.graph.metadata_props[:]
    for value in (*graph.graph.value_info, *graph.graph.input, *graph.graph.output):
        del value.metadata_props[:]
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    return graph


def weights_hash(generator: Generator) -> str:
    """SHA-256 over names, shapes and bytes of all weights, in the order of their names."""
    digest = hashlib.sha256()
    for name, value in sorted(generator.state_dict().items()):
        array = np.ascontiguousarray(value.detach().float().cpu().numpy(), "<f4")
        digest.update(f"{name}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


@torch.no_grad()
def parity_db(generator: Generator, path: Path, samples: Tensor) -> float:
    """PSNR, in dB, of what ONNX Runtime and torch show inside the hole; one by one and as a batch."""
    session = quiet.onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    samples = samples.float().cpu().contiguous()
    wanted = shown(Layers(*generator(samples)), samples).clamp(0, 1)
    hole = samples[:, HOLE].expand_as(wanted) > 0.5
    worst = 0.0
    for chunk in (len(samples), 1):
        answers = [session.run(list(OUTPUT_NAMES), {INPUT_NAME: part.numpy()}) for part in torch.split(samples, chunk)]
        layers = Layers(*(torch.from_numpy(np.concatenate(planes)) for planes in zip(*answers, strict=True)))
        error = (shown(layers, samples).clamp(0, 1) - wanted)[hole]
        worst = max(worst, float(error.square().mean()))
    return 120.0 if worst < 1e-12 else float(-10 * np.log10(worst))
