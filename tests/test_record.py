"""Records of runs: whole, signed, and silent about people and places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymizer.cli import run
from anonymizer.commands.record import EXIT_DIFFERENT
from anonymizer.errors import InputError
from anonymizer.record import Written, verify_record, write_record
from anonymizer.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(None, {"persona_key": tmp_path / "Anna's key"})


def written(path: Path) -> Written:
    path.write_bytes(b"an output")
    return Written(path, {"replaced": 9, "no face": 1}, 0)


def test_a_record_verifies_and_says_what_came_of_it(tmp_path: Path, settings: Settings) -> None:
    """Signature, output and model files fit; the counts are in it."""
    output = written(tmp_path / "out.mp4")
    key = write_record(tmp_path / "r.json", None, settings, [output])
    found = verify_record(tmp_path / "r.json", [output.path], key)
    assert found.differences == ()
    assert found.content["outputs"][0]["verdicts"] == {"replaced": 9, "no face": 1}
    assert found.content["settings"]["preset"] == "balanced"


def test_it_names_no_file_and_no_key(tmp_path: Path, settings: Settings) -> None:
    """Neither paths nor names of inputs, outputs or keys are in it."""
    write_record(tmp_path / "r.json", tmp_path / "signing.key", settings, [written(tmp_path / "Anna.mp4")])
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert "Anna" not in text
    assert str(tmp_path) not in text
    assert (tmp_path / "signing.key").read_bytes().hex() not in text


@pytest.mark.parametrize("change", ["content", "signature"])
def test_a_changed_record_is_refused(tmp_path: Path, settings: Settings, change: str) -> None:
    """One count made prettier, or another key put in: the signature no longer fits."""
    path = tmp_path / "r.json"
    write_record(path, None, settings, [written(tmp_path / "out.mp4")])
    record = json.loads(path.read_text(encoding="utf-8"))
    if change == "content":
        record["content"]["outputs"][0]["verdicts"]["replaced"] = 10
    else:
        write_record(tmp_path / "other.json", None, settings, [])
        other = json.loads((tmp_path / "other.json").read_text(encoding="utf-8"))
        record["signature"]["public_key"] = other["signature"]["public_key"]
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match="was changed"):
        verify_record(path, [], None)


def test_what_does_not_match_is_said(tmp_path: Path, settings: Settings) -> None:
    """A changed output, another signer: each in words, and exit code 8 from the verb."""
    output = written(tmp_path / "out.mp4")
    write_record(tmp_path / "r.json", None, settings, [output])
    output.path.write_bytes(b"another output")
    found = verify_record(tmp_path / "r.json", [output.path], "somebody")
    assert len(found.differences) == 2
    assert run(["verify-record", str(tmp_path / "r.json"), str(output.path)]) == EXIT_DIFFERENT


def test_a_key_file_links_records_and_one_use_keys_do_not(tmp_path: Path, settings: Settings) -> None:
    """The same file gives the same public key, no file a new one each time."""
    keyed = {write_record(tmp_path / "r.json", tmp_path / "signing.key", settings, []) for _ in range(2)}
    loose = {write_record(tmp_path / "r.json", None, settings, []) for _ in range(2)}
    assert len(keyed) == 1
    assert len(loose) == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"content": {"kind": "else"}, "signature": {}}'])
def test_other_files_are_no_records(tmp_path: Path, text: str) -> None:
    """What is not JSON, or JSON of something else, is refused in words."""
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no record"):
        verify_record(tmp_path / "r.json", [], None)


@pytest.mark.slow
def test_image_writes_a_record(tmp_path: Path) -> None:
    """From the verb to the check: the photo of a wall gets the verdict `no face`."""
    import numpy as np
    from PIL import Image

    Image.fromarray(np.full((120, 160, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    record, out = tmp_path / "run.json", tmp_path / "safe.png"
    assert run(["image", str(tmp_path / "wall.png"), "-o", str(out), "--record", str(record)]) == 0
    assert verify_record(record, [out], None).content["outputs"][0]["verdicts"] == {"no face": 1}
    assert run(["verify-record", str(record), str(out)]) == 0


def test_a_record_key_alone_is_refused(tmp_path: Path) -> None:
    """A key that would sign nothing is a mistake, said before any work."""
    assert run(["image", "in.png", "-o", "out.png", "--record-key", str(tmp_path / "k")]) == 2
