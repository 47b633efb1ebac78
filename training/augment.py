"""Jitter of crops (photo, meshes and hole move together), and DiffAugment for the discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from anonymizer.generate.conditioning import RING_SHARE
from training.data import Maps, Shard
from training.rasters import FACE, PATCH

SCALE_RANGE = (0.85, 1.2)
SHIFT = 0.06  # of the crop's side
TILT_RAD = math.radians(8)
HOLE_ODDS = (0.65, 0.2, 0.15)  # face, head, box
TORN_UV = 0.04  # interpolated uv further than this from its nearest texel crosses a fold of the mesh


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """One mesh in the jittered crops. uv: (B, 2, S, S). normals: (B, 3, S, S). The others: (B, 1, S, S)."""

    uv: Tensor
    skin: Tensor
    patch: Tensor
    normals: Tensor
    shade: Tensor

    @property
    def coverage(self) -> Tensor:
        return (self.skin + self.patch).clamp(max=1)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """photo (B, 3, S, S) in [0, 1]; hole, blend (B, 1, S, S); the two meshes; textures (B, 3, T, T) uint8,
    and at half their size. person (B, 1, S, S): how surely a px is of a person. guide_photo: what SELF's guide is made
    of; softness (B, 1, 1, 1) of photo against it; noise (B, 1, 1, 1): standard deviation, of what the generator sees
    of the photo."""

    photo: Tensor
    hole: Tensor
    blend: Tensor
    own: Mesh
    persona: Mesh
    textures: Tensor
    coarse_textures: Tensor
    person: Tensor
    guide_photo: Tensor
    softness: Tensor
    noise: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Jitter:
    """crop_from_out: (B, 2, 3), output −1..1 to crop −1..1. scale, tilt, flip: (B,) each, flip ±1."""

    crop_from_out: Tensor
    scale: Tensor
    tilt: Tensor
    flip: Tensor


def draw_jitter(count: int, still: bool = False) -> Jitter:
    """Random similarity and flip for each crop, drawn on the CPU; `still` leaves the crops as they are."""
    low, high = (math.log(s) for s in SCALE_RANGE)
    scale = torch.exp(torch.rand(count) * (high - low) + low)
    tilt, flip = (torch.rand(count) * 2 - 1) * TILT_RAD, torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    shift = (torch.rand(count, 2) * 2 - 1) * SHIFT * 2
    if still:
        scale, tilt, flip, shift = torch.ones(count), torch.zeros(count), torch.ones(count), torch.zeros(count, 2)
    cos, sin = torch.cos(tilt) / scale, torch.sin(tilt) / scale
    rows = [torch.stack([cos * flip, -sin, shift[:, 0]], 1), torch.stack([sin * flip, cos, shift[:, 1]], 1)]
    return Jitter(torch.stack(rows, 1), scale, tilt, flip)


def cut_batch(shard: Shard, rows: Tensor, personas: Tensor, kinds: Tensor, jitter: Jitter, size_px: int) -> Batch:
    """The crops of `rows` (CPU indices), jittered, with holes of `kinds` (0 face, 1 head, 2 box)."""
    device = shard.photos.device
    rows, kinds = rows.to(device), kinds.to(device)
    to_crop = jitter.crop_from_out.to(device)
    grid = F.affine_grid(to_crop, [len(rows), 1, size_px, size_px], align_corners=False)
    photos = shard.photos[rows].float() / 255
    photo = F.grid_sample(photos, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    people = shard.person[rows].float() / 255
    person = F.grid_sample(people, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    hole, blend = _holes(shard.hole_lines[rows, kinds], grid, jitter.scale.to(device), size_px)
    own, persona = (_mesh(maps, rows, grid, jitter, shard.mirrored) for maps in (shard.own, shard.persona))
    chosen = personas.to(device)
    textures, coarse_textures = shard.textures[chosen], shard.coarse_textures[chosen]
    none = torch.zeros(len(rows), 1, 1, 1, device=device)
    return Batch(photo, hole, blend, own, persona, textures, coarse_textures, person, photo, none, none)


def _holes(lines: Tensor, grid: Tensor, scale: Tensor, size_px: int) -> tuple[Tensor, Tensor]:
    """lines (B, K, 3) at grid (B, S, S, 2) -> antialiased hole, and blend that ends a ring outside it."""
    count, points = len(grid), grid.flatten(1, 2)
    distance = torch.baddbmm(lines[:, :, 2:], lines[:, :, :2], points.transpose(1, 2)).amax(1)
    distance_px = (distance * (scale[:, None] * size_px / 2)).view(count, 1, size_px, size_px)
    hole = (0.5 - distance_px).clamp(0, 1)
    blend = (1 - (distance_px - 0.5) / (RING_SHARE * size_px)).clamp(0, 1)
    return hole, torch.maximum(blend, hole)


def _mesh(maps: Maps, rows: Tensor, grid: Tensor, jitter: Jitter, mirrored: bool) -> Mesh:
    code = maps.code[rows]
    skin, patch = (code == FACE).float(), (code == PATCH).float()
    there = skin + patch
    uv = maps.uv[rows].float()
    normals = maps.normals[rows].float() / 127
    shade = maps.shade[rows].float() / 255
    smooth = _sample(torch.cat([skin, patch, uv * there, normals * there, shade * there], 1), grid, "bilinear")
    weight = smooth[:, :2].sum(1, keepdim=True)
    uv_smooth = smooth[:, 2:4] / weight.clamp(min=1e-3)
    near = _sample(torch.cat([uv, there], 1), grid, "nearest")
    torn = ((uv_smooth - near[:, :2]).abs().amax(1, keepdim=True) > TORN_UV) & (near[:, 2:] > 0.5)
    uv_out = torch.where(torn, near[:, :2], uv_smooth)
    device = grid.device
    cos, sin = torch.cos(jitter.tilt).to(device)[:, None, None], torch.sin(jitter.tilt).to(device)[:, None, None]
    flip = jitter.flip.to(device)[:, None, None]
    nx, ny, nz = smooth[:, 4:7].unbind(1)
    turned = torch.stack([(nx * cos + ny * sin) * flip, ny * cos - nx * sin, nz], 1)
    turned = turned * torch.rsqrt(nx * nx + ny * ny + nz * nz + 1e-6)[:, None] * (weight > 0)
    if mirrored:
        u = torch.where(flip < 0, 1 - uv_out[:, 0], uv_out[:, 0])
        uv_out = torch.stack([u, uv_out[:, 1]], 1)
    return Mesh(uv_out, smooth[:, :1], smooth[:, 1:2], turned, smooth[:, 7:] / weight.clamp(min=1e-3))


def _sample(maps: Tensor, grid: Tensor, mode: str) -> Tensor:
    return F.grid_sample(maps, grid, mode=mode, padding_mode="zeros", align_corners=False)


def diff_augment(composite: Tensor, hole: Tensor, context: Tensor, strength: float) -> tuple[Tensor, Tensor, Tensor]:
    """Random colour, shift and cutout, the same for composite (B, 3, S, S), hole and context; differentiable."""
    if strength <= 0:
        return composite, hole, context
    count, _, size, _ = composite.shape
    brightness, saturation, contrast = _colour_draws(count, strength, composite.device)
    known = 1 - hole
    pictures = []
    for rgb, offset in ((composite, torch.ones_like(hole)), (context, known)):
        scaled = rgb if rgb is composite else (rgb + known) / 2  # the context is −1..1 and 0 in the hole
        grey = scaled.mean(1, keepdim=True)
        scaled = grey + (scaled - grey) * saturation
        scaled = offset * 0.5 + (scaled - offset * 0.5) * contrast + offset * brightness
        pictures.append(scaled if rgb is composite else scaled * 2 - known)
    everything = torch.cat([pictures[0], hole, pictures[1]], 1)
    most = int(size * 0.1 * strength)
    dx, dy = (int(torch.randint(-most, most + 1, ()).item()) for _ in range(2))
    everything = _shift(everything, dx, dy)
    if torch.rand(()) < 0.3 * strength:
        side = size // 4
        x, y = (int(torch.randint(0, size - side, ()).item()) for _ in range(2))
        keep = torch.ones(1, 1, size, size, device=composite.device)
        keep[:, :, y : y + side, x : x + side] = 0
        everything = everything * keep
    return everything[:, :3], everything[:, 3:4], everything[:, 4:]


def _colour_draws(count: int, strength: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    draws = ((torch.rand(3, count, 1, 1, 1) * 2 - 1) * strength).to(device)
    return draws[0] * 0.15, 1 + draws[1] * 0.4, 1 + draws[2] * 0.25


def _shift(images: Tensor, dx: int, dy: int) -> Tensor:
    """Move by whole px, zeros come in; one shift for all, so that real and fake keep their company."""
    height, width = images.shape[-2:]
    padded = F.pad(images, (abs(dx), abs(dx), abs(dy), abs(dy)))
    return padded[:, :, abs(dy) - dy : abs(dy) - dy + height, abs(dx) - dx : abs(dx) - dx + width]
