"""The benchmark runs every back end over the same clip and tells each one's time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymizer.app import SAMPLE
from anonymizer.benchmark import REFERENCE, Watch
from anonymizer.cli import run
from anonymizer.commands.benchmark import back_ends
from tests.audit.short_clips import frames_of, write_clip


def test_percentiles_are_of_calls_and_sums_of_frames() -> None:
    """100 calls of 1 to 100 ms over 50 frames."""
    (row,) = Watch({"s": [float(ms) for ms in range(1, 101)]}).rows(50)
    assert row["p50_ms"] == pytest.approx(50.5)
    assert row["p99_ms"] == pytest.approx(99, abs=0.1)
    assert row["ms_a_frame"] == pytest.approx(101)


@pytest.mark.slow
def test_every_back_end_is_measured_on_all_frames(tmp_path: Path) -> None:
    """One preset: a run for each back end and the reference, all with every frame, faces replaced, stages timed."""
    clip = write_clip(tmp_path / "clip.mp4", frames_of(SAMPLE, 12))
    assert run(["benchmark", str(clip), "-o", str(tmp_path / "out"), "--preset", "fast"]) == 0
    runs = json.loads((tmp_path / "out" / "benchmark.json").read_text(encoding="utf-8"))["runs"]
    assert [r["name"] for r in runs] == [*(f"fast, {name}" for name in back_ends()), REFERENCE]
    for measured in runs[:-1]:
        stages = {row["stage"]: row for row in measured["stages"]}
        assert measured["frames"] == measured["verdicts"]["replaced"] == stages["render"]["calls"] == 12
        assert 0 < stages["generate"]["ms_a_frame"] < stages["render"]["ms_a_frame"]
        assert measured["frames_a_second"] > 0
    assert "Benchmark" in (tmp_path / "out" / "benchmark.html").read_text(encoding="utf-8")
