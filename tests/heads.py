"""Heads of people who do not exist, as landmarks and as motion codes, and outlines to test them against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, Box, Face, Floats, MotionCode
from anonymizer.geometry import rotation_from_vector, vector_from_rotation
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.landmark_groups import EYE_CORNERS, FACE_OVAL

MODEL = load_face_model()
INNER = np.setdiff1d(np.arange(468), FACE_OVAL)  # eyes, nose, mouth, cheeks: all but the mesh's rim
CHIN = np.array([152, 148, 377, 176, 400])


def turned(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Floats:
    """(3,) rotation vector of a head turned by yaw, then nodded, then leant, all in degrees."""
    angles = np.deg2rad([yaw, pitch, roll])
    matrices = [rotation_from_vector(axis * angle) for axis, angle in zip(np.eye(3)[[1, 0, 2]], angles, strict=True)]
    return np.asarray(vector_from_rotation(matrices[2] @ matrices[0] @ matrices[1]), np.float32)


def code(
    center: tuple[float, float] = (160.0, 120.0),
    scale: float = 6.0,
    rotation: Floats | None = None,
    expression: Floats | None = None,
) -> MotionCode:
    """A head at rest that looks into the camera, but for what is given."""
    return MotionCode(
        center_px=np.array(center, np.float32),
        scale_px_per_cm=scale,
        rotation=np.zeros(3, np.float32) if rotation is None else rotation,
        expression=MODEL.resting_expression if expression is None else expression,
        gaze=np.zeros((2, 2), np.float32),
    )


def random_shape(rng: np.random.Generator) -> Floats:
    """(468, 3) cm: somebody's own shape, each component within two standard deviations."""
    weights = rng.uniform(-2, 2, len(MODEL.identity_basis_cm)).astype(np.float32)
    return np.asarray(np.tensordot(weights, MODEL.identity_basis_cm, 1), np.float32)


def random_expression(rng: np.random.Generator) -> Floats:
    """(52,): rest, with about a third of the coefficients raised by up to all there is."""
    raised = rng.uniform(0, 1, EXPRESSION_COUNT) * (rng.random(EXPRESSION_COUNT) < 0.3)
    return np.clip(MODEL.resting_expression + raised, 0, 1).astype(np.float32)


def seen_face(pose: MotionCode, shape_cm: Floats | None = None) -> Face:
    """What a perfect landmark network would say of a head of some shape in the pose of a code."""
    head = MODEL.head(pose.expression, shape_cm).astype(np.float64)
    irises = [head[list(corners)].mean(0) for corners in EYE_CORNERS for _ in range(5)]
    points = np.concatenate([head, irises]) @ rotation_from_vector(pose.rotation).T * pose.scale_px_per_cm
    points[:, :2] += pose.center_px
    (x0, y0), (x1, y1) = points[:, :2].min(0), points[:, :2].max(0)
    return Face(Box(x0, y0, x1, y1), 1.0, points.astype(np.float32), pose.expression)


def distance_outside(outline: npt.NDArray[np.float64], points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(N,) px by which points (N, 2) lie outside a convex outline (M, 2); negative inside."""
    along = np.roll(outline, -1, 0) - outline
    long = np.linalg.norm(along, axis=1) > 1e-6  # corners may fall together
    outline, along = outline[long], along[long]
    normals = np.stack([along[:, 1], -along[:, 0]], 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    normals *= np.sign(((outline - outline.mean(0)) * normals).sum(1, keepdims=True))
    return np.asarray(((points[:, None] - outline) * normals).sum(2).max(1))
