"""An exported generator with 8-bit convolutions: static QDQ, per channel, calibrated on prepared crops.

Weights use 7 bits, so that sums do not saturate on processors without VNNI. The two heads stay in float: steps of
an 8-bit picture would show as bands. So does the first layer, which gives 2 dB, and, where the answers are still too
coarse, a later one, a twentieth of the time more. Ranges leave out one value in 200,000: of weights at
431,000 images, at 192 px, one in 100,000 gave 37.8 dB, one in 50,000 37.0, one in 200,000 37.7, one in a million 36.8.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from anonymizer import quiet
from anonymizer.errors import WeightsError
from anonymizer.generate.conditioning import HOLE, INPUT_NAME, OUTPUT_NAMES, read_spec
from models.export import LEAST_PARITY_DB, Exported
from models.generator import Layers, shown

_IN_FLOAT = ("stem.weight", "grid.weight", "image.weight")
_NEXT_IN_FLOAT = "same.3.weight"  # gives 1.1 dB at 128 px for .2 ms, .6 at 192 px; no other as much
_RANGE_PERCENTILE = 99.9995


def quantise_generator(
    path: Path, out: Path, calibration: Tensor, samples: Tensor, least_db: float = LEAST_PARITY_DB
) -> Exported:
    """Write `out`, the generator `path` in int8. calibration, samples: (n, 11, S, S) conditioning.

    WeightsError, and no file, when what both show inside the hole agrees to less than least_db on `samples`.
    """
    part = out.with_suffix(".part.onnx")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        for in_float in (_IN_FLOAT, (*_IN_FLOAT, _NEXT_IN_FLOAT)):
            _quantise(path, part, calibration, in_float)
            parity = agreement_db(path, part, samples)
            if parity >= least_db:
                break
        else:
            raise WeightsError(
                f"the int8 file agrees with {path} to {parity:.1f} dB inside the hole, wanted {least_db:.0f}; "
                "nothing was kept, calibrate on more crops"
            )
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    model = onnx.load(out)
    spec = read_spec({prop.key: prop.value for prop in model.metadata_props}, out.name)
    return Exported(out, hashlib.sha256(out.read_bytes()).hexdigest(), spec, parity)


def _quantise(path: Path, out: Path, calibration: Tensor, in_float: tuple[str, ...]) -> None:
    quiet.onnxruntime()
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Crops(CalibrationDataReader):  # type: ignore[misc]  # untyped base
        def __init__(self) -> None:
            self._left: Iterator[npt.NDArray[np.float32]] = iter(calibration.float().cpu().numpy())

        def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
            crop = next(self._left, None)
            return None if crop is None else {INPUT_NAME: crop[None]}

    logging.getLogger().setLevel(logging.ERROR)  # it advises to do what is done here
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(str(path), str(plain), skip_symbolic_shape=True)
        graph = onnx.load(plain).graph
        layers = {node.input[1]: node.name for node in graph.node if node.op_type == "Conv"}
        if missing := [name for name in in_float if name not in layers]:
            raise WeightsError(f"expected the layers {', '.join(in_float)} in {path}, without {', '.join(missing)}")
        learned = [name for layer, name in layers.items() if layer.endswith(".weight") and layer not in in_float]
        with contextlib.redirect_stdout(io.StringIO()):  # the calibrator prints what it counts
            quantize_static(
                str(plain),
                str(out),
                Crops(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv"],
                nodes_to_quantize=learned,
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibPercentile": _RANGE_PERCENTILE},
            )
    told = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    model = onnx.load(out)
    onnx.helper.set_model_props(model, {**told, "precision": "int8"})
    onnx.save(model, out)


@torch.no_grad()
def agreement_db(first: Path, second: Path, samples: Tensor) -> float:
    """PSNR, in dB, of what two exported files show inside the hole."""
    pictures = [_shown(path, samples) for path in (first, second)]
    hole = samples[:, HOLE].expand_as(pictures[0]) > 0.5
    error = float((pictures[0] - pictures[1])[hole].square().mean())
    return 120.0 if error < 1e-12 else float(-10 * np.log10(error))


def _shown(path: Path, samples: Tensor) -> Tensor:
    ort = quiet.onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # threads that wait for each other on a busy machine took up to 108 s
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    answers = [session.run(list(OUTPUT_NAMES), {INPUT_NAME: crop[None]}) for crop in samples.float().cpu().numpy()]
    layers = Layers(*(torch.from_numpy(np.concatenate(planes)) for planes in zip(*answers, strict=True)))
    return shown(layers, samples.float().cpu()).clamp(0, 1)
