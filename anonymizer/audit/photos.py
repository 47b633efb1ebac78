"""Looks at photo pairs: where the faces are, what recognisers make of them before, after and as the baselines.

Only the largest face of a photo is asked about. Nothing is kept but vectors and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.baselines import BASELINES, FLOOR
from anonymizer.audit.detail import FaceShine, shine_through
from anonymizer.audit.photo_pairs import Attack, Photo, match, photos_in, plan_attack
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.regions import REGIONS, hidden_region
from anonymizer.audit.seen import OtherDetector, Seen, box_of, faces_of, same_place
from anonymizer.errors import InputError
from anonymizer.faces import Face, Floats
from anonymizer.frames import RgbImage
from anonymizer.perceive.finder import Finder
from anonymizer.perceive.motion import fit_motion
from anonymizer.persona.face_model import load_face_model

OnPhoto = Callable[[int, int], None]
AFTER = "anonymized"
KNOWN_POINTS = "anonymized, aligned by the raw points"
AGAIN = "anonymized again"
REGION_PHOTOS = 40  # photos at most of which regions are hidden in turn: each costs as much as ten others


class Key(NamedTuple):
    """Whose vector: of which picture, seen by whom, of which photo."""

    method: str
    recogniser: str
    photo: str


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """One pair. pose_deg, gaze: how far head pose and gaze (share of half an eye's width) are off, None when no face
    was found in AFTER. other_before, other_after: found by a detector that is no part of the product."""

    found_after: bool
    other_before: bool
    other_after: bool
    pose_deg: float | None
    gaze: float | None
    shine: FaceShine


@dataclass(slots=True)
class Looked:
    """All that was seen. faceless: photos of BEFORE in which no face with landmarks was found; they are left out."""

    attack: Attack
    recognisers: Sequence[Recogniser]
    vectors: dict[Key, Floats] = field(default_factory=dict)
    facts: dict[str, PhotoFacts] = field(default_factory=dict)
    faceless: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sources:
    """Folders or files. also: further anonymized versions by name, each a row of the table. again: AFTER made a
    second time, with another secret, of the gallery's photos; without it, two photos of one run are compared."""

    before: Path
    after: Path
    also: Mapping[str, Path] = field(default_factory=dict)
    again: Path | None = None


def look_at_photos(
    sources: Sources, recognisers: Sequence[Recogniser], finder: Finder, on_photo: OnPhoto = lambda *_: None
) -> Looked:
    """Raises InputError when nothing matches or no face is found at all."""
    photos = photos_in(sources.before)
    after = match(photos, sources.after)
    attack = plan_attack(photos, set(after))
    versions = {AFTER: after, **{name: match(photos, path) for name, path in sources.also.items()}}
    again = match(photos, sources.again) if sources.again else after  # else: other photos of the same run
    looked = Looked(attack, recognisers)
    look = _Look(looked, finder)
    wanted = {p.key: p for p in (*attack.probes, *(q for photos in attack.gallery.values() for q in photos))}
    probes = {p.key for p in attack.probes}
    for done, photo in enumerate(wanted.values()):
        look.at(photo, {name: files[photo.key] for name, files in versions.items() if photo.key in files}, probes)
        if attack.other_photo and photo.key in again and photo.key not in looked.faceless:
            look.at_again(photo, again[photo.key])
        on_photo(done + 1, len(wanted))
    if not looked.facts:
        raise InputError(f"no face was found in any photo of {sources.before}; the audit needs one to look for")
    return looked


class _Look:
    def __init__(self, looked: Looked, finder: Finder) -> None:
        self._looked, self._finder = looked, finder
        self._other = OtherDetector()
        self._raw: dict[str, tuple[RgbImage, Seen]] = {}
        probes = looked.attack.probes
        self._region_photos = {p.key for p in probes[:: max(1, -(-len(probes) // REGION_PHOTOS))]}

    def at(self, photo: Photo, versions: Mapping[str, Path], probes: set[str]) -> None:
        rgb = read_image(photo.path).rgb
        faces = faces_of(self._finder, rgb)
        if not faces:
            self._looked.faceless.append(photo.key)
            return
        self._raw = {photo.key: (rgb, faces[0])}
        self._embed("raw", photo, rgb, faces[0])
        if photo.key not in probes:
            return
        for name, baseline in BASELINES.items():
            if name != "raw":
                self._embed(name, photo, baseline(rgb, faces[0]), faces[0])
        for name, path in versions.items():
            self._at_version(name, photo, rgb, faces[0], path)

    def at_again(self, photo: Photo, path: Path) -> None:
        """For unlinkability: this photo anonymized with another secret, and the floor of it."""
        rgb, raw = self._raw[photo.key]
        again = _like(read_image(path).rgb, rgb, path)
        self._embed(AGAIN, photo, again, same_place(raw, faces_of(self._finder, again)))
        if Key(FLOOR, self._looked.recognisers[0].name, photo.key) not in self._looked.vectors:
            self._embed(FLOOR, photo, BASELINES[FLOOR](rgb, raw), raw)

    def _at_version(self, name: str, photo: Photo, rgb: RgbImage, raw: Seen, path: Path) -> None:
        after = _like(read_image(path).rgb, rgb, path)
        seen = same_place(raw, faces_of(self._finder, after))
        self._embed(name, photo, after, seen)
        if name != AFTER:
            return
        self._embed(KNOWN_POINTS, photo, after, raw)
        if photo.key in self._region_photos:
            self._embed_regions(photo, after, seen)
        self._looked.facts[photo.key] = PhotoFacts(
            found_after=seen.found,
            other_before=self._other.sees(rgb, box_of(raw)),
            other_after=self._other.sees(after, box_of(raw)),
            **_kept(raw, seen),
            shine=shine_through(rgb, after, raw),
        )

    def _embed(self, method: str, photo: Photo, rgb: RgbImage, seen: Seen) -> None:
        for recogniser in self._looked.recognisers:
            vector = recogniser.embed(recogniser.chip(rgb, seen.landmarks_px))
            self._looked.vectors[Key(method, recogniser.name, photo.key)] = vector

    def _embed_regions(self, photo: Photo, rgb: RgbImage, seen: Seen) -> None:
        for recogniser in self._looked.recognisers:
            chip, matrix = recogniser.chip(rgb, seen.landmarks_px), recogniser.transform(seen.landmarks_px)
            for region in REGIONS:
                vector = recogniser.embed(hidden_region(chip, matrix, seen.landmarks_px, region))
                self._looked.vectors[Key(f"without {region}", recogniser.name, photo.key)] = vector


def _kept(raw: Seen, seen: Seen) -> dict[str, float | None]:
    """How far pose and gaze are off."""
    if not seen.found:
        return {"pose_deg": None, "gaze": None}
    model = load_face_model()
    try:
        a, b = (fit_motion(Face(box_of(s), 1.0, s.landmarks_px, s.expression), model) for s in (raw, seen))
    except (ValueError, np.linalg.LinAlgError):
        return {"pose_deg": None, "gaze": None}
    turned = rotation_between_deg(a.pose[3:], b.pose[3:])
    return {"pose_deg": turned, "gaze": float(np.linalg.norm(a.gaze.mean(0) - b.gaze.mean(0)))}


def rotation_between_deg(a: Floats | np.ndarray, b: Floats | np.ndarray) -> float:
    """Angle between two rotation vectors."""
    from anonymizer.geometry import rotation_from_vector

    cosine = (float(np.trace(rotation_from_vector(a) @ rotation_from_vector(b).T)) - 1) / 2
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def _like(after: RgbImage, before: RgbImage, path: Path) -> RgbImage:
    """AFTER at BEFORE's size. Raises InputError when they have different shapes."""
    import cv2

    (h, w), (ah, aw) = before.shape[:2], after.shape[:2]
    if (h, w) == (ah, aw):
        return after
    if abs(ah / aw - h / w) > 0.02 * h / w:
        raise InputError(f"{path} is {aw}×{ah} px, its BEFORE {w}×{h}: another shape; give uncropped pictures")
    return np.asarray(cv2.resize(after, (w, h), interpolation=cv2.INTER_AREA if aw > w else cv2.INTER_CUBIC), np.uint8)
