"""A generator file with random weights, small enough to be made in a test: all of its answers depend on its input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from anonymizer.generate.conditioning import (
    CHANNELS,
    GRID_DIVISOR,
    INPUT_NAME,
    OUTPUT_NAMES,
    SPEC,
    SPEC_VERSION,
    GeneratorSpec,
    metadata_of,
)


def write_tiny_generator(path: Path, size_px: int = 128) -> None:
    """One strided convolution for the colour grid, one wide convolution for the picture and the matte."""
    rng = np.random.default_rng(11)
    grid, div = size_px // GRID_DIVISOR, GRID_DIVISOR
    channels = len(CHANNELS)
    weights = {
        "coarse": rng.normal(0, 0.02, (6, channels, div, div)).astype(np.float32),
        "coarse_bias": np.array([1, 1, 1, 0, 0, 0], np.float32),
        "fine": rng.normal(0, 0.2, (4, channels, 7, 7)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", [INPUT_NAME, "coarse", "coarse_bias"], ["grid"], strides=[div, div]),
        helper.make_node("Split", ["grid"], ["gain", "bias"], axis=1, num_outputs=2),
        helper.make_node("Conv", [INPUT_NAME, "fine"], ["picture"], pads=[3, 3, 3, 3]),
        helper.make_node("Sigmoid", ["picture"], ["layers"]),
        helper.make_node("Split", ["layers", "parts"], ["inpaint", "matte"], axis=1),
    ]
    sides = {"gain": (3, grid), "bias": (3, grid), "inpaint": (3, size_px), "matte": (1, size_px)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["n", channels, size_px, size_px])],
        [
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT, ["n", sides[name][0], sides[name][1], sides[name][1]]
            )
            for name in OUTPUT_NAMES
        ],
        [
            *(numpy_helper.from_array(value, name) for name, value in weights.items()),
            numpy_helper.from_array(np.array([3, 1], np.int64), "parts"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    spec = GeneratorSpec(SPEC, SPEC_VERSION, size_px, CHANNELS, 0, "0" * 64)
    helper.set_model_props(model, metadata_of(spec))
    onnx.save(model, path)
