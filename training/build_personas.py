"""Build the persona bank from CC0 portraits of people who do not exist.

    python -m training build-personas --portraits FOLDER --exclude configs/personas_exclude.txt

Portraits are unwrapped through their landmarks, their low-frequency light is taken off, and what is
left is stored as log detail. The list of excluded files (glasses, hats, hair or hands over the face,
paint, hard light, and those kept for the sample clip) is made by looking at every one of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Face, Floats
from anonymizer.perceive.motion import fit_motion, motion_in_head
from anonymizer.persona import bank
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.persona import region
from training.landmark_photos import PhotoLandmarks, landmark_photos, read_rgb
from training.mouths import mouth_patches
from training.unwrap import unwrap

LOW_SIGMA_PX = 26  # of the 512 px atlas; below it lips and brows stay in the detail, light does not
CHROMA_SIGMA_PX, CHROMA_KEPT = 9, 0.45  # blotches of colour wider than this are damped: they betray the seams of a mix
SHADING = 0.3  # quantile of the bank; with the median, folds and noses were too dark in flat light
WRINKLE_SIGMA_PX = 7  # folds of skin are narrower than this, in the 512 px atlas
WRINKLE_SHARE = 0.4  # portraits with more than this quantile's are calmed towards it: personas know no age
WRINKLE_LEAST = 0.55  # of its own folds that a skin keeps; less looks blurred
WRINKLE_AREAS = (((26, 96), (150, 362)), ((200, 300), (90, 180)), ((200, 300), (332, 422)))  # forehead, cheeks
HIGHLIGHT = 0.22  # log detail above this is a specular highlight and is pressed down
TONES = 6
LOW_KEPT = 0.6  # of a portrait's own low frequencies; the rest is light that was in the photo
SKIN = (slice(90, 330), slice(130, 382))  # atlas rows and columns that set the tone: forehead to cheeks


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training build-personas", description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--mouths", type=Path, nargs="*", default=[], help="more folders of photos to take teeth from")
    parser.add_argument("--exclude", type=Path, default=Path("configs/personas_exclude.txt"))
    parser.add_argument("--out", type=Path, default=Path("anonymizer/weights/persona_bank_v1.npz"))
    args = parser.parse_args(argv)
    from anonymizer.persona.face_model import load_face_model

    model = load_face_model()
    excluded = {line.split("#")[0].strip() for line in args.exclude.read_text().splitlines()}
    photos = [p for p in landmark_photos([args.portraits]) if p.path.name not in excluded and p.faces == 1]
    teeth = mouth_patches([*photos, *landmark_photos(args.mouths)], model)
    arrays = build(photos, teeth, model)
    np.savez(args.out, **arrays)
    size_mb = args.out.stat().st_size / 1e6
    print(f"{len(photos)} portraits, {len(teeth)} mouths, {size_mb:.1f} MB")
    return 0


def build(photos: list[PhotoLandmarks], teeth: list[npt.NDArray[np.uint8]], model: FaceModel) -> dict[str, Any]:
    """All arrays of the bank."""
    logs = [
        np.log(np.maximum(unwrap(read_rgb(p.path), p.landmarks_px, model)[0][: bank.FACE_ROWS], 0.02)) for p in photos
    ]
    lows = [low_frequencies(log) for log in logs]
    tones = np.stack([np.median(low[SKIN].reshape(-1, 3), axis=0) for low in lows])
    light = np.mean([symmetric(low) - tone for low, tone in zip(lows, tones, strict=True)], 0)
    details = even_contrast([press_highlights(log - low) for log, low in zip(logs, lows, strict=True)])
    details = calm_wrinkles(details)
    arrays: dict[str, Any] = {
        "low": LOW_KEPT
        * np.stack([small(symmetric(low) - tone - light) for low, tone in zip(lows, tones, strict=True)]).astype(
            np.float32
        ),
        "shapes_cm": np.stack([identity_shape(p, model) for p in photos]).astype(np.float16),
        "feminine": np.array(["_female_" in p.path.name for p in photos]),
        "wrinkles": np.array([np.abs(d[60:400, 90:420]).mean() for d in details], np.float32),
        "brightness": tones.mean(1).astype(np.float32),
        "light": small(light).astype(np.float32),
        "tones": tone_steps(np.exp(tones)),
        "version": np.array(bank.VERSION),
    }
    arrays |= _packed(
        "detail", [np.clip(d * (127 / bank.DETAIL_RANGE) + 128, 0, 255).astype(np.uint8) for d in details], 88
    )
    return arrays | _packed("teeth", teeth, 92)


def low_frequencies(log: Floats) -> Floats:
    """(440, 512, 3) -> the same, blurred; the border is repeated."""
    quarter = cv2.resize(log, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(quarter, (0, 0), LOW_SIGMA_PX / 4, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(blurred, log.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def symmetric(image: Floats) -> Floats:
    return np.asarray((image + image[:, ::-1]) / 2, np.float32)


def small(image: Floats) -> Floats:
    return np.asarray(cv2.resize(image, (32, 28), interpolation=cv2.INTER_AREA), np.float32)


def press_highlights(detail: Floats) -> Floats:
    """Bend what is brighter than HIGHLIGHT (all channels by the same amount) to a quarter of its excess."""
    brightness = detail.mean(2, keepdims=True)
    excess = np.maximum(brightness - HIGHLIGHT, 0)
    return np.asarray(detail - 0.75 * excess, np.float32)


def even_contrast(details: list[Floats]) -> list[Floats]:
    """Damp colour blotches, and bring every portrait's shading (not its pores) down to that of the calmer ones."""
    shading = [cv2.GaussianBlur(d, (0, 0), CHROMA_SIGMA_PX) for d in details]
    grey = [s.mean(2, keepdims=True) for s in shading]
    spread = np.array([g[60:400, 90:420].std() for g in grey])
    aim = float(np.quantile(spread, SHADING))
    return [
        np.asarray(d - s + CHROMA_KEPT * (s - g) + min(1.0, aim / own) * g, np.float32)
        for d, s, g, own in zip(details, shading, grey, spread, strict=True)
    ]


def wrinkles(detail: Floats) -> float:
    """How much fine shading forehead and cheeks have, in log units."""
    fine = detail - cv2.GaussianBlur(detail, (0, 0), WRINKLE_SIGMA_PX)
    return float(np.mean([np.abs(fine[slice(*rows), slice(*columns)]).mean() for rows, columns in WRINKLE_AREAS]))


def calm_wrinkles(details: list[Floats]) -> list[Floats]:
    """Bring the fine shading of every portrait towards what a middle-aged skin has; brows, eyes and lips keep more."""
    amount = np.array([wrinkles(detail) for detail in details])
    aim = float(np.quantile(amount, WRINKLE_SHARE))
    features = np.maximum(region((256, 140), (150, 42)), region((256, 300), (84, 54)))
    out = []
    for detail, own in zip(details, amount, strict=True):
        kept = min(1.0, max(WRINKLE_LEAST, aim / own))
        share = kept + features * (np.sqrt(kept) - kept)
        fine = detail - cv2.GaussianBlur(detail, (0, 0), WRINKLE_SIGMA_PX)
        out.append(np.asarray(detail + (share - 1) * fine, np.float32))
    return out


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
