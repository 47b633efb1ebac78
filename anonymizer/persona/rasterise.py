"""Draw a mesh: per pixel the attributes of the nearest triangle. numba, one thread, z-buffer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.faces import Floats

quiet.silence()  # numba's cache folder, before numba is imported

from numba import njit  # noqa: E402  (after the line above)


def rasterise(
    vertices_px: Floats, triangles: npt.NDArray[np.int32], attributes: Floats, size_px: tuple[int, int]
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Interpolate attributes (V, A) over a mesh of vertices_px (V, 3) in an image of size_px = (width, height).

    Smaller z is nearer. Pixel centres lie at .5. Both sides of a triangle are drawn; the z-buffer hides
    what is behind. -> attributes (H, W, A) float32, 0 where nothing is; triangle index (H, W) int32, −1 there.
    """
    width, height = size_px
    out = np.zeros((height, width, attributes.shape[1]), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    which = np.full((height, width), -1, np.int32)
    _draw(
        np.ascontiguousarray(vertices_px, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        np.ascontiguousarray(attributes, np.float32),
        out,
        depth,
        which,
    )
    return out, which


@njit(cache=True, nogil=True, fastmath=False)
def _draw(vertices, triangles, attributes, out, depth, which):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    count = attributes.shape[1]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        bx, by, bz = vertices[b, 0], vertices[b, 1], vertices[b, 2]
        cx, cy, cz = vertices[c, 0], vertices[c, 1], vertices[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-6:
            continue
        x0 = max(int(np.floor(min(ax, bx, cx) - 0.5)), 0)
        x1 = min(int(np.ceil(max(ax, bx, cx) - 0.5)), width - 1)
        y0 = max(int(np.floor(min(ay, by, cy) - 0.5)), 0)
        y1 = min(int(np.ceil(max(ay, by, cy) - 0.5)), height - 1)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5, y + 0.5
                wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                wc = 1.0 - wa - wb
                if wa < -1e-4 or wb < -1e-4 or wc < -1e-4:
                    continue
                z = wa * az + wb * bz + wc * cz
                if z < depth[y, x]:
                    depth[y, x] = z
                    which[y, x] = t
                    for k in range(count):
                        out[y, x, k] = wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k]


def vertex_normals(vertices: Floats, triangles: npt.NDArray[np.int32]) -> Floats:
    """(V, 3) unit normals, mean of the triangles around each vertex; those of a frontal face point to the camera."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(total, triangles[:, i], face)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    normals = total / np.maximum(length, 1e-9)
    return np.asarray(normals if normals[:, 2].mean() <= 0 else -normals, np.float32)
