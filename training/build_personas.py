"""Build the persona bank from portraits of people who do not exist.

    python -m training build-personas --portraits FOLDER... --teeth BANK --list configs/personas.txt

Portraits are unwrapped through their landmarks, hair at the temples is filled with skin, their low-frequency
light and their expression's folds are taken off, and what is left is stored as log detail. The list is made by
looking at every one of them; those of the sample clip are not on it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.errors import InputError
from anonymizer.faces import Box, Face, Floats
from anonymizer.perceive.motion import fit_motion, motion_in_head
from anonymizer.persona import atlas, bank
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.folds import FOLD_RGB, fold_log
from anonymizer.persona.persona import region
from training.landmark_photos import PhotoLandmarks, landmark_photos, read_rgb
from training.mouths import mouth_patches
from training.unwrap import fill, unwrap

LOW_SIGMA_PX = 26  # of the 512 px atlas; below it lips and brows stay in the detail, light does not
RIM_FINE = 0.7
LEAST_EVEN = 0.5  # of the evening of rims, where no hair was found
RIM_SIGMA_PX = 4  # what is wider at the rim is a shadow of hair, not a pore; by eye on 41 portraits
HAIR = -0.28  # log brightness, relative to the portrait's skin and the bank's usual, below which temples are hair
LIPS, LIPS_HUE = ((256, 312), (92, 48)), 0.6  # atlas ellipse, and what is kept of its hue: paint looks wrong on most
HIGHLIGHT, PRESSED = 0.22, 0.65  # log detail above this is a specular highlight; share of the excess that is taken
DEEP_FOLD, FOLD_HUE_TAKEN = 0.15, 0.8  # log brightness of a fold from which on that share of its hue is taken
# Atlas ellipses of the mouth's corners and of the chin's hollow, and the log detail below which four fifths are taken.
DARK_SPOTS = ((202, 304), (30, 18)), ((310, 304), (30, 18)), ((256, 345), (60, 26))
DARK, DARK_PRESSED = 0.3, 0.8
TONES = 6
# By how much bluer than the rest of a face (log, of red) its light parts may be: cool lamps left lavender cheeks on
# brown skin (five of 50 portraits had .09 to .17, the others .08 and less).
BLUE_SHINE, SHINE_LOG = 0.04, 0.1
# Of a portrait's own low frequencies, and of what its sides differ by; the rest is light.
LOW_KEPT, SIDE_KEPT = 1.0, 0.35
LIST, NOSES = Path("configs/personas.txt"), Path("configs/noses.txt")
SKIN = (slice(90, 330), slice(130, 382))  # atlas rows and columns that set the tone: forehead to cheeks


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training build-personas", description=__doc__)
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--mouths", type=Path, nargs="*", default=[], help="more folders of photos to take teeth from")
    parser.add_argument("--teeth", type=Path, metavar="BANK", help="keep the mouths of this bank instead")
    parser.add_argument("--list", type=Path, default=LIST, help="portraits to take; what is said of one behind it")
    parser.add_argument("--noses", type=Path, default=NOSES, help="portraits whose nostrils are seen")
    parser.add_argument("--out", type=Path, default=Path("anonymizer/weights/persona_bank_v2.npz"))
    args = parser.parse_args(argv)
    from anonymizer.persona.face_model import load_face_model

    model = load_face_model()
    listed = read_list(args.list)
    photos = [p for p in landmark_photos(args.portraits) if p.faces == 1]
    if args.teeth:
        mouths = _mouths_of(args.teeth)
    else:
        mouths = _packed("teeth", mouth_patches([*photos, *landmark_photos(args.mouths)], model), 92)
    even = [p for p in photos if p.path.parent == photos[0].path.parent]  # of the first folder, plainly lit
    tones = np.exp([_tone(low_frequencies(_log_texture(p, model))) for p in even])  # of all, not of those listed
    noses = _noses([p for p in photos if p.path.name in read_list(args.noses)], model)
    photos = [p for p in photos if p.path.name in listed]
    arrays = build(photos, model, [listed[p.path.name] for p in photos])
    arrays |= {"tones": tone_steps(tones)} | mouths | noses
    np.savez(args.out, **arrays)
    size_mb = args.out.stat().st_size / 1e6
    print(f"{len(photos)} portraits, {len(mouths['teeth_ends'])} mouths, {size_mb:.1f} MB")
    return 0


def _mouths_of(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        return {name: arrays[name] for name in ("teeth", "teeth_ends")}


def read_list(path: Path) -> dict[str, set[str]]:
    """File names of the portraits to take, and what is said of each: `beard`, `feminine`, `sparse`."""
    lines = (line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return {words[0]: set(words[1:]) for words in lines if words}


def build(photos: list[PhotoLandmarks], model: FaceModel, said: list[set[str]]) -> dict[str, Any]:
    """All arrays of the bank but tones and teeth."""
    logs, hair = without_hair([_log_texture(p, model) for p in photos])
    lows = [low_frequencies(log) for log in logs]
    tones = np.stack([_tone(low) for low in lows])
    light = np.mean([symmetric(low) - tone for low, tone in zip(lows, tones, strict=True)], 0)
    rims = [hair_rim()[..., None] * np.maximum(LEAST_EVEN, each) for each in hair]
    details = [
        plain_lips(even_rim(press_dark(press_highlights(without_folds(log - low, p, model))), rim))
        for p, log, low, rim in zip(photos, logs, lows, rims, strict=True)
    ]
    arrays: dict[str, Any] = {
        "low": np.stack(
            [
                small(LOW_KEPT * (1 - rim) * (plain_shine(less_sided(low) - tone) - light))
                for low, tone, rim in zip(lows, tones, rims, strict=True)
            ]
        ),
        "shapes_cm": np.stack([identity_shape(p, model) for p in photos]).astype(np.float16),
        "feminine": np.array(["_female_" in p.path.name or "feminine" in s for p, s in zip(photos, said, strict=True)]),
        "bearded": np.array(["beard" in s for s in said]),
        "sparse_brows": np.array(["sparse" in s for s in said]),
        "brightness": tones.mean(1).astype(np.float32),
        "light": small(light).astype(np.float32),
        "version": np.array(bank.VERSION),
    }
    return arrays | _packed("detail", [_levels(d) for d in details], 90)


def _noses(photos: list[PhotoLandmarks], model: FaceModel) -> dict[str, Any]:
    """The detail of each photo's nose, and the brightness of its skin; InputError without a photo."""
    if not photos:
        raise InputError("none of the portraits with nostrils is there: give their folder with --portraits")
    logs = [_log_texture(p, model) for p in photos]
    lows = [low_frequencies(log) for log in logs]
    box = slice(atlas.NOSE.y0, atlas.NOSE.y1), slice(atlas.NOSE.x0, atlas.NOSE.x1)
    packed = _packed("noses", [_levels((log - low)[box]) for log, low in zip(logs, lows, strict=True)], 92)
    return packed | {"nose_brightness": np.array([_tone(low).mean() for low in lows], np.float32)}


