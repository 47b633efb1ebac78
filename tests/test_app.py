"""Which photos are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.app import photos_of
from anonymizer.errors import InputError


def test_folders_give_their_photos_by_name_and_files_come_as_given(tmp_path: Path) -> None:
    """Only photos of a folder, sorted, whatever the case of their suffix; files in the order of the command."""
    for name in ("b.PNG", "a.jpg", "c.webp", "notes.txt", "d.jpeg"):
        (tmp_path / name).touch()
    single = tmp_path / "notes.txt"
    assert [p.name for p in photos_of([single, tmp_path])] == ["notes.txt", "a.jpg", "b.PNG", "c.webp", "d.jpeg"]


def test_a_folder_without_photos_is_told(tmp_path: Path) -> None:
    """The folder is named, and which files would be taken."""
    with pytest.raises(InputError, match=r"no photo in .*\.jpeg, \.jpg, \.png, \.webp"):
        photos_of([tmp_path])
