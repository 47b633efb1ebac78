"""What hides a face: hands, cups, bars, and what is worn on it, drawn where the head truly is."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.persona.face_model import load_face_model, project
from tests.scenes.layers import Layer

Worn = Literal["mask", "sunglasses", "hat", "glasses"]
# Cheeks and chin below the eyes, from ear to ear, as in MediaPipe's face mesh: what a surgical mask lies on.
MASK_RIM = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
MASK_TOP = (447, 350, 6, 121, 227)
EYE_MIDDLES_CM = ((-3.3, -2.5, -3.6), (3.3, -2.5, -3.6))
SKIN_RGB = ((224, 172, 140), (198, 140, 108), (150, 98, 70), (96, 62, 46))
FINGERS = ((-0.36, 0.9, 0.72), (-0.14, 0.98, 0.92), (0.1, 0.98, 1.0), (0.33, 0.94, 0.86))  # x, y at the root, length


def bar(x: int, y: int, width: int, height: int, rgb: tuple[int, int, int] = (92, 84, 78)) -> Layer:
    """An upright thing of one colour, a little shaded."""
    shade = np.linspace(1.1, 0.8, width)[None, :, None]
    picture = np.clip(np.array(rgb) * np.broadcast_to(shade, (height, width, 1)), 0, 255).astype(np.uint8)
    return _thing(x, y, picture, np.ones((height, width), np.float32))


def cup(center: tuple[float, float], height_px: float, rgb: tuple[int, int, int] = (235, 235, 230)) -> Layer:
    """A cup with a handle."""
    side = max(8, int(height_px * 1.6))
    alpha = np.zeros((side, side), np.float32)
    u = height_px
    middle = side / 2
    corners = np.array([[-0.38, -0.5], [0.38, -0.5], [0.3, 0.5], [-0.3, 0.5]]) * u + middle
    cv2.ellipse(alpha, (round(middle + 0.4 * u), round(middle)), (round(0.22 * u), round(0.25 * u)), 0, 0, 360, 1.0, 4)
    cv2.fillConvexPoly(alpha, np.round(corners).astype(np.int32), 1.0, cv2.LINE_AA)
    shade = np.linspace(1.0, 0.72, side)[None, :, None]
    picture = np.clip(np.array(rgb) * np.broadcast_to(shade, (side, side, 1)), 0, 255).astype(np.uint8)
    return _thing(round(center[0] - middle), round(center[1] - middle), picture, alpha)


def hand(center: tuple[float, float], length_px: float, turn_deg: float = 0.0, tone: int = 0) -> Layer:
    """A flat hand, fingers up, turned clockwise; its pixels are the occluder's truth."""
    side = max(16, int(length_px * 1.5))
    fine = 4
    alpha = np.zeros((side * fine, side * fine), np.uint8)
    shade = np.full((side * fine, side * fine), 1.0, np.float32)
    unit = length_px * fine / 2.0  # the palm is one unit square, the middle finger as long
    origin = np.array([side * fine / 2, side * fine / 2])

    def at(x: float, y: float) -> tuple[int, int]:
        px = origin + np.array([x, -y + 0.9]) * unit * 0.95
        return round(px[0]), round(px[1])

    width = max(1, round(0.23 * unit))
    for number, (x, y, length) in enumerate(FINGERS):
        spread = (number - 1.5) * 0.09
        cv2.line(alpha, at(x, y - 0.2), at(x + spread * length, y + length * 0.9), 255, width, cv2.LINE_AA)
        cv2.line(shade, at(x + 0.115, y), at(x + 0.115 + spread * length, y + length * 0.9), 0.72, max(1, width // 6))
    cv2.line(alpha, at(0.36, 0.25), at(0.72, 0.78), 255, round(width * 1.15), cv2.LINE_AA)
    palm = np.array([at(-0.48, 0.95), at(0.46, 0.95), at(0.44, 0.0), at(0.3, -0.6), at(-0.3, -0.6), at(-0.46, 0.1)])
    cv2.fillConvexPoly(alpha, palm.astype(np.int32), 255, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((float(origin[0]), float(origin[1])), -turn_deg, 1.0)
    alpha = np.asarray(cv2.warpAffine(alpha, matrix, alpha.shape[::-1]))
    shade = np.asarray(cv2.warpAffine(shade, matrix, shade.shape[::-1], borderValue=1.0))
    rim = cv2.GaussianBlur(alpha.astype(np.float32) / 255, (0, 0), width / 4)
    lit = cv2.resize(shade * (0.7 + 0.35 * rim), (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    picture = np.clip(np.array(SKIN_RGB[tone % len(SKIN_RGB)]) * lit[..., None], 0, 255).astype(np.uint8)
    return _thing(round(center[0] - side / 2), round(center[1] - side / 2), picture, np.asarray(small, np.float32))


def worn(kind: Worn, head: Layer) -> Layer:
    """A thing on a head whose pose is known; ValueError where it is not."""
    if head.code is None:
        raise ValueError("what is worn needs a head whose pose is known")
    model = load_face_model()
    points = model.head(head.code.expression)
    cm = head.code.scale_px_per_cm
    seen = project(head.code, points)[:, :2] - (head.x, head.y)
    height, width = head.alpha.shape
    alpha = np.zeros((height, width), np.float32)
    rgb = np.zeros((height, width, 3), np.uint8)
    if kind == "mask":
        rim = np.concatenate([seen[list(MASK_RIM)], seen[list(MASK_TOP)]])
        _fill(alpha, cv2.convexHull(rim.astype(np.float32))[:, 0])
        rgb[:] = (150, 190, 205)
    elif kind == "hat":
        brim = np.array(
            [[x, -7.2, z] for x in (-8.5, 8.5) for z in (-6, 14)] + [[x, -15, z] for x in (-7, 7) for z in (-3, 12)]
        )
        _fill(
            alpha,
            cv2.convexHull((project(head.code, brim.astype(np.float32))[:, :2] - (head.x, head.y)).astype(np.float32))[
                :, 0
            ],
        )
        rgb[:] = (120, 40, 44)
    else:
        rgb[:] = (18, 18, 20)
        for middle in EYE_MIDDLES_CM:
            _fill(alpha, _lens(head, middle), 1.0 if kind == "sunglasses" else 0.0, cm)
        bridge = project(head.code, np.array([[-1.2, -2.8, -4.6], [1.2, -2.8, -4.6]], np.float32))
        for a, b in (bridge[:, :2] - (head.x, head.y),):
            cv2.line(alpha, _whole(a), _whole(b), 1.0, max(1, round(0.35 * cm)), cv2.LINE_AA)
    turned_away = float(_normal(head)[2]) > -0.05
    if turned_away:
        alpha[:] = 0
    return _thing(head.x, head.y, rgb, alpha)


def _lens(head: Layer, middle_cm: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    assert head.code is not None
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([2.8 * np.cos(angle), 2.1 * np.sin(angle), np.full(24, -0.6)], 1) + middle_cm
    return np.asarray(project(head.code, ring.astype(np.float32))[:, :2] - (head.x, head.y), np.float64)


def _normal(head: Layer) -> Floats:
    from anonymizer.geometry import rotation_from_vector

    assert head.code is not None
    return np.asarray(rotation_from_vector(head.code.rotation) @ np.array([0, 0, -1.0]), np.float32)


def _fill(alpha: Floats, outline: npt.NDArray[Any], inside: float = 1.0, rim_cm: float = 0.0) -> None:
    points = np.round(outline * 16).astype(np.int32)
    if inside:
        cv2.fillPoly(alpha, [points], inside, cv2.LINE_AA, 4)
    if rim_cm:
        cv2.polylines(alpha, [points], True, 1.0, max(1, round(0.3 * rim_cm)), cv2.LINE_AA, 4)


def _whole(point: npt.NDArray[np.floating]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _thing(x: int, y: int, rgb: npt.NDArray[np.uint8], alpha: Floats) -> Layer:
    return Layer(x, y, rgb, np.asarray(np.clip(alpha, 0, 1), np.float32), np.zeros(alpha.shape, bool))
