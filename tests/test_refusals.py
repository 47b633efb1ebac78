"""Every condition of the table is met with a real file, and says its sentence and its remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anonymizer.errors import ConfigError, InputError, SinkError
from anonymizer.refusals import TABLE, as_markdown, one_line, refused

ROOT = Path(__file__).parent.parent


def test_every_row_is_whole() -> None:
    """Codes are plain words with dashes; sentences and remedies are there, and end without a full stop."""
    for code, row in TABLE.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)
        assert row.kind in (InputError, SinkError, ConfigError)
        assert len(row.sentence) > 10
        assert len(row.remedy) > 5
        assert not row.sentence.endswith(".")
        assert not row.remedy.endswith(".")


def test_every_row_is_used_and_nothing_else() -> None:
    """Each code stands at a place where it is raised, and no place raises one that is not in the table."""
    package = "\n".join(path.read_text() for path in (ROOT / "anonymizer").rglob("*.py"))
    used = set(re.findall(r'refused\(\s*"([a-z0-9-]+)"', package))
    assert used == set(TABLE)


def test_the_table_is_documented() -> None:
    """docs/refusals.md holds the table as it is."""
    assert as_markdown() in (ROOT / "docs" / "refusals.md").read_text()


def test_an_error_has_its_code_sentence_and_remedy() -> None:
    """The kind gives the exit code; facts are filled in."""
    error = refused("input-empty", path=Path("a b.mp4"))
    assert isinstance(error, InputError)
    assert (error.code, error.exit_code) == ("input-empty", 3)
    assert str(error) == "a b.mp4 is empty (0 bytes); record or copy it again"


def test_a_name_cannot_forge_a_message() -> None:
    """Newlines, escapes and bytes that are no text are shown as such; letters and emoji stay."""
    assert str(refused("input-empty", path="a\nanonymizer: done\x1b[2K")).startswith(r"a\nanonymizer: done\x1b[2K is")
    assert one_line("Ünï 🎥 名.mp4") == "Ünï 🎥 名.mp4"
    assert one_line(b"\xff.mp4".decode("utf-8", "surrogateescape")) == r"\xff.mp4"
    with pytest.raises(KeyError):
        refused("no-such-code")
