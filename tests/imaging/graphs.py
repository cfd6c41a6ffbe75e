"""The smallest ONNX graph that looks at a photo: a weighted sum of its colours, written without the `onnx` package.

Field numbers from onnx/onnx.proto3, as in imaging/graph.py.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_FLOAT, _INT64 = 1, 7
_STRING, _INTS = 3, 7
"""Kinds of tensors, and of attributes."""


def colour_sum(weights: Sequence[float], bias: float, side_px: int) -> bytes:
    """Return a model (1, 3, side, side) → (1, 1, side, side): Conv 1 × 1 with these weights and bias."""
    node = _text(1, "photo") + _text(1, "w") + _text(1, "b") + _text(2, "mask") + _text(4, "Conv")
    graph = (
        _field(1, node)
        + _text(2, "colour_sum")
        + _field(5, _tensor("w", (1, 3, 1, 1), weights))
        + _field(5, _tensor("b", (1,), [bias]))
        + _field(11, _value("photo", (1, 3, side_px, side_px)))
        + _field(12, _value("mask", (1, 1, side_px, side_px)))
    )
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 13))


def grown_back(weights: Sequence[float], height_px: int, width_px: int, *, all_four: bool) -> bytes:
    """Return a model that adds to such a sum its own half-sized copy, grown back to a size written into the graph.

    That size names all four dimensions, or height and width alone with the axes as an attribute.
    """
    size = (1, 1, height_px, width_px) if all_four else (height_px, width_px)
    axes = b"" if all_four else _field(5, _text(1, "axes") + _number(8, 2) + _number(8, 3) + _number(20, _INTS))
    pooled = b"".join(
        _field(5, _text(1, name) + _number(8, 2) + _number(8, 2) + _number(20, _INTS))
        for name in ("kernel_shape", "strides")
    )
    linear = _field(5, _text(1, "mode") + _text(4, "linear") + _number(20, _STRING))
    nodes = (
        _text(1, "photo") + _text(1, "w") + _text(1, "b") + _text(2, "sum") + _text(4, "Conv"),
        _text(1, "sum") + _text(2, "half") + _text(4, "MaxPool") + pooled,
        _text(1, "half") + _text(1, "") * 2 + _text(1, "size") + _text(2, "grown") + _text(4, "Resize") + linear + axes,
        _text(1, "sum") + _text(1, "grown") + _text(2, "mask") + _text(4, "Add"),
    )
    graph = (
        b"".join(_field(1, node) for node in nodes)
        + _text(2, "grown_back")
        + _field(5, _tensor("w", (1, 3, 1, 1), weights))
        + _field(5, _tensor("b", (1,), [0.0]))
        + _field(5, _number(1, len(size)) + _number(2, _INT64) + _text(8, "size") + _field(9, _int64s(size)))
        + _field(11, _value("photo", (1, 3, height_px, width_px)))
        + _field(12, _value("mask", (1, 1, height_px, width_px)))
    )
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 18))


def _int64s(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def _tensor(name: str, dims: Sequence[int], values: Sequence[float]) -> bytes:
    shape = b"".join(_number(1, dim) for dim in dims)
    return shape + _number(2, _FLOAT) + _text(8, name) + _field(9, struct.pack(f"<{len(values)}f", *values))


def _value(name: str, dims: Sequence[int]) -> bytes:
    shape = b"".join(_field(1, _number(1, dim)) for dim in dims)
    return _text(1, name) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, shape)))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