def _levels(detail: Floats) -> npt.NDArray[np.uint8]:
    return np.asarray(np.clip(detail * (127 / bank.DETAIL_RANGE) + 128, 0, 255), np.uint8)


def _log_texture(photo: PhotoLandmarks, model: FaceModel) -> Floats:
    texture = unwrap(read_rgb(photo.path), photo.landmarks_px, model)[0][: atlas.FACE_ROWS]
    return np.asarray(np.log(np.maximum(texture, 0.02)), np.float32)


def without_folds(detail: Floats, photo: PhotoLandmarks, model: FaceModel) -> Floats:
    """Detail (440, 512, 3) without what the portrait's own expression drew into its skin: personas are stored at rest.

    Where it was dark little of the hue is kept: deep folds are redder than the mean of all, and left orange lines.
    """
    folds = fold_log(model.folds, photo.expression - model.resting_expression)
    log = cv2.resize(folds, (atlas.WIDTH_PX, atlas.FACE_ROWS), interpolation=cv2.INTER_LINEAR)[..., None]
    plain = detail - log * FOLD_RGB
    hue = plain - plain.mean(2, keepdims=True)
    return np.asarray(plain - FOLD_HUE_TAKEN * np.clip(-log / DEEP_FOLD, 0, 1) * hue, np.float32)


def _tone(low: Floats) -> Floats:
    return np.asarray(np.median(low[SKIN].reshape(-1, 3), axis=0), np.float32)


def plain_lips(detail: Floats) -> Floats:
    """Detail with lips of less colour."""
    grey = detail.mean(2, keepdims=True)
    return np.asarray(detail + (LIPS_HUE - 1) * region(*LIPS) * (detail - grey), np.float32)


def plain_shine(low: Floats) -> Floats:
    """Low frequencies (440, 512, 3), relative to the tone, with less blue where they are light; as bright."""
    bluer = low[..., 2] - low[..., 0]
    excess = np.maximum(bluer - np.median(bluer[SKIN]) - BLUE_SHINE, 0) * np.clip(low.mean(2) / SHINE_LOG, 0, 1)
    return np.asarray(low + excess[..., None] * np.array([0.5, 0, -0.5]), np.float32)


def hair_rim() -> Floats:
    """(440, 512) where hair may hang over the face: 1 at temples and the top of the forehead, 0 where brows end."""
    y, x = np.mgrid[0 : atlas.FACE_ROWS, 0 : atlas.WIDTH_PX].astype(np.float32)
    inwards = np.minimum(168 - 0.5 * np.maximum(95 - y, 0) - np.abs(x - 256), y - 58)  # px; below 0 is rim
    rim = np.clip(0.5 - inwards / 30, 0, 1) * np.clip((320 - y) / 40, 0, 1)
    return np.asarray(rim * rim * (3 - 2 * rim), np.float32)


