"""Which photos are done, in which order, and under which names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from anonymizer.refusals import refused

WRITABLE_SUFFIXES = set(".jpg .jpeg .jpe .jfif .png .apng .webp .tif .tiff .bmp .dib .gif .avif".split())
READ_ONLY_SUFFIXES = {".heic", ".heif", ".hif"}  # become JPEG
PHOTO_SUFFIXES = WRITABLE_SUFFIXES | READ_ONLY_SUFFIXES


@dataclass(frozen=True, slots=True)
class PhotoJob:
    """name: of the target inside the output folder, with / between folders; for one photo its file name. ours: what
    lies under it was made by a run that was killed, and may be replaced."""

    source: Path
    target: Path
    name: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class PhotoJobs:
    """What is to be done, in order. left_out: files in the folders that are no photos. folder: where all go, None for
    one photo that goes into a file."""

    jobs: tuple[PhotoJob, ...]
    left_out: int
    folder: Path | None


def photo_jobs(sources: Sequence[Path], target: Path) -> PhotoJobs:
    """Files as given, folders as the photos in them and below, by name. Hidden ones are left out, and what lies in
    `target`. Raises InputError when nothing is left and SinkError when two would get one name."""
    found: list[tuple[Path, Path]] = []  # source, and its name below the target
    left_out = 0
    for source in sources:
        if source.is_dir():
            photos, others = _below(source, target)
            found += photos
            left_out += others
        else:
            found.append((source, Path(source.name)))
    if not found:
        wanted = ", ".join(sorted(PHOTO_SUFFIXES))
        raise refused("no-photos", where=", ".join(map(str, sources)), suffixes=wanted)
    many = len(found) > 1 or any(source.is_dir() for source in sources)
    to_folder = target.is_dir() or many or not target.suffix
    if to_folder and target.exists() and not target.is_dir():
        raise refused("output-not-folder", target=target)
    if not to_folder:
        return PhotoJobs((PhotoJob(found[0][0], target, target.name),), left_out, None)
    return PhotoJobs(tuple(_named(found, target)), left_out, target)


def photos_of(sources: Sequence[Path]) -> list[Path]:
    """The photos alone. InputError when nothing is left."""
    return [job.source for job in photo_jobs(sources, Path("out")).jobs]


def _below(folder: Path, target: Path) -> tuple[list[tuple[Path, Path]], int]:
    out, photos, left_out = target.resolve(), [], 0
    for path in _files(folder, out):
        if path.suffix.lower() in PHOTO_SUFFIXES:
            photos.append((path, path.relative_to(folder)))
        else:
            left_out += 1
    return photos, left_out


def _files(folder: Path, out: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():  # a link may lead in a circle
            if path.resolve() != out:
                yield from _files(path, out)
        elif path.is_file():
            yield path


def _named(found: Iterable[tuple[Path, Path]], target: Path) -> Iterator[PhotoJob]:
    """Names are kept; a kind that cannot be written gets .jpg, behind its own ending if that name is another's."""
    found = list(found)
    own = {_key(name) for _, name in found if name.suffix.lower() not in READ_ONLY_SUFFIXES}
    taken: dict[str, Path] = {}
    for source, name in found:
        if name.suffix.lower() in READ_ONLY_SUFFIXES:
            shorter = name.with_suffix(".jpg")
            name = name.with_name(name.name + ".jpg") if _key(shorter) in own else shorter
        if (other := taken.setdefault(_key(name), source)) is not source:
            raise refused("output-same-name", source=source, other=other, target=target / name)
        yield PhotoJob(source, target / name, name.as_posix())


def _key(name: Path) -> str:
    return name.as_posix().casefold()  # some disks do not tell case apart
