"""Finds a model file and refuses it unless its SHA-256 is the registered one. Never downloads."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from anonymizer.errors import WeightsError

FOLDER = Path(__file__).resolve().parent
ADVICE = "reinstall the package: pip install --force-reinstall anonymizer"

_verified: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Weight:
    """One model file. `path` and `licence_path` are absolute; sha256 is lower-case hex."""

    name: str
    path: Path
    sha256: str
    licence: str
    licence_path: Path
    source: str
    purpose: str


def read_registry(folder: Path) -> Mapping[str, Weight]:
    """The tables of `folder`/registry.toml, by name."""
    path = folder / "registry.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"the list of model files, {path}, cannot be read ({error}); {ADVICE}") from error
    return MappingProxyType({name: _weight(folder, path, name, table) for name, table in tables.items()})


def _weight(folder: Path, path: Path, name: str, table: Mapping[str, str]) -> Weight:
    wanted = {"file", "sha256", "licence", "licence_file", "source", "purpose"}
    if set(table) != wanted:
        raise WeightsError(f"{path} [{name}]: expected the keys {sorted(wanted)}, got {sorted(table)}")
    return Weight(
        name=name,
        path=folder / table["file"],
        sha256=table["sha256"].lower(),
        licence=table["licence"],
        licence_path=folder / table["licence_file"],
        source=table["source"],
        purpose=table["purpose"],
    )


@cache
def registry() -> Mapping[str, Weight]:
    """Every model file of the package, by name."""
    return read_registry(FOLDER)


def weight(name: str) -> Weight:
    """The registered file called `name`."""
    try:
        return registry()[name]
    except KeyError:
        raise WeightsError(f"no model file is called {name!r}; there are {', '.join(sorted(registry()))}") from None


def weight_path(name: str) -> Path:
    """Where the file called `name` lies; its bytes are checked once a process."""
    entry = weight(name)
    if entry.path not in _verified:
        read_verified(entry)
    return entry.path


def weight_bytes(name: str) -> bytes:
    """The bytes of the file called `name`, read once and checked: what is loaded is what was hashed."""
    return read_verified(weight(name))


def read_verified(entry: Weight) -> bytes:
    """Read `entry`, or raise WeightsError when it is missing or its hash differs."""
    try:
        data = entry.path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"model file {entry.path} cannot be read ({error.strerror}); expected SHA-256 {entry.sha256}; {ADVICE}"
        ) from error
    got = hashlib.sha256(data).hexdigest()
    if got != entry.sha256:
        raise WeightsError(
            f"model file {entry.path} was changed: expected SHA-256 {entry.sha256}, "
            f"got {got} ({len(data)} bytes); {ADVICE}"
        )
    _verified.add(entry.path)
    return data
