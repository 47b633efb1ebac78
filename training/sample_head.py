"""A portrait that moves: its face by the mesh, its hair, ears and neck by a field that the mesh leads.

The field is a grid over the portrait. Each of its points gets a depth (the face's at the rim, the skull's
beyond) and a share in the head's motion that ends at shoulders and background, so nothing tears.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import VERTEX_COUNT, Face, Floats, MotionCode
from anonymizer.geometry import Array, rotation_from_vector, vector_from_rotation
from anonymizer.perceive.motion import fit_motion, motion_in_head
from anonymizer.persona import atlas
from anonymizer.persona.face_model import FaceModel, attributes, project
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIP_UPPER_INNER
from anonymizer.persona.persona import eyeball
from anonymizer.persona.rasterise import rasterise
from training.sample_score import Moment

PIVOT_CM = np.array([0.0, 9.0, 7.0])  # the neck's joint, in head space
BACK_CM = 6.0  # depth of the head's outline, in head space
STEP_PX = 8  # of the grid on the portrait
SLOPE = 1.2  # depth gained for each step away from the rim; steeper, a turn would fold the picture
OVERSAMPLING = 1.5  # of the output, against jags at lids and lips
HEAD_CM, FADE_CM = 3.5, 5.5  # beyond the face's rim: as far the head goes along fully, then less and less
SKIN_CM = 3.5  # as far beyond the rim skin follows jaw and cheeks
LID_REACH_CM = 0.42


class MovingPortrait:
    """Holds a portrait (H, W, 3) and what was fitted to its face; draws it at a moment, size_px square."""

    def __init__(
        self,
        rgb: npt.NDArray[np.uint8],
        face: Face,
        model: FaceModel,
        mouth: npt.NDArray[np.uint8],
        iris_rgb: Floats,
        size_px: int,
    ) -> None:
        assert face.expression is not None
        self._rgb, self._model, self._size_px = rgb, model, size_px
        motion = fit_motion(face, model)
        self._expression, self._gaze = face.expression, motion.gaze
        self._scale = float(np.exp(motion.pose[2]))
        self._center, self._rotation = motion.pose[:2], rotation_from_vector(motion.pose[3:])
        self._head = np.asarray(motion_in_head(face, motion)[:VERTEX_COUNT], np.float32)
        self._shape = self._head - model.head(face.expression)
        self._rest = project(self._code(self._rotation, np.zeros(2)), self._head)
        skin = model.triangles[: model.skin_triangles]
        skin = skin[(skin < VERTEX_COUNT).all(1)]  # the portrait has a hair line of its own
        self._skin_triangles = len(skin)
        self._triangles = np.concatenate([skin, model.triangles[model.skin_triangles :]])
        self._texture = _patches(mouth, iris_rgb)
        self._grid, self._grid_triangles = _grid(rgb.shape[1], rgb.shape[0])
        self._spread, self._share, self._near, self._grid_head = self._tie_grid()

    def draw(self, moment: Moment) -> npt.NDArray[np.uint8]:
        """(size_px, size_px, 3) uint8 RGB."""
        yaw, pitch, roll = np.deg2rad(moment.turn_deg)
        turn = (
            rotation_from_vector([0, 0, roll])
            @ rotation_from_vector([pitch, 0, 0])
            @ rotation_from_vector([0, -yaw, 0])
        )
        rotation = turn @ self._rotation
        pivot = self._scale * (self._rotation @ PIVOT_CM - rotation @ PIVOT_CM)
        shift = pivot[:2] + np.array([0.35 * moment.turn_deg[0], -1.2 * moment.breath])
        code = self._code(rotation, shift, self._gaze + np.array(moment.gaze, np.float32))
        head = self._lidded(self._model.head(self._expression + moment.expression, self._shape), moment.lids)
        around = self._around(code, head, moment.breath)
        face, alpha, inside, patches = self._face(code, head)
        out = around + (face - around) * alpha
        out += (patches - out) * inside
        return np.asarray(np.clip(self._shrunk(out), 0, 255), np.uint8)

    def _code(self, rotation: Array, shift: Array, gaze: Floats | None = None) -> MotionCode:
        return MotionCode(
            center_px=(self._center + shift).astype(np.float32),
            scale_px_per_cm=self._scale,
            rotation=vector_from_rotation(rotation).astype(np.float32),
            expression=self._expression.astype(np.float32),
            gaze=self._gaze if gaze is None else gaze.astype(np.float32),
        )

    def _lidded(self, head: Floats, closed: float) -> Floats:
        """Upper lids drawn towards the lower ones; the skin around goes along. closed < 0 opens them further."""
        moved = head.copy()
        rings = np.array(EYE_LEFT + EYE_RIGHT)
        for ring in (EYE_LEFT, EYE_RIGHT):
            lower, upper = np.array(ring[1:8]), np.array(ring[:8:-1])
            way = closed * (head[lower] + np.array([0, -0.03, 0]) - head[upper])
            distance = np.linalg.norm(head[:, None, :2] - head[None, upper, :2], axis=2)
            near = np.exp(-((distance / LID_REACH_CM) ** 2))
            pull = (near[..., None] * way).sum(1) / np.maximum(near.sum(1), 1e-6)[:, None] * near.max(1)[:, None]
            pull[rings] = 0
            moved += pull * (head[:, 1:2] < head[lower, 1].max() - 0.1)
            moved[upper] += way
        return moved

    def _tie_grid(self) -> tuple[Floats, Floats, Floats, Floats]:
        """How each grid point follows: weights on the vertices (G, 468), share in the head's motion (G, 1), share in
        the skin's (G, 1), place in head space (G, 3)."""
        rest, cm = self._rest, self._scale
        oval = list(FACE_OVAL)
        square = ((self._grid[:, None] - rest[None, oval, :2]) ** 2).sum(2) + (0.3 * cm) ** 2
        spread = np.zeros((len(self._grid), len(rest)), np.float32)
        spread[:, oval] = 1 / square**2
        spread /= spread.sum(1, keepdims=True)
        hull = rest[oval, :2].astype(np.float32).reshape(-1, 1, 2)
        beyond_cm = (
            np.array([max(-cv2.pointPolygonTest(hull, (float(x), float(y)), True), 0) for x, y in self._grid]) / cm
        )
        chin, brow = rest[152, 1], rest[10, 1]
        below = np.clip(
            (self._grid[:, 1] - (chin + brow) / 2) / (chin - brow) * 2, 0, 1
        )  # 0 at the eyes, 1 at the chin
        solid = HEAD_CM * (1 - below) + 0.3 * below
        share = 1 - _smooth((beyond_cm - solid) / (FADE_CM + 1.0 * below))
        near = 1 - _smooth(beyond_cm / SKIN_CM)
        rim = self._evened((spread @ rest[:, 2])[:, None])[:, 0]
        depth = np.maximum(rim, np.minimum(rim + SLOPE * beyond_cm * cm, BACK_CM * cm))
        in_image = np.concatenate([self._grid - self._center, depth[:, None]], 1)
        return spread, share[:, None], near[:, None], (in_image @ self._rotation / cm).astype(np.float32)

    def _evened(self, field: npt.NDArray[np.floating]) -> Floats:
        """A field (G, k) on the grid without the steps between one vertex's reach and the next."""
        columns = self._rgb.shape[1] // STEP_PX + 3
        blurred = cv2.GaussianBlur(field.reshape(-1, columns, field.shape[1]), (0, 0), 1.2)
        return np.asarray(blurred.reshape(field.shape), np.float32)

    def _around(self, code: MotionCode, head: Floats, breath: float) -> Floats:
        """The whole portrait, led by the head."""
        turned = rotation_from_vector(code.rotation).astype(np.float32)
        skin = self._evened(self._spread @ ((head - self._head) @ turned.T * self._scale)) * self._near
        moved = project(code, self._grid_head)
        at = self._grid + (moved[:, :2] - self._grid + skin[:, :2]) * self._share
        at[:, 1] -= 1.2 * breath * (1 - self._share[:, 0]) * _smooth((self._grid[:, 1] - self._rest[152, 1]) / 60)
        vertices = np.concatenate([at, moved[:, 2:]], 1)
        drawn, _ = self._raster(vertices, self._grid_triangles, self._grid)
        return self._seen(self._rgb, drawn[..., :2])

    def _face(self, code: MotionCode, head: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """-> the face, its opacity (softly 0 at its rim), the openings' opacity, what stands in them."""
        model = self._model
        lip_anchor = model.head(self._expression, self._shape)[LIP_UPPER_INNER]
        vertices, uv = model.with_patches(head, code.gaze, lip_anchor)
        rim = np.ones((len(vertices), 1), np.float32)
        rim[list(FACE_OVAL)] = 0
        portrait = np.zeros((len(vertices), 2), np.float32)
        portrait[:VERTEX_COUNT] = self._rest[:, :2]
        drawn, which = self._raster(
            project(code, vertices), self._triangles, np.concatenate([portrait, rim, attributes(uv)], 1)
        )
        face = self._seen(self._rgb, drawn[..., :2])
        patches = self._seen(self._texture, drawn[..., 3:5] * (atlas.WIDTH_PX, atlas.HEIGHT_PX)) * drawn[..., 5:]
        skin = (which >= 0) & (which < self._skin_triangles)
        inside = (which >= self._skin_triangles).astype(np.float32)
        alpha = _smooth(drawn[..., 2]) * skin
        return face, _soft(alpha, 1.2), _soft(inside, 0.8), patches

    def _raster(
        self, vertices: Floats, triangles: npt.NDArray[np.int32], drawn: Floats
    ) -> tuple[Floats, npt.NDArray[np.int32]]:
        fine = int(self._size_px * OVERSAMPLING)
        scale = np.float32(fine / self._rgb.shape[0])
        return rasterise(vertices * scale, triangles, drawn, (fine, fine))

    def _seen(self, picture: npt.NDArray[np.uint8], at: Floats) -> Floats:
        at = np.asarray(at - 0.5, np.float32)
        seen = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.float32)

    def _shrunk(self, rgb: Floats) -> Floats:
        return np.asarray(cv2.resize(rgb, (self._size_px, self._size_px), interpolation=cv2.INTER_AREA), np.float32)


