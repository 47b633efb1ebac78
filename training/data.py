"""The shard: photos, meshes, holes and persona textures, decoded and rasterised once, then held in memory."""

from __future__ import annotations

import io
import itertools
import logging
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from anonymizer.errors import InputError
from anonymizer.faces import VERTEX_COUNT
from training.rasters import MeshMap, mesh_map
from training.textures import half_size

log = logging.getLogger(__name__)

CROP_PX = 288
MARGIN = 1.25  # maps and photos are held at S × MARGIN, so that a crop zoomed in stays sharp
HOLE_KINDS = ("hull_face", "hull_head", "hull_box")


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """uv: (N, 2, R, R) float16; code, shade: (N, 1, R, R) uint8; normals: (N, 3, R, R) int8."""

    uv: Tensor
    code: Tensor
    normals: Tensor
    shade: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """photos: (N, 3, R, R) uint8. own, persona: mesh maps. hole_lines: (N, 3, K, 3) float32, a x + b y + c <= 0
    inside, in crop coordinates −1 to 1. train, held_out: row numbers. textures: (M, 3, T, T) uint8;
    coarse_textures: at half the size. person: (N, 1, R, R) uint8, 255 = surely a person; all of a photo without it.
    mirrored: u -> 1 − u mirrors the atlas. names: of the rows."""

    photos: Tensor
    own: Maps
    persona: Maps
    hole_lines: Tensor
    train: Tensor
    held_out: Tensor
    textures: Tensor
    coarse_textures: Tensor
    person: Tensor
    mirrored: bool
    names: tuple[str, ...]

    def to(self, device: torch.device) -> Shard:
        """The same shard on another device; row numbers stay on the CPU."""
        moved = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Maps):
                value = Maps(*(getattr(value, f.name).to(device) for f in fields(value)))
            elif isinstance(value, Tensor) and field.name not in ("train", "held_out"):
                value = value.to(device)
            moved[field.name] = value
        return Shard(**moved)


def load_shard(path: Path, size_px: int) -> Shard:
    """Read a shard made by `python -m training prepare` for training at size_px."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no shard ({error}); make one with `python -m training prepare`") from error
    needed = {"images", "image_offsets", "vertices_own", "uv_own", "vertices_persona", "uv_persona", "triangles"}
    missing = (needed | set(HOLE_KINDS) | {"textures", "texture_offsets", "split", "names"}) - set(arrays)
    if missing:
        names = ", ".join(sorted(missing))
        raise InputError(f"shard {path} lacks {names}; make it again with `python -m training prepare`")
    side = round(size_px * MARGIN)
    photos = _decode(arrays["images"], arrays["image_offsets"], side)
    log.info("%d photos decoded, rasterising at %d px", len(photos), side)
    rows = torch.from_numpy(np.asarray(arrays["split"]).astype(np.int64))
    textures = _decode(arrays["textures"], arrays["texture_offsets"], None)
    shard = Shard(
        photos=photos,
        own=_rasterise(arrays, "own", side),
        persona=_rasterise(arrays, "persona", side),
        hole_lines=torch.from_numpy(_hole_lines(arrays)),
        train=torch.nonzero(rows == 0)[:, 0],
        held_out=torch.nonzero(rows == 1)[:, 0],
        textures=textures,
        coarse_textures=half_size(textures),
        person=_people(arrays, len(photos), side),
        mirrored=bool(arrays.get("texture_mirrored", np.array(False)).all()),
        names=tuple(str(name) for name in arrays["names"]),
    )
    if not len(shard.train) or not len(shard.held_out):
        got = f"{len(shard.train)} rows to train on and {len(shard.held_out)} held out"
        raise InputError(f"shard {path} has {got}; both need some")
    return shard


def _people(arrays: dict[str, npt.NDArray[np.generic]], count: int, side: int) -> Tensor:
    """(N, 1, side, side) uint8; everything is a person in a shard of before."""
    if "people" not in arrays:
        return torch.full((1, 1, 1, 1), 255, dtype=torch.uint8).expand(count, 1, side, side)
    return _decode(arrays["people"].astype(np.uint8), arrays["people_offsets"].astype(np.int64), side)[:, :1]


def _decode(flat: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], side: int | None) -> Tensor:
    """JPEG bytes -> (N, 3, side, side) uint8; side None keeps the size."""
    out = []
    for start, end in itertools.pairwise(offsets):
        image = Image.open(io.BytesIO(flat[start:end].tobytes())).convert("RGB")
        if side is not None and image.size != (side, side):
            image = image.resize((side, side), Image.Resampling.LANCZOS)
        out.append(np.asarray(image).transpose(2, 0, 1))
    return torch.from_numpy(np.ascontiguousarray(np.stack(out)))


def _rasterise(arrays: dict[str, npt.NDArray[np.generic]], which: str, side: int) -> Maps:
    vertices = arrays[f"vertices_{which}"].astype(np.float32) / 64 * (side / CROP_PX)
    uv = arrays[f"uv_{which}"].astype(np.float32) / 16384
    triangles = arrays["triangles"].astype(np.int32)
    patches = np.asarray(
        (triangles >= int(arrays.get("first_patch_vertex", VERTEX_COUNT))).any(1)
    )  # the insides of eyes and mouth follow the mesh's own vertices
    n = len(vertices)
    shade = np.asarray(arrays.get("vertex_shade", np.ones(vertices.shape[1])), np.float32)
    maps = Maps(
        torch.zeros(n, 2, side, side, dtype=torch.float16),
        torch.zeros(n, 1, side, side, dtype=torch.uint8),
        torch.zeros(n, 3, side, side, dtype=torch.int8),
        torch.zeros(n, 1, side, side, dtype=torch.uint8),
    )
    for row in range(n):
        drawn: MeshMap = mesh_map(vertices[row], uv[row], shade, triangles, side, patches)
        maps.uv[row] = torch.from_numpy(drawn.uv).permute(2, 0, 1)
        maps.code[row, 0] = torch.from_numpy(drawn.code)
        maps.shade[row, 0] = torch.from_numpy(drawn.shade)
        maps.normals[row] = torch.from_numpy(drawn.normals).permute(2, 0, 1)
    return maps


def _hole_lines(arrays: dict[str, npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
    """(N, 3, K, 3) of the three kinds of hole; K is that of the finest one."""
    kinds = [polygon_lines(_unit(arrays[kind])) for kind in HOLE_KINDS]
    most = max(lines.shape[1] for lines in kinds)
    padded = [np.concatenate([k, np.repeat(k[:, :1], most - k.shape[1], 1)], 1) for k in kinds]
    return np.stack(padded, 1)


def _unit(points: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Crop px × 64 -> −1 to 1 over the crop."""
    return points.astype(np.float32) / (64 * CROP_PX / 2) - 1


def polygon_lines(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Convex polygons (N, K, 2) -> (N, K, 3): unit-length edge normals and offsets, negative inside.

    Points in any sense of rotation; an edge of no length gives a line that is negative everywhere.
    """
    edge = np.roll(points, -1, 1) - points
    length = np.linalg.norm(edge, axis=2, keepdims=True)
    normal = np.stack([edge[..., 1], -edge[..., 0]], 2) / np.maximum(length, 1e-6)
    offset = -(normal * points).sum(2, keepdims=True)
    centre = points.mean(1, keepdims=True)
    sign = np.where((normal * centre).sum(2, keepdims=True) + offset > 0, -1.0, 1.0)
    lines = np.concatenate([normal, offset], 2) * sign
    return np.where(length > 1e-4, lines, np.array([0.0, 0.0, -9.0])).astype(np.float32)
