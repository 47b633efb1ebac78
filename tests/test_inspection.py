"""Inspection shows what there is, and its proof fails for a renderer that cheats."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anonymizer.cli import run
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.inspection import inspect_frame
from anonymizer.pipeline import Anonymizer
from tests.fakes import safe
from tests.planned import Actor, anonymizer, hole_of, planned, room

ACTORS = [Actor("persona", 1.0, (160.0, 120.0), (10.0, 0.0, 5.0), (0.0, 0.0), 3)]


class Feathered(Anonymizer):
    """A renderer that lets a little of the frame through."""

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        honest = super().render(frame, faces)
        mixed = (honest.rgb * 0.95 + frame.rgb * 0.05).astype(np.uint8)
        return safe(frame, mixed, Verdict.REPLACED, 1)


def test_the_product_s_output_does_not_depend_on_what_the_hole_held() -> None:
    """Noise under the hole, the same output; as many pixels are told as the hole has."""
    found = inspect_frame(Frame(room(1)), planned(ACTORS, 0), anonymizer())
    assert found.identical
    assert found.verdict is Verdict.REPLACED
    assert found.personas == 1
    assert found.erased_px == int((hole_of(ACTORS, 0, "face") > 0).sum())


def test_a_renderer_that_lets_5_percent_through_is_caught() -> None:
    """The proof is one: it fails where it must."""
    honest = anonymizer()
    leaky = Feathered(**{f.name: getattr(honest, f.name) for f in dataclasses.fields(honest)})
    assert not inspect_frame(Frame(room(1)), planned(ACTORS, 0), leaky).identical


def test_the_raw_face_is_nowhere_on_the_sheet() -> None:
    """With a hole of pure green in the frame, no green pixel is on the sheet."""
    rgb = room(1)
    rgb[hole_of(ACTORS, 0, "face") > 0] = (0, 255, 0)
    sheet = inspect_frame(Frame(rgb), planned(ACTORS, 0), anonymizer()).sheet.astype(int)
    above = sheet[: sheet.shape[0] - 250]  # below stand drawn panels; normals are green too
    assert not ((above[..., 1] > 200) & (above[..., 0] < 60) & (above[..., 2] < 60)).any()


def test_a_picture_without_faces_is_shown_as_it_is(tmp_path: Path) -> None:
    """The verb works on a wall: nothing erased, nothing painted, the same with noise."""
    Image.fromarray(np.full((120, 160, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    assert run(["inspect", str(tmp_path / "wall.png"), str(tmp_path / "out.png"), "--generator", "classic"]) == 0
    with Image.open(tmp_path / "out.png") as sheet:
        assert sheet.width > 500


@pytest.mark.parametrize("name", ["in.png", "taken.png"])
def test_neither_input_nor_output_is_overwritten(tmp_path: Path, name: str) -> None:
    """Refused before any work, exit code 4."""
    for file in ("in.png", "taken.png"):
        Image.fromarray(np.full((64, 64, 3), 9, np.uint8)).save(tmp_path / file)
    assert run(["inspect", str(tmp_path / "in.png"), str(tmp_path / name)]) == 4
