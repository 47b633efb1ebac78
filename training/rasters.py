"""Meshes to UV maps for training: the z-buffer of the live renderer in plain numpy, all triangles at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FACE, PATCH = 1, 2  # codes of a covered pixel: skin of the mesh, or an eye's or the mouth's inside


@dataclass(frozen=True, slots=True, eq=False)
class MeshMap:
    """uv: (R, R, 2) float16; code: (R, R) uint8, 0, FACE or PATCH; normals: (R, R, 3) int8, 127 = 1."""

    uv: npt.NDArray[np.float16]
    code: npt.NDArray[np.uint8]
    normals: npt.NDArray[np.int8]


def mesh_map(
    vertices_px: npt.NDArray[np.float32],
    uv: npt.NDArray[np.float32],
    triangles: npt.NDArray[np.int32],
    size_px: int,
    patches: npt.NDArray[np.bool_],
) -> MeshMap:
    """Rasterise (V, 3) vertices with (V, 2) uv at size_px² ; smaller z is nearer, pixel centres at .5.
    patches (T,) marks the triangles inside eyes and mouth."""
    pixel, which, weights = _visible(vertices_px, triangles, size_px)
    corners = triangles[which]
    attributes = np.concatenate([uv, vertex_normals(vertices_px, triangles)], 1)
    values = np.einsum("nk,nka->na", weights, attributes[corners])
    out = np.zeros((size_px * size_px, 5), np.float32)
    out[pixel] = values
    code = np.zeros(size_px * size_px, np.uint8)
    code[pixel] = np.where(patches[which], PATCH, FACE)
    length = np.maximum(np.linalg.norm(out[:, 2:], axis=1, keepdims=True), 1e-6)
    normals = np.rint(out[:, 2:] / length * 127).astype(np.int8)
    shape = (size_px, size_px)
    return MeshMap(out[:, :2].astype(np.float16).reshape(*shape, 2), code.reshape(shape), normals.reshape(*shape, 3))


def _visible(
    vertices: npt.NDArray[np.float32], triangles: npt.NDArray[np.int32], size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Of every covered pixel: its flat index, the nearest triangle, and that triangle's weights (n, 3)."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    xy = np.stack([a, b, c])[:, :, :2]
    low = np.clip(np.floor(xy.min(0) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.ceil(xy.max(0) - 0.5) + 1, 0, size).astype(np.int64)
    spans = np.maximum(high - low, 0)
    counts = np.where(np.abs(area) < 1e-6, 0, spans[:, 0] * spans[:, 1])
    which = np.repeat(np.arange(len(triangles)), counts)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)  # position in the triangle's box
    x = low[which, 0] + rank % np.maximum(spans[which, 0], 1)
    y = low[which, 1] + rank // np.maximum(spans[which, 0], 1)
    px, py = x + 0.5, y + 0.5
    pa, pb, pc = a[which], b[which], c[which]
    wa = ((pb[:, 0] - px) * (pc[:, 1] - py) - (pb[:, 1] - py) * (pc[:, 0] - px)) / area[which]
    wb = ((pc[:, 0] - px) * (pa[:, 1] - py) - (pc[:, 1] - py) * (pa[:, 0] - px)) / area[which]
    weights = np.stack([wa, wb, 1 - wa - wb], 1)
    inside = (weights >= -1e-4).all(1)
    pixel, which, weights = (y * size + x)[inside], which[inside], weights[inside]
    depth = (weights * np.stack([pa, pb, pc], 1)[inside][:, :, 2]).sum(1)
    order = np.lexsort((depth, pixel))
    pixel, first = np.unique(pixel[order], return_index=True)
    chosen = order[first]
    return pixel, which[chosen], weights[chosen].astype(np.float32)


def vertex_normals(vertices: npt.NDArray[np.float32], triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """(V, 3) unit normals, z towards the camera (negative) on the whole, as the live renderer has them."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.stack([np.bincount(triangles.T.ravel(), np.tile(face[:, k], 3), len(vertices)) for k in range(3)], 1)
    normals = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    return np.asarray(normals if normals[:, 2].mean() <= 0 else -normals, np.float32)
