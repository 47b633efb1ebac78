"""Face recognition in the field's own verbs, for scripts that attack: represent, verify, find.

    from anonymizer.audit.api import find, represent, verify

    verify("raw.jpg", "safe.jpg").same_person["distance .6"]
    find("safe.jpg", "gallery/")[0].path

Each takes a recogniser (`anonymizer.audit.recognisers`); without one, dlib's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.photo_pairs import photos_in
from anonymizer.audit.recognisers import DlibResNet, Recogniser
from anonymizer.audit.seen import audit_finder, box_of, faces_of
from anonymizer.errors import InputError
from anonymizer.faces import Box, Floats
from anonymizer.frames import RgbImage
from anonymizer.perceive.finder import Finder

Picture = str | Path | RgbImage
"""A photo's path, or (H, W, 3) uint8 RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Representation:
    """vector (D,) of one face; box in px."""

    vector: Floats
    box: Box


@dataclass(frozen=True, slots=True)
class Verification:
    """similarity in the recogniser's own measure; same_person by the name of each published threshold."""

    similarity: float
    same_person: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Match:
    path: Path
    similarity: float


def represent(picture: Picture, recogniser: Recogniser | None = None) -> list[Representation]:
    """A vector for every face with landmarks, largest first; [] when none is found. Raises InputError."""
    attacker = recogniser or _dlib()
    rgb = picture if isinstance(picture, np.ndarray) else read_image(Path(picture)).rgb
    return [
        Representation(attacker.embed(attacker.chip(rgb, seen.landmarks_px)), box_of(seen))
        for seen in faces_of(_finder(), rgb)
    ]


def verify(a: Picture, b: Picture, recogniser: Recogniser | None = None) -> Verification:
    """Are the largest faces of two pictures one person? Raises InputError when one has no face."""
    attacker = recogniser or _dlib()
    similarity = _alike(attacker, _one(a, attacker), _one(b, attacker))
    return Verification(similarity, {name: similarity >= at for name, at in attacker.thresholds.items()})


def find(picture: Picture, gallery: str | Path, recogniser: Recogniser | None = None) -> list[Match]:
    """Photos of a folder by how alike their largest face is, best first; those without a face are left out."""
    attacker = recogniser or _dlib()
    wanted = _one(picture, attacker)
    matches = []
    for photo in photos_in(Path(gallery)):
        faces = represent(photo.path, attacker)
        if faces:
            matches.append(Match(photo.path, _alike(attacker, wanted, faces[0].vector)))
    return sorted(matches, key=lambda match: -match.similarity)


def _one(picture: Picture, recogniser: Recogniser) -> Floats:
    faces = represent(picture, recogniser)
    if not faces:
        what = "the array" if isinstance(picture, np.ndarray) else str(picture)
        raise InputError(f"no face was found in {what}; give a picture with a face of about 60 px or more")
    return faces[0].vector


def _alike(recogniser: Recogniser, a: Floats, b: Floats) -> float:
    return float(recogniser.similarity(a[None], b[None])[0, 0])


@cache
def _dlib() -> Recogniser:
    return DlibResNet.load()


@cache
def _finder() -> Finder:
    return audit_finder()
