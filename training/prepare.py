"""Photos -> one shard: roll-aligned crops, meshes, holes and persona textures, through the live path's own code.

    python -m training prepare --train FOLDER [FOLDER ...] --out .shard/shard.npz

400 faces of the first folder are held out for measuring, chosen by the hash of their names, so that the
same faces are held out whatever else is added.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Face, MotionCode
from anonymizer.generate.crop import crop_from_frame, warp_matrix
from anonymizer.geometry import apply_affine
from anonymizer.guard.coverage import Coverage, hull
from anonymizer.perceive.motion import fit_motion, motion_in_head, photo_baseline, reduce_motion
from anonymizer.persona.bank import PersonaBank
from anonymizer.persona.face_model import PATCH_SHADE, SKIN_VERTICES, FaceModel, project
from anonymizer.persona.landmark_groups import LIP_UPPER_INNER
from anonymizer.persona.persona import draw_persona
from training.landmark_photos import PhotoLandmarks, landmark_photos, read_rgb

CROP_PX = 288
HELD_OUT = 400
TEXTURES = 192
MAX_RESIDUAL_CM = 0.45  # worse fits are drawings, masks, or landmarks beside the face
MIN_SCALE = 7.0  # px per cm: a face of about 110 px
MIN_CHROMA = 10.0  # mean a*b* distance from grey; below it a photo is black and white
HULLS: tuple[Coverage, ...] = ("face", "head", "box")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training prepare", description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--leave-out", nargs="*", default=[], help="file names kept for samples")
    parser.add_argument("--out", type=Path, default=Path(".shard/shard.npz"))
    args = parser.parse_args(argv)
    from anonymizer.persona.bank import load_bank
    from anonymizer.persona.face_model import load_face_model

    photos = [p for p in landmark_photos(args.train) if p.path.name not in args.leave_out]
    arrays = build(photos, args.train[0].name, load_face_model(), load_bank())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **arrays)
    print(f"{len(arrays['split'])} rows, {int(arrays['split'].sum())} held out, {args.out.stat().st_size / 1e6:.1f} MB")
    return 0


def build(photos: list[PhotoLandmarks], held_folder: str, model: FaceModel, bank: PersonaBank) -> dict[str, Any]:
    """All arrays of the shard; their meaning is told in `training/data.py`."""
    rows = [row for row in (_row(p, model, bank) for p in photos) if row is not None]
    names = [row["name"] for row in rows]
    ranked = sorted(
        (n for n in names if n.startswith(held_folder + "/")), key=lambda n: hashlib.sha256(n.encode()).digest()
    )
    held = set(ranked[:HELD_OUT])
    arrays: dict[str, Any] = {
        key: np.stack([row[key] for row in rows]) for key in rows[0] if key not in ("name", "jpeg")
    }
    arrays["names"] = np.array(names)
    arrays["split"] = np.array([name in held for name in names], np.uint8)
    arrays["triangles"] = model.triangles
    arrays["first_patch_vertex"] = np.array(SKIN_VERTICES)
    arrays["vertex_shade"] = PATCH_SHADE
    arrays["texture_mirrored"] = np.array(True)
    arrays |= _packed("images", "image_offsets", [row["jpeg"] for row in rows])
    return arrays | _packed("textures", "texture_offsets", _textures(model, bank))


def _row(photo: PhotoLandmarks, model: FaceModel, bank: PersonaBank) -> dict[str, Any] | None:
    """One photo's part of the shard, or None when it is no good."""
    face = Face(Box(0, 0, 1, 1), 1.0, photo.landmarks_px, photo.expression)
    motion = fit_motion(face, model)
    code = reduce_motion(motion.pose, motion.expression, motion.gaze, photo_baseline(motion.expression, model), model)
    if (
        photo.faces != 1
        or code.scale_px_per_cm < MIN_SCALE
        or motion.residual_px / code.scale_px_per_cm > MAX_RESIDUAL_CM
    ):
        return None
    to_crop = crop_from_frame(code, CROP_PX)
    rgb = _warped(read_rgb(photo.path), to_crop)
    if _chroma(rgb) < MIN_CHROMA:
        return None
    head = motion_in_head(face, motion).astype(np.float32)[:468]
    own_shape = head - model.head(photo.expression)
    anchor = model.head(model.resting_expression, own_shape)[LIP_UPPER_INNER]
    exact = MotionCode(
        motion.pose[:2].astype(np.float32),
        float(np.exp(motion.pose[2])),
        motion.pose[3:].astype(np.float32),
        code.expression,
        code.gaze,
    )
    own_cm, own_uv = model.with_patches(head, motion.gaze, anchor)
    persona = draw_persona(secrets.token_bytes(32), 0, secrets.randbelow(len(bank.tones)), "any", bank, model)
    persona_px, persona_uv = model.animate(code, persona.shape_cm)
    row: dict[str, Any] = {
        "name": f"{photo.path.parent.name}/{photo.path.name}",
        "jpeg": _jpeg(rgb, 92),
        "vertices_own": _vertices(project(exact, own_cm), to_crop),
        "uv_own": _fixed(own_uv, 16384),
        "vertices_persona": _vertices(persona_px, to_crop),
        "uv_persona": _fixed(persona_uv, 16384),
        "expression": photo.expression,
    }
    return row | {f"hull_{kind}": _outline(apply_affine(to_crop, hull(code, kind, model))) for kind in HULLS}


def _warped(rgb: npt.NDArray[np.uint8], to_crop: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    matrix, size = warp_matrix(to_crop), (CROP_PX, CROP_PX)
    crop = cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(crop, np.uint8)


def _vertices(px: npt.NDArray[np.float32], to_crop: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    scale = float(np.hypot(to_crop[0, 0], to_crop[0, 1]))
    return _fixed(np.concatenate([apply_affine(to_crop, px[:, :2]), px[:, 2:] * scale], 1), 64)


def _outline(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """All hulls have 64 points in the shard; a box repeats its corners."""
    return _fixed(np.repeat(points, 64 // len(points), axis=0), 64)


def _fixed(values: npt.NDArray[Any], one: int) -> npt.NDArray[np.int16]:
    return np.clip(np.round(values * one), -32768, 32767).astype(np.int16)


def _textures(model: FaceModel, bank: PersonaBank) -> list[bytes]:
    textures = []
    for i in range(TEXTURES):
        persona = draw_persona(secrets.token_bytes(32), i, i % len(bank.tones), "any", bank, model)
        textures.append(_jpeg(cv2.resize(persona.texture_rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 92))
    return textures


def _chroma(rgb: npt.NDArray[np.uint8]) -> float:
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)[..., 1:] - 128
    return float(np.linalg.norm(lab, axis=2).mean())


def _jpeg(rgb: npt.NDArray[Any], quality: int) -> bytes:
    return bytes(
        cv2.imencode(
            ".jpg", cv2.cvtColor(np.asarray(rgb, np.uint8), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )[1]
    )


def _packed(name: str, offsets: str, pieces: list[bytes]) -> dict[str, Any]:
    return {
        name: np.frombuffer(b"".join(pieces), np.uint8),
        offsets: np.cumsum([0, *map(len, pieces)]).astype(np.int64),
    }
