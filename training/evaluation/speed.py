"""Milliseconds of one crop on one thread: float32 and int8, ONNX Runtime and OpenVINO, beside a rival's network.

All take turns in one process, so that a busy machine is busy for all of them alike. Beside the weights that are
measured stand networks of every preset with random weights: their time is that of the shape alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from anonymizer import quiet
from anonymizer.generate.conditioning import CHANNELS, INPUT_NAME
from anonymizer.generate.onnx_generator import OnnxGenerator
from models.export import export_generator
from models.generator import PRESETS, Generator
from models.quantise import quantise_generator
from training.evaluation.findings import Finding, bootstrapped, finding
from training.evaluation.job import Job, Part
from training.measure.network_shapes import INPUTS, SIZE_PX, deepprivacy_shape

ROUNDS = 60  # turns of each network; the rival has every sixth
RIVAL_EVERY = 6
WARM_UP = 3
SHAPES = ("face128", "face192", "face256")
INT8_MS = {"face128": 5.0, "face256": 12.0}  # wanted at most
LEAST_TIMES_FASTER = 40.0
RIVAL = "DeepPrivacy's shape, float32, ONNX Runtime"

Run = Callable[[], Any]


def evaluate(job: Job) -> Part:
    size_px = OnnxGenerator.from_file(job.used()).spec.size_px
    crop = np.random.default_rng(0).normal(0, 0.5, (1, len(CHANNELS), size_px, size_px)).astype(np.float32)
    runs: dict[str, Run] = {}
    for precision, path in job.files().items():
        runs[f"{precision}, ONNX Runtime"] = _onnxruntime(path.read_bytes(), INPUT_NAME, crop)
        if find_spec("openvino") is not None:
            runs[f"{precision}, OpenVINO"] = _openvino(path, crop)
    runs |= _of_every_preset()
    rival, parameters = deepprivacy_shape()
    picture = np.random.default_rng(0).normal(0, 0.5, (1, INPUTS, SIZE_PX, SIZE_PX)).astype(np.float32)
    runs[RIVAL] = _onnxruntime(rival, "x", picture)
    del rival
    spent_ms = in_turns(runs, job.limit or ROUNDS)
    notes = [
        f"One thread each, in turns, in one process. {RIVAL}: {parameters / 1e6:.1f} M parameters, random weights."
    ]
    if find_spec("openvino") is None:
        notes.append("OpenVINO is not installed here (pip install openvino).")
    notes.append(f"Of the weights: {size_px} px. {', '.join(SHAPES)}: random weights.")
    return Part(_findings(spent_ms), {"milliseconds a crop": _table(spent_ms)}, notes)


def _of_every_preset() -> dict[str, Run]:
    """Networks that learned nothing, in both precisions; one random crop each."""
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in SHAPES:
            samples = torch.randn(4, len(CHANNELS), PRESETS[name].size_px, PRESETS[name].size_px) / 2
            path = Path(folder) / f"{name}.onnx"
            export_generator(Generator(PRESETS[name]), path, 0, "nothing", samples)
            int8 = quantise_generator(path, path.with_stem(f"{name}_int8"), samples, samples, 0.0).path
            for precision, file in (("float32", path), ("int8", int8)):
                crop = samples[:1].numpy()
                runs[f"{name}, {precision}, ONNX Runtime"] = _onnxruntime(file.read_bytes(), INPUT_NAME, crop)
    return runs


def in_turns(runs: dict[str, Run], rounds: int) -> dict[str, np.ndarray]:
    """Milliseconds of every call after a warm-up, by name."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(WARM_UP + rounds):
        for name, run in runs.items():
            if name == RIVAL and round_ % RIVAL_EVERY:
                continue
            started_s = time.perf_counter()
            run()
            if round_ >= WARM_UP or name == RIVAL:
                spent[name].append((time.perf_counter() - started_s) * 1000)
    return {name: np.array(ms) for name, ms in spent.items()}


def _onnxruntime(data: bytes, port: str, values: np.ndarray) -> Run:
    runtime = quiet.onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {port: values})


def _openvino(path: Path, values: np.ndarray) -> Run:
    openvino = quiet.openvino()
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    model = core.read_model(str(path))
    model.reshape({INPUT_NAME: list(values.shape)})
    request = core.compile_model(model, "CPU", options).create_infer_request()
    return lambda: request.infer({INPUT_NAME: values})


def _findings(spent_ms: dict[str, np.ndarray]) -> list[Finding]:
    limits = {f"{preset}, int8, ONNX Runtime": most for preset, most in INT8_MS.items()}
    found = []
    for name, ms in spent_ms.items():
        wanted: dict[str, Any] = {"at_most": limits[name]} if name in limits else {}
        drawn = bootstrapped(len(ms), lambda rows, ms=ms: float(np.median(ms[rows])))  # type: ignore[misc]
        found.append(finding(f"{name}, ms, median", drawn, len(ms), "crops", **wanted))
    ours, theirs = spent_ms["face128, float32, ONNX Runtime"], spent_ms[RIVAL]
    times = float(np.median(theirs) / np.median(ours))
    name = "face128, times faster than the rival, float32"
    found.append(Finding(name, times, None, None, len(theirs), "turns", at_least=LEAST_TIMES_FASTER))
    return found


def _table(spent_ms: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    shares = (5, 50, 95)
    return [
        {"": name, "crops": len(ms), **{f"p{share}": float(np.percentile(ms, share)) for share in shares}}
        for name, ms in spent_ms.items()
    ]
