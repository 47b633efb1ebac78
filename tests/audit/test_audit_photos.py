"""The verb, from photos to report, on a person who does not exist."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.app import SAMPLE
from anonymizer.audit.api import find, represent, verify
from anonymizer.cli import run
from anonymizer.commands.audit import EXIT_FAULTS
from anonymizer.errors import InputError
from anonymizer.frames import RgbImage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def frames() -> tuple[RgbImage, RgbImage]:
    """Two moments of the sample clip."""
    reader = VideoReader(SAMPLE, 1)
    try:
        read = [reader.read() for _ in range(21)]
    finally:
        reader.close()
    assert read[0] is not None
    assert read[20] is not None
    return read[0].rgb, read[20].rgb


def save(path: Path, rgb: RgbImage) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


def test_an_untouched_photo_is_a_fault_with_its_name(tmp_path: Path, frames: tuple[RgbImage, RgbImage]) -> None:
    """BEFORE given as AFTER: exit code 8, the fault named, both files written, no claim from one person."""
    before = save(tmp_path / "before.png", frames[0])
    out = tmp_path / "out"
    assert run(["audit", str(before), str(save(tmp_path / "after.png", frames[0])), "-o", str(out)]) == EXIT_FAULTS
    content = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert [(fault["kind"], fault["where"]) for fault in content["faults"]] == [("raw", ["before"])]
    assert content["enough_people"] is False
    assert "Not safe" in (out / "audit.html").read_text(encoding="utf-8")


def test_an_anonymized_photo_has_no_fault_and_too_few_people(
    tmp_path: Path, frames: tuple[RgbImage, RgbImage], capsys: pytest.CaptureFixture[str]
) -> None:
    """The tool's own output passes, and the audit says that one person is too few for a claim."""
    before, after = save(tmp_path / "before.png", frames[0]), tmp_path / "after.png"
    assert run(["image", str(before), "-o", str(after)]) == 0
    assert run(["audit", str(before), str(after), "-o", str(tmp_path / "out")]) == 0
    assert "Too few people (1" in capsys.readouterr().out
    content = json.loads((tmp_path / "out" / "audit.json").read_text(encoding="utf-8"))
    assert content["kept"]["found_again"] == 1
    assert content["kept"]["pose_off_deg_median"] < 12


def test_the_field_s_verbs(tmp_path: Path, frames: tuple[RgbImage, RgbImage]) -> None:
    """Two frames of one person verify, the person is found in a folder, a wall has no face."""
    assert all(verify(frames[0], frames[1]).same_person.values())
    save(tmp_path / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    path = save(tmp_path / "person.png", frames[1])
    assert [match.path for match in find(frames[0], tmp_path)] == [path]
    assert represent(tmp_path / "wall.png") == []
    with pytest.raises(InputError, match="no face"):
        verify(tmp_path / "wall.png", path)
