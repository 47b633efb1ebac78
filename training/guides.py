"""The two guides of a training step: SELF, the photo's own face made to look pasted; CROSS, a persona in its pose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from anonymizer.generate.conditioning import GUIDE
from models.generator import core, stack_conditioning
from training.augment import Batch, Mesh
from training.borders import Drawn, with_border
from training.cameras import box_mean, soften_inside
from training.fray import fray
from training.textures import blur_inside, masked_mean, match_tone, sample_textures

FLATTEN = (0.7, 1.1)  # share of the photo's low-frequency light that is taken out; personas have none of it
LIGHT_SPREAD, TINT_SPREAD = 0.25, 0.08  # log gain of random light: all channels, each channel
CONTRAST = 0.2
NOISE = 0.025
WARP_PX = 1.2  # at 128 px
MIX_ODDS = 0.35  # how often a part of SELF's guide is another person's texture
GUIDE_SOFTNESS = (0.4, 1.1)  # of the softness around it
SKETCH_DARK = 0.45  # of the skin's tone, inside eyes and mouth
TONE_ERROR, TINT_ERROR = 0.25, 0.09  # log error of the tone that is proposed at run time: all channels, each channel


@dataclass(frozen=True, slots=True, eq=False)
class Guided:
    """conditioning: (B, 11, S, S). guide (B, 3, S, S) straight colour, 0 outside coverage (B, 1, S, S);
    worn: well inside the coverage; inner: the same away from eyes and mouth, where the guide alone should show;
    rim: where the guide ends inside the hole, and what is near; asked: 0 where another's face shows whatever the
    network answers: it would darken foreheads for hair that it may not paint."""

    conditioning: Tensor
    guide: Tensor
    coverage: Tensor
    worn: Tensor
    inner: Tensor
    rim: Tensor
    asked: Tensor


def self_guide(batch: Batch) -> Guided:
    """The photo's own face, degraded; the insides of eyes and mouth are always a persona's."""
    mesh, photo, count = batch.own, batch.guide_photo, len(batch.photo)
    device = photo.device
    coverage = mesh.coverage
    other = sample_textures(batch.textures, batch.coarse_textures, mesh.uv, torch.rand(count).to(device)) * mesh.shade
    skin, rich = masked_mean(batch.photo, mesh.skin), masked_mean(photo, mesh.skin)
    other = match_tone(other, coverage, skin, _tone_error(count, device, 0.5))
    low = blur_inside(photo, coverage, 12)
    share = torch.empty(count, 1, 1, 1).uniform_(*FLATTEN).to(device)
    flat = photo * torch.exp(share * torch.log(rich.clamp(min=0.02) / low.clamp(min=0.02))).clamp(0.25, 4.0)
    flat = (flat * (skin.clamp(min=0.02) / rich.clamp(min=0.02))).clamp(0, 1)
    mixed = torch.lerp(flat, other, _mix_mask(batch).clamp(max=1))
    guide = torch.lerp(mixed, other, mesh.patch)
    guide = soften_inside(_degrade(guide, skin), coverage, _softness(batch))
    guide, coverage, normals = _warp(guide, coverage, mesh.normals)
    (guide, shown, normals), face = with_border(fray(guide, coverage, normals), _persona(batch))
    return _guided(batch, guide, shown, normals, mesh.patch, coverage * face)


def cross_guide(batch: Batch) -> Guided:
    """A persona's texture on the persona's mesh, roughly in the tone of the photo's skin."""
    return _guided(batch, *_persona(batch), batch.persona.patch)


def _persona(batch: Batch) -> Drawn:
    mesh, count = batch.persona, len(batch.photo)
    device = batch.photo.device
    drawn = sample_textures(batch.textures, batch.coarse_textures, mesh.uv, torch.rand(count).to(device)) * mesh.shade
    skin = masked_mean(batch.photo, batch.own.skin)
    drawn = match_tone(drawn, mesh.coverage, skin, _tone_error(count, device, 1.0))
    return soften_inside(drawn, mesh.coverage, _softness(batch)), mesh.coverage, mesh.normals


def sketched(guided: Guided, mesh: Mesh) -> Guided:
    """The same shape and pose with no texture: what a network has that is given landmarks alone."""
    plain = masked_mean(guided.guide, guided.coverage) * (1 - (1 - SKETCH_DARK) * mesh.patch) * (guided.coverage > 0)
    conditioning = guided.conditioning.clone()
    conditioning[:, GUIDE] = (plain * 2 - 1) * guided.coverage
    return replace(guided, conditioning=conditioning, guide=plain)


