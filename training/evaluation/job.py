"""What is measured, on which pictures, and where its results go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonymizer import app, machine
from anonymizer.audit.recognisers import Recogniser, load_recognisers
from anonymizer.errors import InputError, WeightsError
from anonymizer.generate.onnx_generator import OnnxGenerator
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import Settings, load_settings
from anonymizer.weights.locate import weight_path
from training.evaluation.findings import Finding
from training.measure.tap import replaced

RECOGNISER = Path("configs/recognisers/mobilefacenet.toml")
PHOTO_SUFFIXES = {".webp", ".png", ".jpg", ".jpeg"}


@dataclass(frozen=True, slots=True)
class Part:
    """What one measure found. tables: by title, rows of one shape. notes: what a reader has to know."""

    findings: list[Finding]
    tables: dict[str, list[dict[str, Any]]]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Job:
    """weights: an exported .onnx, None = what is shipped. data: folder with eval/, validation/, recognisers/.

    shard: the one that was trained on, whose held-out photos are used too, None = none. limit: of photos, people or
    clips. second_landmarks: another landmark network (see `training.measure.openings`), None = none.
    """

    weights: Path | None
    data: Path
    out: Path
    shard: Path | None = None
    limit: int | None = None
    second_landmarks: Path | None = None

    def folder(self, name: str) -> Path:
        path = self.out / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def files(self) -> dict[str, Path]:
        """float32 and int8, those of the two that there are; an exported file's int8 lies beside it."""
        if self.weights is None:
            return {"float32": weight_path(app.GENERATOR), "int8": weight_path(app.GENERATOR_INT8)}
        if not self.weights.is_file():
            raise WeightsError(f"there is no generator {self.weights}; give an exported .onnx, or `shipped`")
        if self.weights.stem.endswith("_int8"):
            return {"int8": self.weights}
        int8 = self.weights.with_stem(self.weights.stem + "_int8")
        return {"float32": self.weights} | ({"int8": int8} if int8.is_file() else {})

    def used(self) -> Path:
        """The file whose pictures are measured: the one given; of what is shipped the usual precision."""
        return self.weights or weight_path(app.GENERATOR_INT8)

    def anonymizer(self, generator: str = "network", secret: bytes | None = None) -> Anonymizer:
        settings = load_settings(None, {"generator": generator, "threads": 1})
        if generator == "classic":
            return app.build_anonymizer(settings, secret)
        with self.installed():
            return app.build_anonymizer(settings, secret)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Inside, all that the product does in this process is done with these weights."""
        used = self.used()

        def build(_: Settings) -> OnnxGenerator:
            return OnnxGenerator.from_file(used, threads=1)

        with replaced(app, "build_generator", build):
            yield

    def recognisers(self) -> list[Recogniser]:
        """dlib's, and the MobileFaceNet where the data has it."""
        models = self.data / "recognisers"
        return load_recognisers([RECOGNISER] if models.is_dir() else [], models if models.is_dir() else None)

    def photos(self, *folders: str) -> list[Path]:
        """Photos of these folders of the data, by name; with a limit so many of each."""
        found = [photos_in_folder(self.data / folder)[: self.limit] for folder in folders]
        photos = [path for some in found for path in some]
        if not photos:
            raise InputError(
                f"no photo in {', '.join(str(self.data / f) for f in folders)}; --data is the folder of all"
            )
        return photos

    def described(self) -> dict[str, Any]:
        """For the head of the report: name, hashes, size, images seen, machine."""
        spec = OnnxGenerator.from_file(self.used()).spec
        hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.files().items()}
        return {
            "name": self.used().stem,
            "sha256": hashes,
            "size_px": spec.size_px,
            "images_seen": spec.images_seen,
            "machine": machine.machine(),
        }


def photos_in_folder(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES) if folder.is_dir() else []
