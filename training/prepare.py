"""Photos -> one shard: roll-aligned crops, meshes, holes and persona textures, through the live path's own code.

    python -m training prepare --train FOLDER [FOLDER ...] --out .shard/shard.npz

400 faces of the first folder are held out for measuring, chosen by the hash of their names, so that the
same faces are held out whatever else is added; the scenes that people look at are always among them. Beside the shard
lies what was left out and why, and where the photos come from (shard.json).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.errors import InputError
from anonymizer.faces import Box, Face, MotionCode
from anonymizer.generate.crop import crop_from_frame, warp_matrix
from anonymizer.generate.guide import worn
from anonymizer.geometry import apply_affine
from anonymizer.guard.coverage import Coverage, hull
from anonymizer.perceive.motion import fit_motion, motion_in_head, photo_baseline, reduce_motion
from anonymizer.perceive.person import PersonMasker
from anonymizer.persona.bank import PersonaBank
from anonymizer.persona.face_model import PATCH_SHADE, SKIN_VERTICES, FaceModel, project
from anonymizer.persona.landmark_groups import LIP_UPPER_INNER
from anonymizer.persona.persona import draw_persona
from training.curate import names_in, outside_share, reason_against, reason_against_crop, sources_of
from training.landmark_photos import PhotoLandmarks, landmark_photos, photos_in, read_rgb

CROP_PX = 288
PEOPLE_PX = 144  # a side of the masks of people, whose edges are soft
HELD_OUT = 400
TEXTURES = 192
MOST_BYTES = 45_000_000
SCENES = Path("configs/scenes100.txt")
DRAWINGS = Path("configs/photos_exclude.txt")
HULLS: tuple[Coverage, ...] = ("face", "head", "box")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training prepare", description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--leave-out", nargs="*", default=[], help="file names kept for samples")
    parser.add_argument("--exclude", type=Path, default=DRAWINGS, help="list of photos that are drawings or spoilt")
    parser.add_argument("--scenes", type=Path, default=SCENES, help="list of photos that are never trained on")
    parser.add_argument("--out", type=Path, default=Path(".shard/shard.npz"))
    args = parser.parse_args(argv)
    from anonymizer.persona.bank import load_bank
    from anonymizer.persona.face_model import load_face_model

    left_out = {Path(name).name for name in (*args.leave_out, *names_in(args.exclude))}
    there = photos_in(args.train)
    photos = list(landmark_photos(args.train))
    found = {photo.path for photo in photos}
    dropped = {"no face": [name_of(path) for path in there if path not in found]}
    kept = [photo for photo in photos if photo.path.name not in left_out]
    dropped["left out by name"] = [name_of(photo.path) for photo in photos if photo.path.name in left_out]
    arrays = build(kept, args.train[0].name, load_face_model(), load_bank(), names_in(args.scenes), dropped)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **arrays)
    if args.out.stat().st_size > MOST_BYTES:
        raise InputError(f"{args.out} has {args.out.stat().st_size / 1e6:.0f} MB, wanted 45 at most; give fewer photos")
    report = report_of(arrays, dropped, len(there))
    args.out.with_suffix(".json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in report.items() if key != "dropped_names"}, ensure_ascii=False))
    return 0


def name_of(path: Path) -> str:
    """As rows are named: folder and file."""
    return f"{path.parent.name}/{path.name}"


def report_of(arrays: dict[str, Any], dropped: dict[str, list[str]], photos: int) -> dict[str, Any]:
    """What a shard is made of, in numbers, and the names of what each rule dropped, for a curator to look at."""
    return {
        "photos": photos,
        "rows": len(arrays["split"]),
        "held_out": int(arrays["split"].sum()),
        "scenes_held_out": int(arrays["scene"].sum()),
        "dropped": {reason: len(names) for reason, names in dropped.items() if names},
        "sources": dict(Counter(arrays["source"].tolist())),
        "licences": dict(Counter(arrays["licence"].tolist())),
        "generators": dict(Counter(arrays["generator"].tolist())),
        "dropped_names": dropped,
    }


def build(
    photos: list[PhotoLandmarks],
    held_folder: str,
    model: FaceModel,
    bank: PersonaBank,
    scenes: list[str],
    dropped: dict[str, list[str]],
) -> dict[str, Any]:
    """All arrays of the shard (`training/data.py` tells what they mean). dropped: what each rule takes is added."""
    rows, paths, masker = [], [], PersonMasker()
    for photo in photos:
        row = _row(photo, model, bank, masker)
        if isinstance(row, str):
            dropped.setdefault(row, []).append(name_of(photo.path))
        else:
            rows.append(row)
            paths.append(photo.path)
    if not rows:
        raise InputError(f"of {len(photos)} photos with a face none is fit to learn from: {', '.join(dropped)}")
    names = [row["name"] for row in rows]
    held = held_out(names, held_folder, scenes)
    arrays: dict[str, Any] = {
        key: np.stack([row[key] for row in rows]) for key in rows[0] if key not in ("name", "jpeg", "people")
    }
    arrays["names"] = np.array(names)
    arrays["split"] = np.array([name in held for name in names], np.uint8)
    arrays["scene"] = np.array([name in scenes for name in names], np.uint8)
    sources = sources_of(paths)
    for key in ("source", "licence", "generator"):
        arrays[key] = np.array([getattr(source, key) for source in sources])
    arrays["triangles"] = model.triangles
    arrays["first_patch_vertex"] = np.array(SKIN_VERTICES)
    arrays["vertex_shade"] = PATCH_SHADE
    arrays["texture_mirrored"] = np.array(True)
    arrays |= _packed("images", "image_offsets", [row["jpeg"] for row in rows])
    arrays |= _packed("people", "people_offsets", [row["people"] for row in rows])
    return arrays | _packed("textures", "texture_offsets", _textures(model, bank))


def held_out(names: list[str], folder: str, scenes: list[str]) -> set[str]:
    """HELD_OUT names of the folder by their hash, and every scene: a scene takes the place of no other face."""
    ranked = sorted(
        (name for name in names if name.startswith(folder + "/")), key=lambda n: hashlib.sha256(n.encode()).digest()
    )
    return set(ranked[:HELD_OUT]) | (set(scenes) & set(names))


def _row(photo: PhotoLandmarks, model: FaceModel, bank: PersonaBank, masker: PersonMasker) -> dict[str, Any] | str:
    """One photo's part of the shard, or why it is no good."""
    face = Face(Box(0, 0, 1, 1), 1.0, photo.landmarks_px, photo.expression)
    motion = fit_motion(face, model)
    baseline = photo_baseline(motion.expression, model)
    code = reduce_motion(motion.pose, motion.expression, motion.gaze, baseline, model, photo=True)
    whole, to_crop = read_rgb(photo.path), crop_from_frame(code, CROP_PX)
    against = reason_against(
        photo.faces, code.scale_px_per_cm, motion.residual_px, photo.landmarks_px[:468], whole.shape
    )
    rgb = _warped(whole, to_crop)
    outside = outside_share(warp_matrix(to_crop), whole.shape, CROP_PX)
    against = against or reason_against_crop(rgb, outside)
    if against is not None:
        return against
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
    persona_px, persona_uv = worn(code, persona, model)
    row: dict[str, Any] = {
        "name": name_of(photo.path),
        "jpeg": _jpeg(rgb, 92),
        "people": _people(rgb, masker),
        "vertices_own": _vertices(project(exact, own_cm), to_crop),
        "uv_own": _fixed(own_uv, 16384),
        "vertices_persona": _vertices(persona_px, to_crop),
        "uv_persona": _fixed(persona_uv, 16384),
        "expression": photo.expression,
        "outside_share": np.float32(outside),
        "residual_cm": np.float32(motion.residual_px / code.scale_px_per_cm),
    }
    return row | {f"hull_{kind}": _outline(apply_affine(to_crop, hull(code, kind, model))) for kind in HULLS}


def _people(rgb: npt.NDArray[np.uint8], masker: PersonMasker) -> bytes:
    """A grey JPEG, PEOPLE_PX a side: how surely each px is of a person."""
    share = masker.share(rgb.astype(np.float32) / np.float32(255))
    small = cv2.resize(share, (PEOPLE_PX, PEOPLE_PX), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", np.rint(small * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


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
