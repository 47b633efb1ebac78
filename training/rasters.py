"""Meshes to UV maps for training: the z-buffer of the live renderer in plain numpy, all triangles at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FACE, PATCH = 1, 2  # codes of a covered pixel: skin of the mesh, or an eye's or the mouth's inside


@dataclass(frozen=True, slots=True, eq=False)
class MeshMap:
    """uv: (R, R, 2) float16; code: (R, R) uint8, 0, FACE or PATCH; normals: (R, R, 3) int8, 127 = 1;
    shade: (R, R) uint8, 255 = as bright as the texture."""

    uv: npt.NDArray[np.float16]
    code: npt.NDArray[np.uint8]
    normals: npt.NDArray[np.int8]
    shade: npt.NDArray[np.uint8]


def mesh_map(
    vertices_px: npt.NDArray[np.float32],
    uv: npt.NDArray[np.float32],
    shade: npt.NDArray[np.float32],
    triangles: npt.NDArray[np.int32],
    size_px: int,
    patches: npt.NDArray[np.bool_],
) -> MeshMap:
    """Rasterise (V, 3) vertices with (V, 2) uv and (V,) shade at size_px² ; smaller z is nearer, pixel centres at .5.
    patches (T,) marks the triangles inside eyes and mouth."""
    pixel, which, weights = _visible(vertices_px, triangles, size_px)
    corners = triangles[which]
    attributes = np.concatenate([uv, vertex_normals(vertices_px, triangles), shade[:, None]], 1)
    values = np.einsum("nk,nka->na", weights, attributes[corners])
    out = np.zeros((size_px * size_px, 6), np.float32)
    out[pixel] = values
    code = np.zeros(size_px * size_px, np.uint8)
    code[pixel] = np.where(patches[which], PATCH, FACE)
    length = np.maximum(np.linalg.norm(out[:, 2:5], axis=1, keepdims=True), 1e-6)
    normals = np.rint(out[:, 2:5] / length * 127).astype(np.int8)
    bright = np.rint(np.clip(out[:, 5], 0, 1) * 255).astype(np.uint8)
    shape = (size_px, size_px)
    uv_map = out[:, :2].astype(np.float16).reshape(*shape, 2)
    return MeshMap(uv_map, code.reshape(shape), normals.reshape(*shape, 3), bright.reshape(shape))


def _visible(
    vertices: npt.NDArray[np.float32], triangles: npt.NDArray[np.int32], size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Of every covered pixel: its flat index, the nearest triangle, and that triangle's weights (n, 3)."""
    corners = vertices[triangles]
    planes, area = _weight_planes(corners)
    low = np.clip(np.floor(corners[:, :, :2].min(1) - 0.5), 0, size).astype(np.int32)
    high = np.clip(np.ceil(corners[:, :, :2].max(1) - 0.5) + 1, 0, size).astype(np.int32)
    spans = np.maximum(high - low, 0)
    counts = np.where(np.abs(area) < 1e-6, 0, spans[:, 0] * spans[:, 1])
    which = np.repeat(np.arange(len(triangles), dtype=np.int32), counts)
    rank = np.arange(len(which), dtype=np.int32) - np.repeat((np.cumsum(counts) - counts).astype(np.int32), counts)
    y, x = np.divmod(rank, np.repeat(spans[:, 0], counts))  # place in the triangle's box, then in the image
    x, y = x + low[which, 0], y + low[which, 1]
    own = planes[which]
    px, py = (x + 0.5).astype(np.float32), (y + 0.5).astype(np.float32)
    wa = own[:, 0] * px + own[:, 1] * py + own[:, 2]
    wb = own[:, 3] * px + own[:, 4] * py + own[:, 5]
    inside = np.flatnonzero((wa >= -1e-4) & (wb >= -1e-4) & (wa + wb <= 1 + 1e-4))
    pixel, which, wa, wb = (y * size + x)[inside], which[inside], wa[inside], wb[inside]
    weights = np.stack([wa, wb, 1 - wa - wb], 1)
    depth = np.einsum("nk,nk->n", weights, corners[:, :, 2][which])
    nearest = np.full(size * size, -1, np.int64)
    far_to_near = np.argsort(-depth, kind="stable")
    nearest[pixel[far_to_near]] = far_to_near  # of repeated pixels, the last one written stays
    covered = np.flatnonzero(nearest >= 0)
    chosen = nearest[covered]
    return covered, which[chosen], weights[chosen]


def _weight_planes(corners: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Corners (T, 3, 3) -> (T, 6): the weights of the first two as a x + b y + c each; and twice the areas (T,)."""
    (ax, ay), (bx, by), (cx, cy) = (corners[:, i, :2].astype(np.float64).T for i in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    safe = np.where(np.abs(area) < 1e-6, 1, area)
    first = np.stack([by - cy, cx - bx, bx * cy - by * cx])
    second = np.stack([cy - ay, ax - cx, cx * ay - cy * ax])
    return (np.concatenate([first, second]) / safe).T.astype(np.float32), area.astype(np.float32)


def vertex_normals(vertices: npt.NDArray[np.float32], triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """(V, 3) unit normals, z towards the camera (negative) on the whole, as the live renderer has them."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.stack([np.bincount(triangles.T.ravel(), np.tile(face[:, k], 3), len(vertices)) for k in range(3)], 1)
    normals = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    return np.asarray(normals if normals[:, 2].mean() <= 0 else -normals, np.float32)
