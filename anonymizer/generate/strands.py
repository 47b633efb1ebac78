"""Hair that goes on: where strands end at a hole's edge, what lies outside is moved in, in place of what is painted.

The network's last step is too coarse for hair, and sharpened it lies in pieces beside a cheek. What is moved in is as
coarse as `detail` needs it; the finer part comes from there, from the same place.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.across import Across, across, smoothed
from anonymizer.generate.conditioning import KNOWN_HOLE
from anonymizer.generate.detail import INSIDE_PX
from anonymizer.generate.lit import lit_guide

# Texture: what lies between blurs of FINE_PX and INSIDE_PX, root of its mean square over TEXTURE_PX, all in crop px.
FINE_PX, TEXTURE_PX = 0.8, 5.0
LEAST_TEXTURE, FULL_TEXTURE = 0.008, 0.025  # of [0, 1]: a wall has less than the one, hair more than the other
# Hair goes on where the picture is painted like it (within so many times its texture, and a little more), and is taken
# from where it is as at the edge.
LIKE_PAINT, LIKE_PAINT_MORE = 6.0, 0.04
LIKE_EDGE, LIKE_EDGE_MORE = 2.0, 0.06
THERE_PX = 8.0  # standard deviation of the blur of what is compared with the paint
EDGE_PX = 3.0  # outside the edge: there the hair at the edge is looked at
# Ears would come twice: beside them, at this share of the hole's height, only what is less red than the new skin is
# hair (share of red among the three, full at REDDER less).
EARS, EARS_FADE, LESS_RED, REDDER = (0.2, 0.66), 0.08, 0.02, 0.04
BESIDE = 0.75, 0.95  # vertical part of the way inwards: from the one to the other it is the top, not a side


def with_strands(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with hair of the crop's surroundings moved over what is painted."""
    where = across(crop)
    fine = smoothed(crop, INSIDE_PX)
    share = _hair(face, crop, where, fine)
    there = _at(fine, where, where.back_px)
    return replace(face, inpaint_rgb=face.inpaint_rgb + share[..., None] * (there - face.inpaint_rgb))


def _hair(face: SyntheticFace, crop: FaceCrop, where: Across, fine: Floats) -> Floats:
    """(S, S): how surely hair goes on there, 0 outside the hole. Looked at in half the size."""
    known, place = (crop.hole < KNOWN_HOLE).astype(np.float32), _halved(where)
    texture, seen = _texture(crop, fine, known), _half(known)
    weight = np.maximum(_blurred(seen, THERE_PX / 2), np.float32(1e-3))
    coarse = np.asarray(_blurred(_half(fine) * seen[..., None], THERE_PX / 2) / weight[..., None], np.float32)
    edge_px = np.asarray(place.depth + np.float32(EDGE_PX / 2), np.float32)
    there, edge = _at(coarse, place, place.back_px), _at(_half(fine), place, edge_px)
    much = _at(texture, place, place.back_px)
    least = np.minimum(much, _at(texture, place, edge_px))
    share = _alike(_half(face.inpaint_rgb), there, np.float32(LIKE_PAINT) * much + np.float32(LIKE_PAINT_MORE))
    share *= _alike(edge, there, np.float32(LIKE_EDGE) * least + np.float32(LIKE_EDGE_MORE))
    share *= np.clip((much - LEAST_TEXTURE) / (FULL_TEXTURE - LEAST_TEXTURE), 0, 1)
    share *= np.clip(10 * _at(seen, place, place.back_px) - 9, 0, 1)
    share *= 1 - _beside_ears(crop, place) * (1 - _no_ear(face, crop, (edge, there)))
    larger = cv2.resize(share, fine.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger * where.share, np.float32)


def _texture(crop: FaceCrop, fine: Floats, known: Floats) -> Floats:
    """(S / 2, S / 2): root mean square of what is finer than `fine`, of what is known nearby."""
    band = cv2.cvtColor(smoothed(crop, FINE_PX) - fine, cv2.COLOR_RGB2GRAY) * known
    weight = np.maximum(_blurred(_half(known), TEXTURE_PX / 2), np.float32(1e-3))
    return np.asarray(np.sqrt(_blurred(_half(band * band), TEXTURE_PX / 2) / weight), np.float32)


def _half(picture: Floats) -> Floats:
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)


def _halved(where: Across) -> Across:
    depth, back = (np.asarray(_half(px) / 2, np.float32) for px in (where.depth, where.back_px))
    return Across(depth, _half(where.inward_x), _half(where.inward_y), back, _half(where.share))


def _blurred(picture: Floats, sigma_px: float) -> Floats:
    side = 2 * int(np.ceil(2 * sigma_px)) + 1
    return np.asarray(cv2.GaussianBlur(picture, (side, side), sigma_px), np.float32)


def _alike(one: Floats, other: Floats, tolerance: Floats) -> Floats:
    """(h, w) of (h, w, 3) each: 1 where they are the same, little beyond the tolerance."""
    unlike = cv2.absdiff(one, other) @ np.full(3, 1 / 3, np.float32)
    return np.asarray(np.exp(-((unlike / tolerance) ** 2)), np.float32)


def _beside_ears(crop: FaceCrop, where: Across) -> Floats:
    """(h, w), as `where` is: 1 at both sides of the hole where ears are."""
    rows = np.flatnonzero((crop.hole > 0.5).any(1))
    if not len(rows):
        return np.zeros_like(where.depth)
    every = len(crop.hole) // len(where.depth)
    height = (np.arange(0, len(crop.hole), every) - rows[0]) / max(int(np.ptp(rows)), 1)
    ears = np.clip((height - EARS[0]) / EARS_FADE, 0, 1) * np.clip((EARS[1] - height) / EARS_FADE, 0, 1)
    side = np.clip((BESIDE[1] - abs(where.inward_y)) / (BESIDE[1] - BESIDE[0]), 0, 1)
    return np.asarray(ears[:, None] * side, np.float32)


def _no_ear(face: SyntheticFace, crop: FaceCrop, colours: tuple[Floats, ...]) -> Floats:
    """(h, w): 1 where all the colours (h, w, 3) are too little red for an ear."""
    lit = lit_guide(face, crop)
    if not len(lit):
        return np.zeros(colours[0].shape[:2], np.float32)
    out = np.ones(colours[0].shape[:2], np.float32)
    red = _red(np.maximum(lit.mean(0), np.float32(0.01)))
    for colour in colours:
        out *= np.clip((red - LESS_RED - _red(colour)) / REDDER, 0, 1)
    return out


def _red(rgb: Floats) -> Floats:
    """Share of red, of the last axis."""
    return np.asarray(rgb[..., 0] / np.maximum(rgb @ np.ones(3, np.float32), np.float32(0.03)), np.float32)


def _at(picture: Floats, where: Across, back_px: Floats) -> Floats:
    """picture (h, w, ...) at each px's place, back_px (h, w) towards the outside."""
    size = np.arange(len(picture), dtype=np.float32)
    x, y = size[None] - back_px * where.inward_x, size[:, None] - back_px * where.inward_y
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)
