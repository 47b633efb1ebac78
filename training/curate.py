"""Which photos are fit to learn from, and where each one comes from.

A rule that drops a photo has a name, and is counted: `prepare` tells how many each rule took.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.errors import InputError

MAX_RESIDUAL_CM = 0.45  # worse fits are masks, or landmarks beside the face
MIN_SCALE = 7.0  # px per cm: a face of about 110 px
MIN_CHROMA = 10.0  # mean a*b* distance from grey; below it a photo is black and white
MAX_OUTSIDE = 0.3  # of the crop; beyond the photo's edge it is its mirror image, which shows a second face
UNKNOWN = "unknown"
# What names of SFHQ-T2I's files tell of the generator; most tell nothing. The longest first.
_GENERATORS = (
    ("FLUX1_schnell_SDXL", "FLUX.1 schnell or SDXL"),
    ("FLUX1_schnell", "FLUX.1 schnell"),
    ("FLUX1_dev", "FLUX.1 dev"),
    ("FLUX1_pro", "FLUX.1 pro"),
    ("DALLE3", "DALL·E 3"),
    ("SDXL", "SDXL"),
    ("flux", "FLUX.1"),
    ("faker_portraits", "Stable Diffusion 3"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """Of one photo, as its data's manifest and its name say."""

    source: str
    licence: str
    generator: str


def reason_against(
    faces: int, scale_px_per_cm: float, residual_px: float, mesh_px: npt.NDArray[np.float32], shape: tuple[int, ...]
) -> str | None:
    """Why a photo (H, W, 3) with its fitted face is not fit, or None. mesh_px: (N, 2 or 3) in the photo."""
    height, width = shape[:2]
    if faces != 1:
        return "several faces"
    if scale_px_per_cm < MIN_SCALE:
        return "small face"
    if residual_px / scale_px_per_cm > MAX_RESIDUAL_CM:
        return "no head's proportions"
    inside = ((mesh_px[:, :2] >= 0) & (mesh_px[:, :2] < (width, height))).all()
    return None if inside else "face cut off by the edge"


def reason_against_crop(rgb: npt.NDArray[np.uint8], outside: float) -> str | None:
    """Why a crop (S, S, 3) is not fit, or None. outside: share of it beyond the photo's edge."""
    if outside > MAX_OUTSIDE:
        return "mirrored by the edge"
    return "black and white" if chroma(rgb) < MIN_CHROMA else None


def chroma(rgb: npt.NDArray[np.uint8]) -> float:
    """Mean distance from grey, in a*b* of CIELAB."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)[..., 1:] - 128
    return float(np.linalg.norm(lab, axis=2).mean())


def outside_share(matrix: npt.NDArray[np.float64], shape: tuple[int, ...], side_px: int) -> float:
    """Share of a square crop that lies beyond the photo (H, W, …). matrix: (2, 3), as cv2.warpAffine takes it."""
    there = np.ones(shape[:2], np.float32)
    return 1 - float(cv2.warpAffine(there, matrix, (side_px, side_px), flags=cv2.INTER_NEAREST).mean())


def names_in(path: Path) -> list[str]:
    """Lines of a list of files (`folder/name`, or the name alone), without comments. InputError when unreadable."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"the list {path} cannot be read ({error.strerror}); give a text file, one name a line"
        ) from error
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def sources_of(paths: Iterable[Path]) -> list[Source]:
    """Where each photo comes from: manifest.csv beside its folder, where there is one, and its own name."""
    manifests: dict[Path, dict[str, dict[str, str]]] = {}
    found = []
    for path in paths:
        data = path.parent.parent
        if data not in manifests:
            manifests[data] = _manifest(data / "manifest.csv")
        row = manifests[data].get(f"{path.parent.name}/{path.name}", {})
        named = next((generator for part, generator in _GENERATORS if re.search(part, path.name)), None)
        told = (
            row.get("note", "").removeprefix("synthetic: ")
            if row.get("note", "").startswith("synthetic: ")
            else UNKNOWN
        )
        generator = named or (f"one of {told}" if told != UNKNOWN else UNKNOWN)
        found.append(Source(row.get("source", UNKNOWN), row.get("licence", UNKNOWN), generator))
    return found


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}
