"""Rotations, similarity transforms and convex outlines; pure numpy, no state."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def rotation_from_vector(rotvec: npt.ArrayLike) -> Array:
    """(3,) rotation vector in radians -> (3, 3) matrix (Rodrigues' formula)."""
    v = np.asarray(rotvec, np.float64)
    angle = float(np.linalg.norm(v))
    if angle < 1e-9:
        return np.eye(3) + _cross_matrix(v)
    k = _cross_matrix(v / angle)
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k))


def vector_from_rotation(rotation: npt.ArrayLike) -> Array:
    """(3, 3) matrix -> (3,) rotation vector in radians, length at most pi."""
    r = np.asarray(rotation, np.float64)
    angle = float(np.arccos(np.clip((np.trace(r) - 1) / 2, -1, 1)))
    axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    norm = float(np.linalg.norm(axis))
    if norm > 1e-6:
        return np.asarray(axis / norm * angle)
    if angle < 1e-3:
        return np.asarray(axis / 2)
    values, vectors = np.linalg.eigh((r + r.T) / 2)  # half a turn: the axis is the eigenvector of 1
    return np.asarray(vectors[:, int(np.argmax(values))] * angle)


def yaw_pitch_roll(rotvec: npt.ArrayLike) -> tuple[float, float, float]:
    """Rotation vector -> yaw, pitch, roll in radians, image axes: yaw > 0 turns the face to the
    image's right, pitch > 0 down, roll > 0 clockwise."""
    r = rotation_from_vector(rotvec)
    forward = -r[:, 2]  # the face looks along -z of head space
    yaw = float(np.arctan2(forward[0], -forward[2]))
    pitch = float(np.arctan2(forward[1], np.hypot(forward[0], forward[2])))
    roll = float(np.arctan2(r[1, 0], r[0, 0]))
    return yaw, pitch, roll


def fit_similarity(source: npt.ArrayLike, target: npt.ArrayLike, weights: npt.ArrayLike) -> tuple[float, Array, Array]:
    """Scale s, rotation R and shift t that minimise sum w·|s·R·source + t − target|² (Umeyama 1991).

    source, target: (N, 3). weights: (N,), not negative. Raises ValueError for a degenerate set.
    """
    p, q, w = (np.asarray(a, np.float64) for a in (source, target, weights))
    w = w / w.sum()
    p_mean, q_mean = w @ p, w @ q
    p0, q0 = p - p_mean, q - q_mean
    u, d, vt = np.linalg.svd((q0 * w[:, None]).T @ p0)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    variance = float((w[:, None] * p0**2).sum())
    if variance < 1e-12:
        raise ValueError("the points to align lie in one place")
    scale = float((d * sign).sum()) / variance
    return scale, rotation, q_mean - scale * (rotation @ p_mean)


def convex_outline(points: npt.ArrayLike, directions: int = 64, grow_px: float = 0.0) -> Array:
    """Convex polygon that holds all `points` (N, 2), made of `directions` fixed support lines moved
    outward by grow_px, so that it tells nothing finer than the support in those directions. -> (directions, 2)."""
    p = np.asarray(points, np.float64)
    angles = np.arange(directions) * (2 * np.pi / directions)
    normals = np.stack([np.cos(angles), np.sin(angles)], 1)
    support = (p @ normals.T).max(0) + grow_px
    following = np.roll(np.arange(directions), -1)
    # Neighbouring lines n·x = h meet at the polygon's corners.
    n1, n2, h1, h2 = normals, normals[following], support, support[following]
    det = n1[:, 0] * n2[:, 1] - n1[:, 1] * n2[:, 0]
    x = (h1 * n2[:, 1] - h2 * n1[:, 1]) / det
    y = (h2 * n1[:, 0] - h1 * n2[:, 0]) / det
    return np.stack([x, y], 1)


def in_outline(points: npt.ArrayLike, outline: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which of the points (N, 2) lie in a convex polygon (M, 2), given clockwise or counter-clockwise."""
    p, corners = np.asarray(points, np.float64), np.asarray(outline, np.float64)
    along = np.roll(corners, -1, 0) - corners
    to_point = p[:, None] - corners
    side = along[:, 0] * to_point[..., 1] - along[:, 1] * to_point[..., 0]
    return np.asarray((side >= -1e-6).all(1) | (side <= 1e-6).all(1))


def invert_affine(matrix: npt.ArrayLike) -> Array:
    """(2, 3) affine -> its (2, 3) inverse."""
    m = np.asarray(matrix, np.float64)
    inverse = np.linalg.inv(m[:, :2])
    return np.concatenate([inverse, -(inverse @ m[:, 2:])], 1)


def apply_affine(matrix: npt.ArrayLike, points: npt.ArrayLike) -> Array:
    """(2, 3) affine on (N, 2) points -> (N, 2)."""
    m, p = np.asarray(matrix, np.float64), np.asarray(points, np.float64)
    return np.asarray(p @ m[:, :2].T + m[:, 2])


def _cross_matrix(v: Array) -> Array:
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
