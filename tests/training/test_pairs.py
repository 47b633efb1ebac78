"""The look in pairs: the same names side by side, sides shuffled, counted with the odds of chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonymizer.errors import InputError
from anonymizer.sheet import save_rgb
from training.measure.blind import read_answers, read_key
from training.measure.pairs import SIDES, by_chance, pair, score


def folders(tmp_path: Path, count: int) -> tuple[Path, Path]:
    """Dark pictures before, light ones after, and one that the second folder lacks."""
    for name, level in (("before", 40), ("after", 200)):
        (tmp_path / name).mkdir()
        for number in range(count + (name == "before")):
            save_rgb(tmp_path / name / f"{number}.png", np.full((8, 8, 3), level, np.uint8))
    return tmp_path / "before", tmp_path / "after"


def test_whoever_prefers_light_pictures_prefers_the_second_version(tmp_path: Path) -> None:
    """On sheets, by the picture itself, whichever side it was put on; one without a partner is not shown."""
    before, after = folders(tmp_path, 13)
    assert pair(before, after, tmp_path / "pairs") == 13
    assert len(list((tmp_path / "pairs" / "sheets").glob("*.png"))) == 3
    with pytest.raises(InputError, match="their key would be lost"):
        pair(before, after, tmp_path / "pairs")
    key = read_key(tmp_path / "pairs", "pairs")
    lines = [f"{number} {'L' if each['left'] == 'after' else 'R'} lighter" for number, each in key.items()]
    (tmp_path / "answers.txt").write_text("\n".join([*lines[:-1], "12 ="]), encoding="utf-8")
    found = score(key, read_answers(tmp_path / "answers.txt", SIDES))
    assert (found["before"], found["after"], found["no difference"]) == (0, 12, 1)
    assert found["by chance"] == pytest.approx(2 / 2**12, abs=1e-4)


def test_chance_is_a_coin() -> None:
    """Five heads of five fall one way or the other in 1 of 16 turns; as many of each always."""
    assert by_chance(5, 0) == by_chance(0, 5) == pytest.approx(1 / 16)
    assert by_chance(4, 4) == 1


def test_what_is_no_answer_or_missing_is_refused(tmp_path: Path) -> None:
    """A side that is none, a pair nobody spoke of, folders that share nothing."""
    (tmp_path / "answers.txt").write_text("0 left\n", encoding="utf-8")
    with pytest.raises(InputError, match="wanted a number and one of L, R, ="):
        read_answers(tmp_path / "answers.txt", SIDES)
    with pytest.raises(InputError, match="1 of 2 pictures have no answer: 1"):
        score({key: {"name": "a", "left": "after"} for key in "01"}, {"0": "L"})
    with pytest.raises(InputError, match="no picture of the same name"):
        pair(tmp_path, tmp_path, tmp_path / "pairs")
