"""A rival's published network, with random weights, for timing beside ours: DeepPrivacy's U-Net at 128 px.

Hukkelås et al., DeepPrivacy (ISVC 2019): two 3×3 convolutions a level, channels 128, 256, 512, 512, 512, 512 from
128 px down to 4 px and back with concatenated skips; 46.9 M parameters published. What is built here is the shape
alone, without its pose input and normalising layers; the report says how many parameters that gives.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTHS = (128, 256, 512, 512, 512, 512)
SIZE_PX, INPUTS = 128, 4  # picture and hole
OPSET = 20


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0
        self._names = (f"t{number}" for number in itertools.count())
        self._random = np.random.default_rng(0)

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = next(self._names)
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = next(self._names)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def convolved(self, x: str, inputs: int, outputs: int, side: int = 3) -> str:
        scale = (2 / (inputs * side * side)) ** 0.5
        weight = (self._random.standard_normal((outputs, inputs, side, side), np.float32) * scale).astype(np.float32)
        bias = np.zeros(outputs, np.float32)
        self.parameters += weight.size + bias.size
        names = [x, self.constant(weight), self.constant(bias)]
        return self.node("Conv", names, pads=[side // 2] * 4)

    def level(self, x: str, inputs: int, outputs: int) -> str:
        for width in (inputs, outputs):
            x = self.node("LeakyRelu", [self.convolved(x, width, outputs)], alpha=0.2)
        return x


def deepprivacy_shape() -> tuple[bytes, int]:
    """An ONNX file with one input `x` (1, 4, 128, 128), float32, and its parameters."""
    graph = _Graph()
    twice = graph.constant(np.array([1, 1, 2, 2], np.float32))
    x, skips = graph.level("x", INPUTS, WIDTHS[0]), []
    for narrow, wide in itertools.pairwise(WIDTHS):
        skips.append((x, narrow))
        x = graph.level(graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2]), narrow, wide)
    width = WIDTHS[-1]
    for skip, narrow in reversed(skips):
        large = graph.node("Resize", [x, "", twice], mode="nearest")
        x = graph.level(graph.node("Concat", [large, skip], axis=1), width + narrow, narrow)
        width = narrow
    out = graph.convolved(x, width, 3, side=1)
    shape = [1, INPUTS, SIZE_PX, SIZE_PX]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    answer = [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, 3, SIZE_PX, SIZE_PX])]
    built = helper.make_graph(graph.nodes, "deepprivacy", ports, answer, graph.weights)
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    return model.SerializeToString(), graph.parameters
