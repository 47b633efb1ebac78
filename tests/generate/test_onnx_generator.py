"""A generator that is missing, damaged or fed with the wrong size is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.errors import WeightsError
from anonymizer.generate.onnx_generator import OnnxGenerator


def test_a_name_that_is_not_registered_is_refused() -> None:
    """No registered file, no generator: never a random network."""
    with pytest.raises(WeightsError, match="no model file is called 'face9000'"):
        OnnxGenerator("face9000")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The path is named, and what should be given instead."""
    with pytest.raises(WeightsError, match=r"absent\.onnx cannot be read .* give an exported"):
        OnnxGenerator.from_file(tmp_path / "absent.onnx")


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    """ONNX Runtime's own words are passed on, with what to do."""
    (tmp_path / "broken.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"broken\.onnx cannot be loaded: .*export it again"):
        OnnxGenerator.from_file(tmp_path / "broken.onnx")
