"""The trainer's meshes are those of the live renderer."""

from __future__ import annotations

import numpy as np

from anonymizer.persona import rasterise as live
from training.rasters import FACE, PATCH, mesh_map, vertex_normals


def _mesh(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:9, 0:9]
    xy = np.stack([x, y], 2).reshape(-1, 2) * 6.0 + 4 + rng.uniform(-1.5, 1.5, (81, 2))
    z = ((xy - 28) ** 2).sum(1) / 40 + rng.uniform(0, 6, 81)
    quad = (np.arange(8)[:, None] * 9 + np.arange(8)).ravel()
    triangles = np.concatenate([np.stack([quad, quad + 1, quad + 9], 1), np.stack([quad + 1, quad + 10, quad + 9], 1)])
    folded = np.concatenate([triangles, np.stack([quad, quad + 40, quad + 10], 1) % 81])
    return np.column_stack([xy, z]).astype(np.float32), rng.random((81, 2)).astype(np.float32), folded.astype(np.int32)


def test_maps_equal_those_of_the_live_renderer() -> None:
    """On folded meshes that overlap themselves, uv, normals and coverage agree with the live rasteriser."""
    for seed in range(3):
        vertices, uv, triangles = _mesh(seed)
        patches = np.arange(len(triangles)) >= 100
        got = mesh_map(vertices, uv, np.ones(81, np.float32), triangles, 56, patches)
        normals = live.vertex_normals(vertices, triangles)
        want, which = live.rasterise(vertices, triangles, np.concatenate([uv, normals], 1), (56, 56))
        code = np.where(which < 0, 0, np.where(which >= 100, PATCH, FACE))
        same = code == got.code
        assert same.mean() > 0.999  # rounding may decide ties on shared edges
        assert np.abs(got.uv.astype(np.float32) - want[..., :2])[same].max(-1).mean() < 1e-3
        unit = want[..., 2:] / np.maximum(np.linalg.norm(want[..., 2:], axis=2, keepdims=True), 1e-6)
        assert np.abs(got.normals / 127 - unit)[same].mean() < 0.01


def test_normals_equal_those_of_the_live_renderer() -> None:
    """Vertex normals have the live renderer's direction and length."""
    vertices, _, triangles = _mesh(5)
    np.testing.assert_allclose(vertex_normals(vertices, triangles), live.vertex_normals(vertices, triangles), atol=1e-5)
