"""The blind look's counting: both errors, nothing counted that is no persona, and no answer left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.errors import InputError
from training.measure.blind import read_answers, score

KEY = {
    "000": {"kind": "made", "name": "a", "verdict": "replaced"},
    "001": {"kind": "made", "name": "b", "verdict": "obscured"},
    "002": {"kind": "made", "name": "c", "verdict": "replaced"},
    "003": {"kind": "real", "name": "d", "verdict": ""},
    "004": {"kind": "real", "name": "e", "verdict": ""},
}


def test_both_errors_are_counted_and_a_cover_is_never_real(tmp_path: Path) -> None:
    """Of three composites two are called real, one of them a cover; of two photos one is called made."""
    path = tmp_path / "answers.txt"
    path.write_text("000 real\n001 real\n002 made\n\n003 real good light\n004 made\n", encoding="utf-8")
    found = score(KEY, read_answers(path))
    assert (found["composites"], found["called real"], found["passed"]) == (3, 1, ["000"])
    assert (found["untouched"], found["untouched called made"], found["not REPLACED"]) == (2, 1, 1)


def test_what_is_no_answer_or_missing_is_refused(tmp_path: Path) -> None:
    """Words other than real and made, and pictures nobody spoke of."""
    path = tmp_path / "answers.txt"
    path.write_text("000 fake\n", encoding="utf-8")
    with pytest.raises(InputError, match="wanted a number and one of real, made"):
        read_answers(path)
    with pytest.raises(InputError, match="4 of 5 pictures have no answer"):
        score(KEY, {"000": "real"})
