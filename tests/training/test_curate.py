"""Which photos are fit to learn from, what is never learnt from, and where photos come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonymizer.errors import InputError
from training.card import provenance_lines
from training.curate import names_in, outside_share, reason_against, reason_against_crop, sources_of
from training.prepare import HELD_OUT, held_out, report_of

ROOT = Path(__file__).resolve().parents[2]
SHAPE = (100, 100, 3)


def _mesh(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 468, dtype=np.float32)[:, None].repeat(3, 1)


@pytest.mark.parametrize(
    ("faces", "scale", "residual_px", "mesh", "reason"),
    [
        (1, 10.0, 1.0, _mesh(10, 90), None),
        (2, 10.0, 1.0, _mesh(10, 90), "several faces"),
        (1, 6.0, 1.0, _mesh(10, 90), "small face"),
        (1, 10.0, 5.0, _mesh(10, 90), "no head's proportions"),
        (1, 10.0, 1.0, _mesh(10, 101), "face cut off by the edge"),
        (1, 10.0, 1.0, _mesh(-1, 90), "face cut off by the edge"),
    ],
)
def test_each_rule_names_its_reason(
    faces: int, scale: float, residual_px: float, mesh: np.ndarray, reason: str | None
) -> None:
    """A fit photo has no reason against it; every fault has its own."""
    assert reason_against(faces, scale, residual_px, mesh, SHAPE) == reason


def test_black_and_white_and_mirrored_crops_are_dropped() -> None:
    """Grey pictures by their colour; crops that are a mirror image for the most part by what lies beyond the edge."""
    grey = np.full((32, 32, 3), 120, np.uint8)
    skin = np.full((32, 32, 3), (200, 140, 110), np.uint8)
    assert reason_against_crop(grey, 0.0) == "black and white"
    assert reason_against_crop(skin, 0.0) is None
    assert reason_against_crop(skin, 0.5) == "mirrored by the edge"


def test_what_lies_beyond_the_edge_is_measured() -> None:
    """A crop moved by half its side shows half of nothing."""
    moved = np.array([[1.0, 0, 20], [0, 1, 0]])
    assert outside_share(np.eye(2, 3), (40, 40, 3), 40) == 0
    assert outside_share(moved, (40, 40, 3), 40) == pytest.approx(0.5)


def test_scenes_are_never_trained_on() -> None:
    """Every scene that is there is held out, beside the 400 of the folder; adding photos moves none of those."""
    names = [f"train/{i}.webp" for i in range(900)]
    scenes = ["train/7.webp", "validation/1.webp", "train/missing.webp"]
    held = held_out([*names, "validation/1.webp", "more/1.webp"], "train", scenes)
    assert {"train/7.webp", "validation/1.webp"} <= held
    assert "train/missing.webp" not in held
    assert len(held - set(scenes)) >= HELD_OUT - 1
    assert held - {"validation/1.webp"} == held_out(names, "train", scenes)


def test_a_hundred_scenes_are_fixed_and_48_of_them_by_kind() -> None:
    """The committed list: no name twice, every one with its folder, twelve kinds of four first."""
    lines = (ROOT / "configs/scenes100.txt").read_text(encoding="utf-8").splitlines()
    names = names_in(ROOT / "configs/scenes100.txt")
    assert len(names) == len(set(names)) == 100
    assert {name.split("/")[0] for name in names} == {"train", "validation"}
    kinds = [line for line in lines[2:] if line.startswith("#")]
    assert lines.index(kinds[12]) - 2 == 48 + 12


def test_the_report_counts_and_names_what_was_dropped() -> None:
    """Beside each other: how many each rule took, which, and how many rows came from where."""
    texts = {key: np.array(["a", "b", "a"]) for key in ("source", "licence", "generator")}
    arrays = {"split": np.array([0, 1, 1]), "scene": np.array([0, 0, 1]), **texts}
    report = report_of(arrays, {"small face": ["train/x.webp"], "no face": []}, 4)
    assert (report["photos"], report["rows"], report["held_out"], report["scenes_held_out"]) == (4, 3, 2, 1)
    assert report["dropped"] == {"small face": 1}
    assert report["dropped_names"]["small face"] == ["train/x.webp"]
    assert report["generators"] == {"a": 2, "b": 1}


def test_the_card_tells_where_photos_come_from() -> None:
    """The most frequent first, with counts; a shard without a report adds nothing."""
    lines = provenance_lines({"generators": {"SDXL": 3, "FLUX.1 dev": 1200}, "licences": {"MIT": 1203}})
    assert "Generators: FLUX.1 dev (1,200), SDXL (3)." in lines
    assert "Licences: MIT (1,203)." in lines
    assert provenance_lines({}) == []


def test_sources_come_from_the_manifest_and_the_name(tmp_path: Path) -> None:
    """The generator is what the name tells, else what the manifest tells of all; else it is unknown."""
    (tmp_path / "train").mkdir()
    row = 'train/sfhq_FLUX1_dev_1.webp,S,MIT,"synthetic: A, B"\ntrain/other.webp,S,MIT,"synthetic: A, B"\n'
    (tmp_path / "manifest.csv").write_text("path,source,licence,note\n" + row)
    names = ("sfhq_FLUX1_dev_1.webp", "other.webp", "stranger.webp")
    found = sources_of(tmp_path / "train" / name for name in names)
    assert [each.generator for each in found] == ["FLUX.1 dev", "one of A, B", "unknown"]
    assert [each.licence for each in found] == ["MIT", "MIT", "unknown"]


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    """Without the list of scenes some could be trained on; so it is no optional file."""
    with pytest.raises(InputError, match="cannot be read"):
        names_in(tmp_path / "none.txt")
