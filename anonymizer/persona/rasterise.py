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
    weights = visible(vertices, triangles, depth, which)
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            t = which[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa = np.float32(weights[t, 0] * x + weights[t, 1] * y + weights[t, 2])
            wb = np.float32(weights[t, 3] * x + weights[t, 4] * y + weights[t, 5])
            wc = np.float32(1) - wa - wb
            for k in range(attributes.shape[1]):
                out[y, x, k] = wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k]


@njit(cache=True, nogil=True, fastmath=False)
def visible(vertices, triangles, depth, which):  # type: ignore[no-untyped-def]
    """Fill which (H, W) with the nearest triangle of each pixel and depth with its z -> (T, 6) float64: the weights
    of a triangle's first and second corner at pixel (x, y) are w[0] x + w[1] y + w[2] and w[3] x + w[4] y + w[5]."""
    height, width = depth.shape
    weights = np.zeros((triangles.shape[0], 6))
    slack = -1e-4
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = np.float64(vertices[a, 0]), np.float64(vertices[a, 1]), np.float64(vertices[a, 2])
        bx, by, bz = np.float64(vertices[b, 0]), np.float64(vertices[b, 1]), np.float64(vertices[b, 2])
        cx, cy, cz = np.float64(vertices[c, 0]), np.float64(vertices[c, 1]), np.float64(vertices[c, 2])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-6:
            continue
        wax, way = (by - cy) / area, (cx - bx) / area
        wbx, wby = (cy - ay) / area, (ax - cx) / area
        wa0 = (bx * cy - by * cx) / area + 0.5 * (wax + way)  # pixel centres lie at .5
        wb0 = (cx * ay - cy * ax) / area + 0.5 * (wbx + wby)
        weights[t] = (wax, way, wa0, wbx, wby, wb0)
        wcx, wcy, wc0 = -wax - wbx, -way - wby, 1.0 - wa0 - wb0
        zx, zy, z0 = wax * az + wbx * bz + wcx * cz, way * az + wby * bz + wcy * cz, wa0 * az + wb0 * bz + wc0 * cz
        x0 = max(int(np.floor(min(ax, bx, cx) - 0.5)), 0)
        x1 = min(int(np.ceil(max(ax, bx, cx) - 0.5)), width - 1)
        y0 = max(int(np.floor(min(ay, by, cy) - 0.5)), 0)
        y1 = min(int(np.ceil(max(ay, by, cy) - 0.5)), height - 1)
        for y in range(y0, y1 + 1):
            first, last = float(x0), float(x1)
            for slope, rest in ((wax, way * y + wa0), (wbx, wby * y + wb0), (wcx, wcy * y + wc0)):
                if slope > 1e-12:
                    first = max(first, (slack - rest) / slope)
                elif slope < -1e-12:
                    last = min(last, (slack - rest) / slope)
                elif rest < slack:
                    last = -1.0
            row_z = zy * y + z0
            for x in range(int(np.ceil(first)), int(np.floor(last)) + 1):
                z = np.float32(zx * x + row_z)
                if z < depth[y, x]:
                    depth[y, x] = z
                    which[y, x] = t
    return weights


def vertex_normals(vertices: Floats, triangles: npt.NDArray[np.int32]) -> Floats:
    """(V, 3) unit normals, mean of the triangles around each vertex; those of a frontal face point to the camera."""
    total = np.zeros((len(vertices), 3), np.float64)
    _sum_normals(np.ascontiguousarray(vertices, np.float64), np.ascontiguousarray(triangles, np.int32), total)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    normals = total / np.maximum(length, 1e-9)
    return np.asarray(normals if normals[:, 2].mean() <= 0 else -normals, np.float32)


@njit(cache=True, nogil=True, fastmath=False)
def _sum_normals(vertices, triangles, total):  # type: ignore[no-untyped-def]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            total[corner, 0] += nx
            total[corner, 1] += ny
            total[corner, 2] += nz
