"""`devices` and `doctor` on a machine with made-up devices."""

from __future__ import annotations

import json

import pytest

from anonymizer.cli import run
from anonymizer.devices import listing, v4l2

WEBCAM = v4l2.VideoDevice("/dev/video0", "USB camera", False, frozenset({"capture"}))
READY = v4l2.VideoDevice("/dev/video10", "Anonymizer", True, frozenset({"output"}))
ASLEEP = v4l2.VideoDevice("/dev/video11", "Old", True, frozenset())
FORBIDDEN = v4l2.VideoDevice("/dev/video12", "Locked", True, frozenset(), "no permission")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[v4l2.VideoDevice]:
    """A Linux machine whose devices the test writes into the list."""
    there: list[v4l2.VideoDevice] = []
    monkeypatch.setattr(listing, "SYSTEM", "linux")
    monkeypatch.setattr(v4l2, "video_devices", lambda: tuple(there))
    monkeypatch.setattr(v4l2, "loopbacks", lambda: tuple(each for each in there if each.loopback))
    return there


def test_devices_are_listed_with_names_and_states(
    machine: list[v4l2.VideoDevice], capsys: pytest.CaptureFixture[str]
) -> None:
    """Cameras apart from virtual ones; a state for each of these."""
    machine += [WEBCAM, READY, ASLEEP, FORBIDDEN]
    assert run(["devices"]) == 0
    out = capsys.readouterr().out
    cameras, virtual = out.split("virtual cameras")
    assert "USB camera  [/dev/video0]" in cameras
    assert "Anonymizer" not in cameras
    for words in (
        "Anonymizer  [/dev/video10]  ready",
        "Old  [/dev/video11]  asleep",
        "Locked  [/dev/video12]  no perm",
    ):
        assert words in virtual
    assert "group video" in virtual


def test_what_is_missing_comes_with_commands(
    machine: list[v4l2.VideoDevice], capsys: pytest.CaptureFixture[str]
) -> None:
    """As text and as JSON."""
    assert run(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cameras"] == found["virtual_cameras"] == []
    assert len(found["missing"]) >= 2
    assert any("modprobe" in command for command in found["commands"])
    assert run(["devices"]) == 0
    assert "modprobe" in capsys.readouterr().out


def test_the_doctor_checks_everything_and_counts_faults(
    machine: list[v4l2.VideoDevice], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 with a fault, 0 without; models and speed are really looked at."""
    assert run(["doctor", "--json", "--preset", "fast"]) == 1
    findings = {each["name"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    assert set(findings) == {"models", "speed", "cameras", "virtual camera", "window", "machine"}
    assert findings["models"]["health"] == "ok"
    assert "frames a second" in findings["speed"]["words"]
    assert findings["virtual camera"]["health"] == "fault"
    assert findings["virtual camera"]["advice"]
    machine += [WEBCAM, READY]
    assert run(["doctor", "--preset", "fast"]) == 0
    out = capsys.readouterr().out
    assert "FAULT" not in out
    assert "Anonymizer" in out
