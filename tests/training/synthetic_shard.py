"""A tiny shard in the trainer's format: round faces of a few triangles, drawn here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CROP_PX = 288
PATCH_SIDES = 12


def _jpeg(rgb: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, format="JPEG", quality=90)
    return out.getvalue()


def _fan(sides: int, first: int) -> np.ndarray:
    ring = first + 1 + np.arange(sides)
    return np.stack([np.full(sides, first), ring, np.roll(ring, -1)], 1)


def _disc(centre: np.ndarray, radius: float, sides: int, z: float) -> np.ndarray:
    angle = np.arange(sides) / sides * 2 * np.pi
    rim = centre + radius * np.stack([np.cos(angle), 1.3 * np.sin(angle)], 1)
    xy = np.concatenate([centre[None], rim])
    depth = np.concatenate([[z - radius / 2], np.full(sides, z)])
    return np.asarray(np.concatenate([xy, depth[:, None]], 1))


def _photo(rng: np.random.Generator, centre: np.ndarray, radius: float, side: int) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] + 0.5
    skin, wall = rng.uniform(90, 230, 3), rng.uniform(20, 200, 3)
    face = ((x - centre[0]) / radius) ** 2 + ((y - centre[1]) / (1.3 * radius)) ** 2 < 1
    shade = 0.7 + 0.6 * x / side
    rgb = np.where(face[..., None], skin, wall) * shade[..., None] + rng.normal(0, 6, (side, side, 3))
    return np.asarray(np.clip(rgb, 0, 255), np.uint8)


def write_shard(path: Path, rows: int = 12, personas: int = 4, seed: int = 0, face_vertices: int = 468) -> Path:
    """A shard of `rows` faces, every fourth held out; the mesh is a fan of 468 vertices and a patch."""
    rng = np.random.default_rng(seed)
    sides = face_vertices - 1
    triangles = np.concatenate([_fan(sides, 0), _fan(PATCH_SIDES, sides + 1)]).astype(np.int32)
    rest = np.concatenate([_disc(np.zeros(2), 1, sides, 0), _disc(np.array([0, 0.5]), 0.3, PATCH_SIDES, -1)])
    uv = np.concatenate([rest[: sides + 1, :2] * [0.45, 0.27] + [0.5, 0.4], rest[sides + 1 :, :2] * 0.4 + [0.5, 0.7]])
    images: list[bytes] = []
    own: list[np.ndarray] = []
    persona: list[np.ndarray] = []
    hulls: dict[float, list[np.ndarray]] = {0.62: [], 0.75: [], 0.85: []}
    for _ in range(rows):
        centre, radius = rng.uniform(130, 158, 2), rng.uniform(66, 80)
        images.append(_jpeg(_photo(rng, centre, radius, CROP_PX)))
        for where, size in ((own, radius), (persona, radius * rng.uniform(0.9, 1.1))):
            where.append(rest * size + [*centre, 0])
        for factor, hull in hulls.items():
            angle = np.arange(24) / 24 * 2 * np.pi
            hull.append(centre + factor * CROP_PX / 2 * np.stack([np.cos(angle), 1.15 * np.sin(angle)], 1))
    textures = [_jpeg(_photo(rng, np.array([128.0, 100.0]), 90, 256)) for _ in range(personas)]
    face, head, box = (np.rint(np.array(hull) * 64).astype(np.int16) for hull in hulls.values())
    uv_rows = np.rint(np.tile(uv, (rows, 1, 1)) * 16384).astype(np.int16)
    arrays: dict[str, Any] = {
        **_packed("image", images),
        **_packed("texture", textures),
        "vertices_own": np.rint(np.array(own) * 64).astype(np.int16),
        "vertices_persona": np.rint(np.array(persona) * 64).astype(np.int16),
        "uv_own": uv_rows,
        "uv_persona": uv_rows,
        "triangles": triangles,
        "hull_face": face,
        "hull_head": head,
        "hull_box": box,
        "split": (np.arange(rows) % 4 == 3).astype(np.uint8),
        "names": np.array([f"row{i}" for i in range(rows)]),
        "texture_mirrored": np.array(True),
    }
    np.savez(path, **arrays)
    return path


def _packed(name: str, parts: list[bytes]) -> dict[str, np.ndarray]:
    offsets = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    return {f"{name}s": np.frombuffer(b"".join(parts), np.uint8), f"{name}_offsets": offsets}
