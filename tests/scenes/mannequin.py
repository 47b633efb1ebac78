"""A head in three dimensions that can be turned all the way round: a textured face mesh, a skull, hair, ears and neck.

No photo is needed: the face is a persona's. Its inner region is known to the pixel, hidden parts left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats, MotionCode
from anonymizer.generate.guide import texture_mips
from anonymizer.generate.sample import sample
from anonymizer.persona import atlas
from anonymizer.persona.atlas import FACE_ROWS
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import FaceModel, attributes, load_face_model, project
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT
from anonymizer.persona.persona import draw_persona
from anonymizer.persona.rasterise import rasterise, vertex_normals
from tests.heads import code, turned
from tests.scenes.layers import Bools, Layer, Pose

FACE_WIDTH_CM = 14.4  # of the average face, from temple to temple
JAW_OPEN = 25
# Brows, nose and outer lips, numbered as in MediaPipe's face mesh; with the eyes they span the inner region.
FEATURES = (
    *EYE_LEFT,
    *EYE_RIGHT,
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 64, 294),
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
)
SKULL_CM = ((0.0, -2.4, 2.6), (7.3, 10.4, 8.2))  # centre and radii
HAIR_CM = ((0.0, -2.6, 2.6), (8.1, 11.6, 9.8))
NECK_CM = ((0.0, 12.5, 4.2), (4.9, 10.5, 5.2))
EAR_CM = ((7.4, -0.3, 3.6), (0.9, 3.0, 1.9))
CHEST_CM = ((0.0, 27.0, 5.0), (20.0, 10.0, 8.0))
FACE_FIRST_CM = 3.0  # the face lies before the skull that it is laid on
HAIR_LINE = (
    (-7.2, 9.0),
    (-1.5, 5.0),
)  # hair hangs down to the first y (cm) at the first z, to the second at the second
AMBIENT = 0.62
OVERSAMPLING = 2.0
MOST_OVERSAMPLED_PX = 40.0
REACH_CM = ((-12.5, -17.5), (12.5, 21.0))  # of what is drawn around the face's middle


@dataclass(frozen=True, slots=True, eq=False)
class Mannequin:
    """mips: the atlas (576, 512, 3) and its smaller copies. shape_cm (468, 3). hair, clothes: RGB.

    light: from where, in image axes.
    """

    mips: tuple[npt.NDArray[np.uint8], ...]
    shape_cm: Floats
    hair_rgb: tuple[float, float, float]
    clothes_rgb: tuple[float, float, float]
    bald: bool = False
    light: tuple[float, float, float] = (-0.4, -0.6, -0.7)

    def draw(self, pose: Pose) -> Layer:
        """The head in a pose; yaw may be anything."""
        scale = pose.width_px / FACE_WIDTH_CM
        fine = OVERSAMPLING if pose.width_px <= MOST_OVERSAMPLED_PX else 1.0
        expression = load_face_model().resting_expression.copy()
        expression[JAW_OPEN] += 0.6 * pose.mouth
        rotation = turned(-pose.yaw, pose.pitch, pose.roll)
        low, high = (np.floor(np.array(pose.center_px) + np.array(reach) * scale * 1.3) for reach in REACH_CM)
        truth = code(pose.center_px, scale, rotation, expression)
        width, height = (int(side) for side in high - low)
        center = (np.array(pose.center_px) - low) * fine
        drawn = self._drawn(
            code((float(center[0]), float(center[1])), scale * fine, rotation, expression),
            (round(width * fine), round(height * fine)),
        )
        small = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
        alpha = np.asarray(np.clip(small[..., 3], 0, 1), np.float32)
        rgb = np.clip(small[..., :3] / np.maximum(alpha, 1e-3)[..., None], 0, 255).astype(np.uint8)
        inner = small[..., 4] >= 0.5
        return Layer(int(low[0]), int(low[1]), rgb, alpha, inner, pose.width_px, truth)

    def _drawn(self, pose: MotionCode, size_px: tuple[int, int]) -> Floats:
        """(H, W, 5) float32: RGB times opacity, opacity, inner."""
        model = load_face_model()
        vertices, uv = model.animate(pose, self.shape_cm)
        light = self._light_on(vertex_normals(vertices, model.triangles))
        face, which = rasterise(
            vertices, model.triangles, np.concatenate([attributes(uv), light, vertices[:, 2:]], 1), size_px
        )
        things, colours, triangles = self._around(pose)
        back, behind = rasterise(things, triangles, np.concatenate([colours, things[:, 2:]], 1), size_px)
        cm = pose.scale_px_per_cm
        front = (which >= 0) & ((behind < 0) | (face[..., 4] - FACE_FIRST_CM * cm < back[..., 3]))
        skin = sample(_mip(self.mips, FACE_WIDTH_CM * cm), face, which) * face[..., 3:4]
        rgb = np.where(front[..., None], skin, back[..., :3])
        opaque = front | (behind >= 0)
        inner = front & _inner_triangles()[np.maximum(which, 0)]
        out = np.concatenate([rgb * opaque[..., None], opaque[..., None], inner[..., None]], 2)
        return np.asarray(out, np.float32)

    def _light_on(self, normals: Floats) -> Floats:
        """(N, 1): how bright surfaces with normals (N, 3) are."""
        light = np.array(self.light, np.float32) / np.float32(np.linalg.norm(self.light))
        unit = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        return np.asarray(AMBIENT + (1.25 - AMBIENT) * np.clip(unit @ light[:, None], 0, 1), np.float32)

    def _around(self, pose: MotionCode) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
        """Skull, hair, ears, neck and chest -> vertices px, lit colours, triangles. The chest stays upright."""
        skin = np.median(self.mips[3][: FACE_ROWS // 8].reshape(-1, 3), 0)
        parts = [_blob(*SKULL_CM), _blob(*NECK_CM)]
        parts += [_blob((side * EAR_CM[0][0], *EAR_CM[0][1:]), EAR_CM[1]) for side in (-1, 1)]
        colours = [np.broadcast_to(skin * shade, (len(parts[0]), 3)) for shade in (1.0, 0.78, 0.9, 0.9)]
        if not self.bald:
            hair = _hair_part(_blob(*HAIR_CM))
            parts.append(hair)
            grain = np.random.default_rng(5).normal(1, 0.12, (len(hair), 1))
            colours.append(np.array(self.hair_rgb) * grain)
        seen = [project(pose, part) for part in parts]
        still = code(
            (float(pose.center_px[0]), float(pose.center_px[1])), pose.scale_px_per_cm, turned(0), pose.expression
        )
        seen.append(project(still, _blob(*CHEST_CM)))
        colours.append(np.broadcast_to(np.array(self.clothes_rgb), (len(seen[-1]), 3)))
        lit = [colour * self._light_on(part - part.mean(0)) for colour, part in zip(colours, seen, strict=True)]
        triangles = [_blob_triangles() + i * len(parts[0]) for i in range(len(seen))]
        return (
            np.concatenate(seen).astype(np.float32),
            np.concatenate(lit).astype(np.float32),
            np.concatenate(triangles).astype(np.int32),
        )


@lru_cache(maxsize=64)
def mannequin(seed: int) -> Mannequin:
    """Somebody who does not exist, by number."""
    rng = np.random.default_rng(seed)
    tone = int(rng.integers(6))
    persona = draw_persona(rng.bytes(32), 0, tone, "any", load_bank(), load_face_model())
    hair = np.array([(28, 22, 20), (62, 42, 30), (110, 78, 48), (150, 140, 132), (176, 140, 88)][int(rng.integers(5))])
    clothes = rng.uniform(20, 230, 3)
    light = (float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.7, 0)), -0.8)
    return Mannequin(
        texture_mips(persona.texture_rgb), persona.shape_cm, tuple(hair), tuple(clothes), rng.random() < 0.1, light
    )


def _mip(mips: tuple[npt.NDArray[np.uint8], ...], width_px: float) -> npt.NDArray[np.uint8]:
    return mips[int(np.clip(np.floor(np.log2(max(atlas.WIDTH_PX / max(width_px, 1), 1))), 0, 3))]


@lru_cache(maxsize=1)
def _inner_triangles() -> Bools:
    """Which triangles of the mesh lie in the hull of the features, seen from the front."""
    model: FaceModel = load_face_model()
    at_rest = code((0.0, 0.0), 1.0)
    vertices, _ = model.animate(at_rest, np.zeros_like(model.neutral_cm))
    outline = cv2.convexHull(vertices[list(FEATURES), :2].astype(np.float32))
    middles = vertices[model.triangles].mean(1)
    inside = [cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y, _ in middles]
    return np.array(inside)


_RINGS, _SECTORS = 13, 18


@lru_cache(maxsize=16)
def _blob(center: tuple[float, float, float], radii: tuple[float, float, float]) -> Floats:
    """Points on an ellipsoid, ring by ring from top to bottom."""
    theta = np.linspace(0.02, np.pi - 0.02, _RINGS)[:, None]
    phi = np.linspace(0, 2 * np.pi, _SECTORS, endpoint=False)[None]
    unit = np.stack(
        [np.sin(theta) * np.sin(phi), np.broadcast_to(-np.cos(theta), (_RINGS, _SECTORS)), np.sin(theta) * np.cos(phi)],
        2,
    )
    return np.asarray(unit.reshape(-1, 3) * radii + center, np.float32)


def _hair_part(points: Floats) -> Floats:
    """Hair ends at the hair line: what would hang lower is drawn up to it, and into the skull."""
    (y_front, y_behind), (z_front, z_behind) = HAIR_LINE
    share = np.clip((points[:, 2] - z_front) / (z_behind - z_front), 0, 1)
    lowest = y_front + share * (y_behind - y_front)
    out = points.copy()
    low = points[:, 1] > lowest
    middle = np.array(SKULL_CM[0], np.float32)
    out[low] = middle + (out[low] - middle) * 0.6
    return out


@lru_cache(maxsize=1)
def _blob_triangles() -> npt.NDArray[np.int32]:
    index = np.arange(_RINGS * _SECTORS, dtype=np.int32).reshape(_RINGS, _SECTORS)
    a, b = index[:-1], np.roll(index[:-1], -1, 1)
    c, d = np.roll(index[1:], -1, 1), index[1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
