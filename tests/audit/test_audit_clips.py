"""Clips, from files to report, on a person who does not exist: planted leaks are named with their frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonymizer import app
from anonymizer.app import SAMPLE
from anonymizer.cli import run
from anonymizer.commands.audit import EXIT_FAULTS
from anonymizer.frames import RgbImage
from anonymizer.settings import load_settings
from tests.audit.short_clips import frames_of, write_clip

pytestmark = pytest.mark.slow
FRAMES = 14
RAW_AT = (4, 9)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A second of the sample clip, and the same anonymized by a persona that nobody chose."""
    folder = tmp_path_factory.mktemp("clips")
    before = write_clip(folder / "before.mp4", frames_of(SAMPLE, FRAMES))
    settings = load_settings(None, {"preset": "fast"})
    app.run_video(before, folder / "after.mp4", settings, True, lambda _: None)
    return before, folder / "after.mp4"


def audit(before: Path, after: Path, out: Path) -> tuple[int, dict[str, Any]]:
    code = run(["audit", str(before), str(after), "-o", str(out)])
    return code, json.loads((out / "audit.json").read_text(encoding="utf-8"))


def test_the_product_s_own_output_has_no_leak(clips: tuple[Path, Path], tmp_path: Path) -> None:
    """Every frame is checked, none is named, and the expression is compared."""
    code, content = audit(*clips, tmp_path)
    assert code == 0
    assert content["faults"] == []
    assert content["frames"] == content["frames_after"] == content["frames_with_face"] == FRAMES
    assert content["kept"]["found"] == 1
    assert content["identity"]["to_raw"] < content["identity"]["raw_to_raw"]


def raw_now_and_then(before: list[RgbImage], after: list[RgbImage]) -> list[RgbImage]:
    return [before[i] if i in RAW_AT else after[i] for i in range(FRAMES)]


def thin_cover(before: list[RgbImage], after: list[RgbImage]) -> list[RgbImage]:
    return [np.rint(0.6 * a + 0.4 * b).astype(np.uint8) for b, a in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    ("spoil", "kind", "where"),
    [
        (raw_now_and_then, "raw", [str(i) for i in RAW_AT]),
        (thin_cover, "see-through", [str(i) for i in range(FRAMES)]),
    ],
)
def test_planted_leaks_are_named_with_their_frames(
    clips: tuple[Path, Path],
    tmp_path: Path,
    spoil: Callable[[list[RgbImage], list[RgbImage]], list[RgbImage]],
    kind: str,
    where: list[str],
) -> None:
    """Two raw frames are found and no other; a cover of 60 % is found throughout."""
    both = [frames_of(path, FRAMES) for path in clips]
    code, content = audit(clips[0], write_clip(tmp_path / "leaky.mp4", spoil(*both)), tmp_path / "out")
    assert code == EXIT_FAULTS
    found = {fault["kind"]: fault["where"] for fault in content["faults"]}
    assert len(set(where) & set(found[kind])) >= 0.9 * len(where)
    if kind == "raw":
        assert found == {"raw": where}


def test_a_shorter_copy_is_said(clips: tuple[Path, Path], tmp_path: Path) -> None:
    """Frames that AFTER lacks cannot be checked, and that is a fault, not a success."""
    short = write_clip(tmp_path / "short.mp4", frames_of(clips[1], FRAMES - 5))
    code, content = audit(clips[0], short, tmp_path / "out")
    assert code == EXIT_FAULTS
    assert [fault["kind"] for fault in content["faults"]] == ["frames without a partner"]
