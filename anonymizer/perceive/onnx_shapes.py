"""Frees an ONNX network from the input size it was exported with, in memory and without the onnx package.

An ONNX file is a protobuf. Of its graph only three kinds of field name sizes: input (11), output (12) and value_info
(13). The first two are rewritten with free sizes, the third is dropped: onnxruntime infers it again. Weights that are
also listed as inputs lose that entry, so that they count as constants. For networks made of convolutions and pointwise
operators alone, which have no size inside.
"""

from __future__ import annotations

from collections.abc import Iterator

# Field numbers of onnx.proto: ModelProto.graph; GraphProto's; TensorProto.name; then those of a value's type.
GRAPH, INITIALIZER, INPUT, OUTPUT, VALUE_INFO, TENSOR_NAME = 7, 5, 11, 12, 13, 8
NAME, TYPE, TENSOR, ELEMENT, SHAPE, DIM, DIM_NAME, FLOAT = 1, 2, 1, 1, 2, 1, 2, 1


def with_free_size(model: bytes) -> bytes:
    """The model with every input and output as float tensors of four free sizes."""
    parts = []
    for number, kind, whole, value in _fields(model):
        parts.append(_message(GRAPH, _free_graph(value)) if (number, kind) == (GRAPH, 2) else whole)
    return b"".join(parts)


def _free_graph(graph: bytes) -> bytes:
    weights = {_text(value, TENSOR_NAME) for number, _, _, value in _fields(graph) if number == INITIALIZER}
    parts = []
    for number, kind, whole, value in _fields(graph):
        if number == INPUT and _text(value, NAME) in weights:
            continue
        if kind == 2 and number in (INPUT, OUTPUT):
            whole = _message(number, _free_value(value))
        elif number == VALUE_INFO:
            continue
        parts.append(whole)
    return b"".join(parts)


def _free_value(value: bytes) -> bytes:
    name = _text(value, NAME)
    sizes = b"".join(_message(DIM, _message(DIM_NAME, name + b"_" + letter)) for letter in (b"n", b"c", b"h", b"w"))
    tensor = _varint(ELEMENT << 3) + _varint(FLOAT) + _message(SHAPE, sizes)
    return _message(NAME, name) + _message(TYPE, _message(TENSOR, tensor))


def _text(message: bytes, field: int) -> bytes:
    return next((content for number, kind, _, content in _fields(message) if (number, kind) == (field, 2)), b"")


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """(field number, wire type, the field with its header, its content) of each field of a message."""
    at = 0
    while at < len(data):
        start = at
        key, at = _read_varint(data, at)
        if key & 7 == 2:
            size, at = _read_varint(data, at)
            end = at + size
        elif key & 7 == 0:
            _, end = _read_varint(data, at)
        elif key & 7 in (1, 5):
            end = at + (8 if key & 7 == 1 else 4)
        else:
            raise ValueError(f"not a protobuf: wire type {key & 7} at byte {start}")
        if end > len(data):
            raise ValueError(f"protobuf ends early: a field at byte {start} reaches to {end} of {len(data)}")
        yield key >> 3, key & 7, data[start:end], data[at:end]
        at = end


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content
