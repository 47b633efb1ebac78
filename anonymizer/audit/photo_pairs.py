"""Which photo is of whom: BEFORE and AFTER folders matched by name.

    BEFORE/london/001_neutral.webp      person london/001, view neutral
    AFTER/london/001_smiling.png        what became of BEFORE/london/001_smiling.*

Folders inside BEFORE are sets of their own: people are told apart within a set, because a set's own look (studio,
camera) would make strangers of two sets too easy to tell apart. A person is what stands before the last `_` of a name
if at least two photos of the set share it; else every photo is another person.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from anonymizer.errors import InputError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Photo:
    """path: of BEFORE. key: its path in BEFORE without the ending. group: the set. person: unique over sets."""

    path: Path
    key: str
    group: str
    person: str
    view: str


def photos_in(before: Path) -> list[Photo]:
    """Every photo of a folder and of the folders in it, or the one photo; by name. Raises InputError."""
    if before.is_file():
        return [Photo(before, before.stem, "", before.stem, "")]
    files = sorted(p for p in before.rglob("*") if p.suffix.lower() in SUFFIXES) if before.is_dir() else []
    if not files:
        raise InputError(f"no photo in {before}; files ending in {', '.join(sorted(SUFFIXES))} are taken")
    groups = [_group(before, path) for path in files]
    shared = Counter((group, _split(path.stem)[0]) for group, path in zip(groups, files, strict=True))
    photos = []
    for group, path in zip(groups, files, strict=True):
        person, view = _split(path.stem)
        if shared[group, person] < 2:
            person, view = path.stem, ""
        key = path.relative_to(before).with_suffix("").as_posix()
        photos.append(Photo(path, key, group, f"{group}/{person}", view))
    return photos


def match(photos: list[Photo], after: Path) -> dict[str, Path]:
    """Key -> file of AFTER that stands for it; a file is matched with a file whatever their names."""
    if after.is_file():
        if len(photos) != 1:
            raise InputError(f"{after} is one photo, BEFORE are {len(photos)}; give two photos or two folders")
        return {photos[0].key: after}
    by_key = {p.relative_to(after).with_suffix("").as_posix(): p for p in _files(after)}
    found = {photo.key: by_key[photo.key] for photo in photos if photo.key in by_key}
    if not found:
        raise InputError(f"no photo of {after} is named like one of BEFORE; wanted for example {photos[0].key}.png")
    return found


@dataclass(frozen=True, slots=True)
class Attack:
    """Who is looked for among whom. probes: photos whose AFTER is attacked. gallery[view]: a photo a person, of
    another view than the probe's. other_photo: the gallery's photos are not the ones that were anonymized."""

    probes: list[Photo]
    gallery: dict[str, list[Photo]]
    other_photo: bool


def plan_attack(photos: list[Photo], matched: set[str]) -> Attack:
    """Other photos of the same people if there are any; else the anonymized photos' own originals."""
    sets = {p.group for p in photos if p.key in matched}
    photos = [p for p in photos if p.group in sets]
    people: dict[str, list[Photo]] = {}
    for photo in photos:
        people.setdefault(photo.person, []).append(photo)
    probes = [p for p in photos if p.key in matched and len(people[p.person]) > 1]
    if len({p.person for p in probes}) < 2:
        return Attack([p for p in photos if p.key in matched], {"": photos, **{p.view: photos for p in photos}}, False)
    gallery = {}
    for view in {p.view for p in probes}:
        others = ([p for p in theirs if p.view != view] for theirs in people.values())
        gallery[view] = [theirs[0] for theirs in others if theirs]
    return Attack(probes, gallery, True)


def _group(before: Path, path: Path) -> str:
    parent = path.parent.relative_to(before).as_posix()
    return "" if parent == "." else parent


def _split(stem: str) -> tuple[str, str]:
    person, _, view = stem.rpartition("_")
    return (person, view) if person else (stem, "")


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; give the folder or file that was anonymized")
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
