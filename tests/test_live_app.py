"""`live` from end to end with the real networks: the sample clip in a camera's place, a file or nothing as output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.app import SAMPLE
from anonymizer.cli import run
from anonymizer.errors import CameraError, ConfigError, SinkError
from anonymizer.frames import Verdict
from anonymizer.live.choices import LiveChoices
from anonymizer.live.states import LiveEvent, LiveState
from anonymizer.live_app import run_live
from anonymizer.settings import load_settings
from tests.clips import read_frames

FAST = ["--preset", "fast"]


def test_the_verb_reports_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object on stdout, a line for every state on stderr."""
    code = run(["live", "--camera", str(SAMPLE), "--output", "none", "--seconds", "2", "--json", *FAST])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    figures = json.loads(captured.out)["figures"]
    assert figures["captured"] > 0
    assert figures["sent"] == figures["distinct"] + figures["repeats"] + figures["blanks"]
    assert captured.err.strip().endswith("STOPPED")


def test_a_recording_begins_and_ends_blank_and_shows_nobody(tmp_path: Path) -> None:
    """In the file no frame has the face that is in the sample."""
    target = tmp_path / "out.mp4"
    choices = LiveChoices(str(SAMPLE), str(target), max_age_s=5.0)  # a busy machine is no failure
    events: list[LiveEvent] = []
    report = run_live(load_settings(None, {"preset": "fast"}), choices, events.append, lambda: False)
    assert report.figures.verdicts[Verdict.REPLACED] > 2
    assert report.start_s is not None
    assert report.left_behind == ()
    assert [event.state for event in events][-1] is LiveState.STOPPED
    assert LiveState.COVERED in [event.state for event in events]
    frames = read_frames(target)
    assert np.ptp(frames[0].rgb) < 12
    assert np.ptp(frames[-1].rgb) < 12
    reader = VideoReader(SAMPLE, 1)
    raw = [frame.rgb for frame in iter(reader.read, None)]
    reader.close()
    height, width = raw[0].shape[:2]
    middle = (slice(int(0.35 * height), int(0.6 * height)), slice(int(0.4 * width), int(0.6 * width)))
    faces = np.array([rgb[middle][::8, ::8] for rgb in raw], np.int16)
    for frame in frames:
        nearest = np.abs(faces - frame.rgb[middle][::8, ::8].astype(np.int16)).mean((1, 2, 3)).min()
        assert nearest > 4  # H.264 alone changes these parts by less than 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--camera", "/no/such/file.mp4", "--output", "none"], CameraError),
        (["--camera", str(SAMPLE), "--output", "nowhere"], ConfigError),
        (["--camera", str(SAMPLE), "--output", "/no/such/folder/out.mp4"], SinkError),
        (["--camera", "97", "--output", "none"], CameraError),
    ],
)
def test_what_cannot_be_opened_is_explained(
    arguments: list[str], error: type[CameraError | ConfigError | SinkError], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the exit code of its kind, in a sentence."""
    assert run(["live", *arguments, *FAST]) == error.exit_code
    assert capsys.readouterr().err.startswith("anonymizer: ")


@pytest.mark.parametrize("size", ["12x12", "1280x721", "big", "1280"])
def test_odd_sizes_are_refused(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Virtual cameras take even sizes only."""
    assert run(["live", "--size", size]) == ConfigError.exit_code
    assert "wanted" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_well(tmp_path: Path, how: signal.Signals) -> None:
    """Exit code 0, a finished recording that ends blank, no core limit left open."""
    target = tmp_path / "out.mkv"
    command = [sys.executable, "-m", "anonymizer", "live", "--camera", str(SAMPLE), "--loop", "--output", str(target)]
    quick = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([*command, *FAST], stderr=subprocess.PIPE, text=True, env=quick)
    assert process.stderr is not None
    for line in process.stderr:
        if "COVERED" in line:
            break
    time.sleep(0.5)
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert np.ptp(read_frames(target)[-1].rgb) < 12
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]
