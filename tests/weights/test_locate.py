"""Model files are found, checked, and refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.errors import WeightsError
from anonymizer.weights.locate import read_registry, read_verified, registry, weight_bytes, weight_path


def _folder(tmp_path: Path, sha256: str) -> Path:
    (tmp_path / "registry.toml").write_text(
        f'[net]\nfile = "net.onnx"\nsha256 = "{sha256}"\nlicence = "MIT"\nlicence_file = "L.txt"\n'
        'source = "here"\npurpose = "test"\n'
    )
    return tmp_path


def test_every_registered_file_is_present_with_its_hash_and_licence() -> None:
    """Each table of the registry names a file with the right bytes and a licence text."""
    assert {"face_landmarker", "face_detection_full_range", "selfie_segmentation", "centerface"} <= set(registry())
    for name, entry in registry().items():
        assert weight_path(name) == entry.path
        assert entry.licence_path.stat().st_size > 500, f"{name} has no licence text"


def test_no_model_file_lies_unregistered() -> None:
    """A model file in the folder without a table in the registry is a mistake."""
    known = {entry.path for entry in registry().values()}
    folder = next(iter(known)).parent
    models = {path for ending in ("onnx", "tflite", "task", "npz") for path in folder.glob(f"*.{ending}")}
    assert models <= known


def test_a_changed_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    """A flipped byte stops the load, and the message says what was expected, what was got and what to do."""
    folder = _folder(tmp_path, "ab" * 32)
    (folder / "net.onnx").write_bytes(b"other")
    with pytest.raises(
        WeightsError, match=r"net\.onnx was changed: expected SHA-256 (ab){32}, got d9298a10.*reinstall"
    ):
        read_verified(read_registry(folder)["net"])


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    """A missing file stops the load and is named."""
    with pytest.raises(WeightsError, match=r"net\.onnx cannot be read \(No such file.*reinstall"):
        read_verified(read_registry(_folder(tmp_path, "0" * 64))["net"])


def test_an_unknown_name_lists_the_known_ones() -> None:
    """Asking for a file that is not registered names those that are."""
    with pytest.raises(WeightsError, match=r"'nonsense'.*centerface"):
        weight_bytes("nonsense")


def test_a_registry_table_with_a_missing_key_is_refused(tmp_path: Path) -> None:
    """A table without its licence does not pass."""
    (tmp_path / "registry.toml").write_text('[net]\nfile = "net.onnx"\n')
    with pytest.raises(WeightsError, match="licence"):
        read_registry(tmp_path)