def _guided(
    batch: Batch, guide: Tensor, coverage: Tensor, normals: Tensor, patch: Tensor, face: Tensor | None = None
) -> Guided:
    """face: where the guide is the face's, None = everywhere."""
    guide = guide.clamp(0, 1) * (coverage > 0)
    noisy = batch.photo + batch.noise * torch.randn(batch.photo.shape).to(batch.photo.device)
    conditioning = stack_conditioning(noisy, batch.hole, guide, coverage, normals)
    shown = coverage * batch.hole
    worn = 1 - widen(1 - shown)
    rim = (widen(shown) - worn).clamp(min=0) * batch.hole
    face = torch.ones_like(coverage) if face is None else face
    inner = worn * (1 - widen(1 - face)) * (1 - widen(patch))
    return Guided(conditioning, guide, coverage, worn, inner, rim, 1 - core(coverage) * (1 - face))


def _softness(batch: Batch) -> Tensor:
    """(B, 1, 1, 1): the live renderer softens guides by about what it sees around them, and errs."""
    low, high = GUIDE_SOFTNESS
    share = low + torch.rand(len(batch.photo), 1, 1, 1) * (high - low)
    return (batch.softness * share.to(batch.softness.device)).clamp(max=1)


def widen(mask: Tensor) -> Tensor:
    """1 on the cells of 4 × 4 px that the mask touches and on their neighbours: 4 to 8 px wider."""
    touched = (F.avg_pool2d(F.avg_pool2d(mask, 4), 3, 1, 1) > 1e-3).float()
    return F.interpolate(touched, scale_factor=4.0, mode="nearest")


def _tone_error(count: int, device: torch.device, share: float) -> Tensor:
    error = torch.randn(count, 1, 1, 1) * TONE_ERROR + torch.randn(count, 3, 1, 1) * TINT_ERROR
    return (error * share).to(device)


def _mix_mask(batch: Batch) -> Tensor:
    """(B, 1, S, S) smooth random regions for some of the rows, 0 for the others."""
    count, size = len(batch.photo), batch.photo.shape[-1]
    field = F.interpolate(torch.randn(count, 1, 5, 5), size=(size, size), mode="bilinear", align_corners=True)
    chosen = (torch.rand(count, 1, 1, 1) < MIX_ODDS).float()
    return (torch.sigmoid(field * 6 - 1) * chosen).to(batch.photo.device)


def _degrade(guide: Tensor, skin: Tensor) -> Tensor:
    """Random light, tint, contrast, sharpness and noise."""
    count, size, device = len(guide), guide.shape[-1], guide.device
    coarse = torch.randn(count, 1, 3, 3) * LIGHT_SPREAD + torch.randn(count, 3, 3, 3) * (TINT_SPREAD / 2)
    coarse = coarse + _tone_error(count, torch.device("cpu"), 1.0)
    light = F.interpolate(coarse.to(device), size=(size, size), mode="bicubic", align_corners=True)
    contrast = 1 + (torch.rand(count, 1, 1, 1) * 2 - 1).to(device) * CONTRAST
    out = ((guide - skin) * contrast + skin).clamp(0, 1) * torch.exp(light)
    soft = box_mean(out, 3)
    sharpness = torch.empty(count, 1, 1, 1).uniform_(-0.4, 1.0).to(device)  # below 0 sharpens, 1 is blurred
    out = torch.lerp(out, soft, sharpness)
    noise = torch.rand(count, 1, 1, 1).to(device) ** 2 * NOISE
    return (out + noise * torch.randn(out.shape, device=device)).clamp(0, 1)


def _warp(guide: Tensor, coverage: Tensor, normals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A small smooth displacement of everything that was rendered."""
    count, size, device = len(guide), guide.shape[-1], guide.device
    amount = torch.randn(count, 2, 4, 4) * (torch.rand(count, 1, 1, 1) * WARP_PX * 2 / 128)
    field = F.interpolate(amount.to(device), size=(size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    still = torch.eye(2, 3, device=device).expand(count, 2, 3)
    grid = F.affine_grid(still, [count, 1, size, size], align_corners=False) + field
    stack = torch.cat([guide * (coverage > 0), coverage, normals], 1)
    moved = F.grid_sample(stack, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    cover = moved[:, 3:4]
    straight = moved[:, :3] / F.grid_sample((coverage > 0).float(), grid, align_corners=False).clamp(min=1e-2)
    return straight * (cover > 0), cover, moved[:, 4:]
