"""The wheel: only `anonymizer`, and in it every file the program needs, unchanged."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anonymizer import __version__

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "anonymizer"
JUNK = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built without network from a copy, so that nothing is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("anonymizer", "models", "training"):
        shutil.copytree(ROOT / folder, source / folder, ignore=JUNK)
    for name in ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"):
        shutil.copy(ROOT / name, source)
    built = tmp_path_factory.mktemp("wheel")
    command = [
        "pip",
        "wheel",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        "--wheel-dir",
        str(built),
        str(source),
    ]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def registered(table: dict[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    """(file, SHA-256) of every entry of the registry."""
    if "sha256" in table:
        yield str(table.get("file", name)), str(table["sha256"])
    for key, value in table.items():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from registered(inner, key)


def test_the_only_top_level_is_anonymizer(wheel: zipfile.ZipFile) -> None:
    """Nothing but the package and its metadata is installed: no models, training or tests."""
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"anonymizer", f"anonymizer-{__version__}.dist-info"}


def test_every_registered_weight_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """Each file of the registry is in the wheel, with the hash the registry gives."""
    registry = tomllib.loads(wheel.read("anonymizer/weights/registry.toml").decode())
    entries = dict(registered(registry))
    assert entries
    for file, sha256 in entries.items():
        data = wheel.read(f"anonymizer/weights/{file}")
        assert hashlib.sha256(data).hexdigest() == sha256, file


def test_no_file_of_the_package_is_left_out(wheel: zipfile.ZipFile) -> None:
    """Every tracked kind of file below anonymizer/ is in the wheel: data, presets, licences, type marker."""
    ignored = {".pyc", ".nbi", ".nbc"}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in ignored}
    missing = {path.relative_to(ROOT).as_posix() for path in files} - set(wheel.namelist())
    assert not missing


def test_licences_travel_along(wheel: zipfile.ZipFile) -> None:
    """The licence and the list of third-party parts are in the wheel's metadata."""
    names = {Path(name).name for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert names == {"LICENSE", "THIRD_PARTY.md"}


def test_the_base_install_has_no_torch(wheel: zipfile.ZipFile) -> None:
    """torch and what belongs to training is asked for by extras alone."""
    metadata = wheel.read(f"anonymizer-{__version__}.dist-info/METADATA").decode()
    base = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert base
    assert not [line for line in base if any(name in line for name in ("torch", "onnx>", "tensorboard", "dlib"))]
