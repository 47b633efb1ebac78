"""Draw a persona in a pose: as a guide in the generator's crop, and at the frame's own resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, Mask, MotionCode
from anonymizer.generate.crop import crop_from_frame, warp_matrix
from anonymizer.generate.sample import draw_textured, sample
from anonymizer.generate.softness import softened
from anonymizer.geometry import apply_affine, yaw_pitch_roll
from anonymizer.persona import atlas
from anonymizer.persona.apron import apron_cm
from anonymizer.persona.face_model import (
    FIRST_LID_VERTEX,
    LID_REACH,
    LIDS,
    MOUTH_VERTICES,
    SKIN_VERTICES,
    FaceModel,
    attributes,
    lid_top,
    light_in_mouth,
)
from anonymizer.persona.folds import fold_gain, folded, lid_gain
from anonymizer.persona.persona import Persona
from anonymizer.persona.rasterise import rasterise, vertex_normals

PARTS = SKIN_VERTICES, FIRST_LID_VERTEX  # with which eyes and mouth begin, and lids
FACE_WIDTH_CM = 15.5  # what the atlas's width spans on a face
# Landmarks run inside a face's silhouette, so a persona drawn at their size is narrower than the head it sits on, and
# the generator had to guess the rest. Chosen by eye among 1, 1.05 and 1.1 on three clips and six photos.
DRAWN_LARGER = np.float32(1.05)


@dataclass(frozen=True, slots=True, eq=False)
class PosedPersona:
    """A persona's mesh in a pose. vertices_px (574, 3) in the frame, drawn (574, 3): uv and shade of each vertex;
    mips: its texture at full, half, quarter and eighth size; fold_gain (110, 128, 3): brightness of its skin;
    lid_gain (2, 24, 3): of its lids, by column."""

    vertices_px: Floats
    drawn: Floats
    triangles: npt.NDArray[np.int32]
    mips: tuple[npt.NDArray[np.uint8], ...]
    fold_gain: Floats
    lid_gain: Floats


def texture_mips(texture_rgb: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], ...]:
    """The texture at 1, 1/2, 1/4 and 1/8."""
    import cv2

    mips = [texture_rgb]
    for _ in range(3):
        mips.append(np.asarray(cv2.resize(mips[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(mips)


def pose(code: MotionCode, persona: Persona, mips: tuple[npt.NDArray[np.uint8], ...], model: FaceModel) -> PosedPersona:
    """The persona with the code's expression and gaze, where the head is."""
    vertices, uv = worn(replace(code, gaze=code.gaze - persona.look), persona, model)
    folds = fold_gain(model.folds, code.expression - model.resting_expression)
    lids = np.stack([lid_gain(folds, lid_top(model.uv, ring, rows, LID_REACH / 2)) for ring, rows in LIDS])
    drawn = attributes(uv)
    drawn[MOUTH_VERTICES, 2] *= light_in_mouth(vertices)
    return PosedPersona(vertices, drawn, model.triangles, mips, folds, lids)


def worn(code: MotionCode, persona: Persona, model: FaceModel) -> tuple[Floats, Floats]:
    """The persona's mesh as it is drawn, its skin as far as the ears and all DRAWN_LARGER about its middle
    -> vertices_px (574, 3), uv (574, 2)."""
    vertices, uv = model.animate(code, persona.shape_cm + apron_cm(model))
    middle = (vertices.min(0) + vertices.max(0)) / 2
    return np.asarray((vertices - middle) * DRAWN_LARGER + middle, np.float32), uv


def draw(
    posed: PosedPersona, code: MotionCode, rows: slice, columns: slice, blur_px: float = 0
) -> tuple[npt.NDArray[np.uint8], Mask]:
    """The persona on a part of the frame, blurred by that standard deviation -> guide (h, w, 3) uint8, 0 where it is
    not; coverage (h, w) 0 or 255."""
    vertices = posed.vertices_px - np.array([columns.start, rows.start, 0], np.float32)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    texture = _mip(posed, FACE_WIDTH_CM * code.scale_px_per_cm)
    guide, coverage = draw_textured(vertices, posed.triangles, posed.drawn, texture, size, PARTS)
    return softened(guide, coverage, blur_px), coverage