def _patches(mouth: npt.NDArray[np.uint8], iris_rgb: Floats) -> npt.NDArray[np.uint8]:
    """An atlas (576, 512, 3) with eyeballs and the mouth's inside; the skin comes from the portrait itself."""
    eye = eyeball(iris_rgb)
    texture = np.zeros((atlas.HEIGHT_PX, atlas.WIDTH_PX, 3), np.uint8)
    for patch, picture in ((atlas.EYE_LEFT, eye), (atlas.EYE_RIGHT, eye), (atlas.MOUTH, mouth)):
        texture[patch.y0 : patch.y1, patch.x0 : patch.x1] = picture
    return texture


def _grid(width: int, height: int) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Points (G, 2) every STEP_PX, a little beyond the picture's border, and the triangles between them."""
    x, y = (np.arange(-STEP_PX, n + 2 * STEP_PX, STEP_PX, dtype=np.float32) for n in (width, height))
    points = np.stack(np.meshgrid(x, y), -1)
    index = np.arange(points.shape[0] * points.shape[1], dtype=np.int32).reshape(points.shape[:2])
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return points.reshape(-1, 2), np.ascontiguousarray(triangles)


def _smooth(value: npt.ArrayLike) -> Floats:
    t = np.clip(np.asarray(value, np.float32), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _soft(mask: Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma_px), np.float32)[..., None]
