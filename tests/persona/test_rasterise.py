"""The rasteriser against a slow, plain one; nearer triangles hide farther ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.faces import Floats
from anonymizer.persona.rasterise import rasterise, vertex_normals
from tests.heads import MODEL


def slow(
    vertices: Floats, triangles: np.ndarray[tuple[int, int], np.dtype[np.int32]], px: float, py: float
) -> tuple[int, float]:
    """(triangle, its least barycentric weight) nearest at a point, (−1, 0) for none; plain algebra."""
    best, best_z, best_weight = -1, np.inf, 0.0
    for index, corners in enumerate(vertices[triangles].astype(np.float64)):
        system = np.concatenate([corners[:, :2].T, np.ones((1, 3))])
        if abs(np.linalg.det(system)) < 1e-6:
            continue
        weights = np.linalg.solve(system, [px, py, 1])
        if weights.min() > -1e-4 and (z := float(weights @ corners[:, 2])) < best_z:
            best, best_z, best_weight = index, z, float(weights.min())
    return best, best_weight


@given(st.integers(0, 10**6))
@settings(max_examples=6)
def test_every_pixel_is_as_the_slow_way_has_it(seed: int) -> None:
    """Triangle and interpolated attributes agree at every pixel, edges aside."""
    rng = np.random.default_rng(seed)
    vertices = rng.uniform([-4, -4, -5], [16, 14, 5], (9, 3)).astype(np.float32)
    triangles = rng.permuted(np.tile(np.arange(9), (4, 1)), axis=1)[:, :3].astype(np.int32)
    drawn, which = rasterise(vertices, triangles, vertices, (12, 10))
    assert drawn.shape == (10, 12, 3)
    for y in range(10):
        for x in range(12):
            index, weight = slow(vertices, triangles, x + 0.5, y + 0.5)
            if index >= 0 and weight < 1e-3:
                continue  # on an edge, either side is right
            if which[y, x] != index:
                assert index == -1 or which[y, x] >= 0
                continue
            if index >= 0:
                np.testing.assert_allclose(drawn[y, x, :2], [x + 0.5, y + 0.5], atol=0.02)
            else:
                assert not drawn[y, x].any()


def test_the_nearer_triangle_hides_the_other_in_any_order() -> None:
    """Smaller z is nearer, whichever is drawn first; what is seen from behind is drawn too."""
    far = np.array([[0, 0, 5], [20, 0, 5], [0, 20, 5]], np.float32)
    near = far[::-1] - np.array([0, 0, 9], np.float32)
    for first, second, shown in ((far, near, 1), (near, far, 0)):
        vertices = np.concatenate([first, second])
        triangles = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
        _, which = rasterise(vertices, triangles, vertices, (8, 8))
        assert (which[:6, :6] == shown).all()


def test_a_mesh_partly_outside_the_picture_is_cut() -> None:
    """Nothing is written beyond the borders, and all inside is covered."""
    vertices = np.array([[-100, -100, 0], [200, -100, 0], [-100, 200, 0]], np.float32)
    _, which = rasterise(vertices, np.array([[0, 1, 2]], np.int32), vertices, (7, 5))
    assert which.shape == (5, 7)
    assert (which == 0).all()


def test_normals_of_a_face_look_into_the_camera() -> None:
    """Unit length; the nose's tip points to the camera."""
    normals = vertex_normals(MODEL.neutral_cm, MODEL.triangles[:100])
    lengths = np.linalg.norm(normals, axis=1)
    np.testing.assert_allclose(lengths[lengths > 0.1], 1, atol=1e-4)
    whole = vertex_normals(MODEL.neutral_cm, MODEL.triangles[(MODEL.triangles < 468).all(1)])
    assert whole[1, 2] < -0.7