def face_crop(
    erased: npt.NDArray[np.uint8], hole: Mask, code: MotionCode, posed: PosedPersona, size_px: int, blur_px: float = 0
) -> FaceCrop:
    """The generator's view, size_px square. `erased` (H, W, 3) has 0 wherever hole (H, W) is 255.

    blur_px: of the guide, standard deviation in frame px.
    """
    to_crop = crop_from_frame(code, size_px)
    context, hole_crop = _context(erased, hole, to_crop, size_px)
    scale = float(np.hypot(to_crop[0, 0], to_crop[0, 1]))
    xy = apply_affine(to_crop, posed.vertices_px[:, :2])
    vertices = np.concatenate([xy, posed.vertices_px[:, 2:] * scale], 1).astype(np.float32)
    normals = vertex_normals(vertices, posed.triangles)
    drawn, which = rasterise(vertices, posed.triangles, np.concatenate([posed.drawn, normals], 1), (size_px, size_px))
    covered = which >= 0
    seen = sample(_mip(posed, FACE_WIDTH_CM * code.scale_px_per_cm * scale), drawn, which)
    seen = softened(seen, np.where(covered, np.uint8(255), np.uint8(0)), blur_px * scale)
    guide = np.asarray(seen / np.float32(255), np.float32)
    x, y, z = (drawn[..., 3 + axis] for axis in range(3))
    geometry = drawn[..., 3:] / np.maximum(np.sqrt(x * x + y * y + z * z), np.float32(1e-6))[..., None]
    turned = float(np.sin(yaw_pitch_roll(code.rotation)[0]))
    return FaceCrop(context, hole_crop, guide, covered.astype(np.float32), geometry, to_crop, turned)


def _mip(posed: PosedPersona, face_width_px: float) -> npt.NDArray[np.uint8]:
    """The texture whose texels are nearest to one px of a face this wide, with the expression's folds."""
    level = int(np.clip(np.round(np.log2(atlas.WIDTH_PX / max(face_width_px, 1.0))), 0, len(posed.mips) - 1))
    return folded(posed.mips[level], posed.fold_gain, posed.lid_gain)


def _context(
    erased: npt.NDArray[np.uint8], hole: Mask, to_crop: npt.NDArray[np.float64], size_px: int
) -> tuple[Floats, Floats]:
    """Shrink by areas first, then warp, so that nothing aliases. Colours stay premultiplied by 1 − hole."""
    import cv2

    height, width = hole.shape
    scale = float(np.hypot(to_crop[0, 0], to_crop[0, 1]))
    corners = np.array([[0, 0], [size_px, 0], [size_px, size_px], [0, size_px]], np.float64) - to_crop[:, 2]
    in_frame = corners @ np.linalg.inv(to_crop[:, :2]).T
    margin = 2 / scale
    x0, y0 = (int(v) for v in np.clip(np.floor(in_frame.min(0) - margin), 0, [width - 2, height - 2]))
    x1, y1 = (int(v) for v in np.clip(np.ceil(in_frame.max(0) + margin), [x0 + 2, y0 + 2], [width, height]))
    part, part_hole = erased[y0:y1, x0:x1], hole[y0:y1, x0:x1]
    cell = min(int(1 / scale + 0.25), (x1 - x0) // 2, (y1 - y0) // 2)  # whole px: five times faster than any other
    if cell > 1:
        small = ((x1 - x0) // cell, (y1 - y0) // cell)
        part, part_hole = part[: small[1] * cell, : small[0] * cell], part_hole[: small[1] * cell, : small[0] * cell]
        part = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
        part_hole = np.asarray(cv2.resize(part_hole, small, interpolation=cv2.INTER_AREA), np.uint8)
    # crop <- frame <- part: p_frame = p_part · cell + (x0, y0)
    linear = to_crop[:, :2] * max(cell, 1)
    matrix = warp_matrix(np.concatenate([linear, (to_crop[:, :2] @ np.array([x0, y0]) + to_crop[:, 2])[:, None]], 1))
    stacked = np.concatenate([part, part_hole[..., None]], 2)
    warped = cv2.warpAffine(
        stacked, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    floats = warped.astype(np.float32) / 255
    return np.ascontiguousarray(floats[..., :3]), np.ascontiguousarray(floats[..., 3])