def even_rim(detail: Floats, rim: Floats) -> Floats:
    """Detail without hair's shadows where rim (440, 512, 1) is 1, nor most of what is finer: cropped hair looked like
    cracks."""
    even = detail - rim * cv2.GaussianBlur(detail, (0, 0), RIM_SIGMA_PX)
    return np.asarray(even * (1 - RIM_FINE * rim), np.float32)


def without_hair(logs: list[Floats]) -> tuple[list[Floats], list[Floats]]:
    """(440, 512, 3) log textures with skin where hair hangs over the temples or the top of the forehead; where that
    is, (440, 512, 1) in [0, 1]."""
    rim = hair_rim() > 0.5
    grey = [cv2.GaussianBlur((log - _tone(low_frequencies(log))).mean(2), (0, 0), 5) for log in logs]
    usual = np.median([np.maximum(g, g[:, ::-1]) for g in grey], 0)
    wider = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (19, 19))
    out, where = [], []
    for log, own in zip(logs, grey, strict=True):
        hair = cv2.dilate(((own - usual < HAIR) & rim).astype(np.float32), wider)
        texture: Floats = np.zeros((atlas.HEIGHT_PX, atlas.WIDTH_PX, 3), np.float32)
        sure: Floats = np.zeros(texture.shape[:2], np.float32)
        texture[: atlas.FACE_ROWS] = np.exp(log)
        sure[: atlas.FACE_ROWS] = 1 - cv2.GaussianBlur(hair, (0, 0), 4)
        out.append(np.log(np.maximum(fill(texture, sure)[: atlas.FACE_ROWS], 0.02)))
        where.append(np.asarray(cv2.GaussianBlur(cv2.dilate(hair, wider), (0, 0), 12)[..., None], np.float32))
    return out, where


def low_frequencies(log: Floats) -> Floats:
    """(440, 512, 3) -> the same, blurred; the border is repeated."""
    quarter = cv2.resize(log, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(quarter, (0, 0), LOW_SIGMA_PX / 4, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(blurred, log.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def symmetric(image: Floats) -> Floats:
    return np.asarray((image + image[:, ::-1]) / 2, np.float32)


def less_sided(image: Floats) -> Floats:
    """SIDE_KEPT of what left and right differ by."""
    middle = symmetric(image)
    return np.asarray(middle + SIDE_KEPT * (image - middle), np.float32)


def small(image: Floats) -> Floats:
    return np.asarray(cv2.resize(image, (32, 28), interpolation=cv2.INTER_AREA), np.float32)


def press_highlights(detail: Floats) -> Floats:
    """Bend what is brighter than HIGHLIGHT (all channels by the same amount)."""
    brightness = detail.mean(2, keepdims=True)
    excess = np.maximum(brightness - HIGHLIGHT, 0)
    return np.asarray(detail - PRESSED * excess, np.float32)


def press_dark(detail: Floats) -> Floats:
    """Detail whose mouth corners and what lies below the lower lip are hardly darker than DARK, with as much less hue.

    A corner is a few px of a photo and many of the atlas, so that a smile drew it into a black blob.
    """
    brightness = detail.mean(2, keepdims=True)
    held = np.minimum(DARK / np.maximum(-brightness, 1e-3), 1)
    where = np.maximum.reduce([region(center, radii) for center, radii in DARK_SPOTS])
    return np.asarray(detail * (1 + DARK_PRESSED * where * (held - 1)), np.float32)


def identity_shape(photo: PhotoLandmarks, model: FaceModel) -> Floats:
    """(468, 3) cm: what is left of the aligned face without its expression."""
    face = Face(Box(0, 0, 1, 1), 1.0, photo.landmarks_px, photo.expression)
    in_head = motion_in_head(face, fit_motion(face, model))
    return np.asarray(in_head[:468] - model.head(photo.expression), np.float32)


def tone_steps(tones_rgb: Floats) -> Floats:
    """(n, 3) skin colours -> (6, 3) steps from dark to light: means of six equal parts of the ranking."""
    order = np.argsort(tones_rgb @ np.array([0.299, 0.587, 0.114]))
    return np.stack([tones_rgb[part].mean(0) for part in np.array_split(order, TONES)]).astype(np.float32)


def _packed(name: str, images: list[npt.NDArray[np.uint8]], quality: int) -> dict[str, Any]:
    encoded = [
        cv2.imencode(".webp", cv2.cvtColor(i, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])[1].ravel()
        for i in images
    ]
    return {name: np.concatenate(encoded), f"{name}_ends": np.cumsum([len(e) for e in encoded])}
