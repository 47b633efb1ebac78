"""A recogniser's description: what is wrong with it is said by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from anonymizer.audit.chips import ARCFACE_PX
from anonymizer.audit.recogniser_file import read_recogniser_file
from anonymizer.audit.recognisers import load_recognisers
from anonymizer.errors import AnonymizerError, ConfigError, WeightsError

GOOD = 'name = "n"\nfile = "n.onnx"\n[thresholds]\nfar = 0.3\n'


def described(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "n.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_arcface_s(tmp_path: Path) -> None:
    """Points of ArcFace's template, scaled with the input's size."""
    file = read_recogniser_file(described(tmp_path, "input_px = 224\n" + GOOD))
    assert np.allclose(file.template_px, 2 * ARCFACE_PX)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colur = 'rgb'\n" + GOOD, 'did you mean "colour"'),
        ("colour = 'cmyk'\n" + GOOD, "cmyk"),
        ("std = [1.0, 0.0, 1.0]\n" + GOOD, "no 0 in std"),
        ("points = [[1.0, 2.0]]\n" + GOOD, "points"),
        ('name = "n"\nfile = "n.onnx"\n', "thresholds"),
        ("name = ", "not valid TOML"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, said: str) -> None:
    """Unknown keys, wrong values and bad TOML raise ConfigError with the file and the reason."""
    with pytest.raises(ConfigError, match=said):
        read_recogniser_file(described(tmp_path, text))


def test_a_changed_network_is_refused(tmp_path: Path) -> None:
    """With sha256 given, other bytes are not loaded; a missing file says how to name its folder."""
    path = described(tmp_path, f'sha256 = "{hashlib.sha256(b"right").hexdigest()}"\n' + GOOD)
    file = read_recogniser_file(path)
    with pytest.raises(WeightsError, match="--models"):
        file.network_bytes(tmp_path)
    (tmp_path / "n.onnx").write_bytes(b"wrong")
    with pytest.raises(WeightsError, match="was changed"):
        file.network_bytes(tmp_path)
    (tmp_path / "n.onnx").write_bytes(b"right")
    assert file.network_bytes(tmp_path) == b"right"


def test_an_audit_without_attackers_is_refused() -> None:
    """No recogniser at all would find nobody, which would look like success."""
    with pytest.raises(AnonymizerError, match="no recogniser"):
        load_recognisers(with_dlib=False)
