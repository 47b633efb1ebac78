"""Who is who follows from names alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.audit.photo_pairs import match, photos_in, plan_attack
from anonymizer.errors import InputError


def folder(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_people_are_looked_for_by_their_other_photo(tmp_path: Path) -> None:
    """The gallery of a smiling probe holds neutral photos, one a person, of its own set only."""
    before = folder(tmp_path / "b", "x/1_calm.png", "x/1_glad.png", "x/2_calm.png", "x/2_glad.png", "y/1_calm.png")
    after = folder(tmp_path / "a", "x/1_glad.jpg", "x/2_glad.webp")
    photos = photos_in(before)
    attack = plan_attack(photos, set(match(photos, after)))
    assert attack.other_photo
    assert [p.key for p in attack.probes] == ["x/1_glad", "x/2_glad"]
    assert [p.key for p in attack.gallery["glad"]] == ["x/1_calm", "x/2_calm"]
    assert len({p.person for p in attack.probes}) == 2


def test_lone_photos_are_looked_for_by_themselves(tmp_path: Path) -> None:
    """Without a second photo the anonymized photo's own original stands in the gallery, and that is said."""
    before = folder(tmp_path / "b", "anna.png", "team_photo.png")
    photos = photos_in(before)
    attack = plan_attack(photos, {p.key for p in photos})
    assert not attack.other_photo
    assert [p.key for p in attack.gallery[""]] == ["anna", "team_photo"]


def test_nothing_in_common_is_explained(tmp_path: Path) -> None:
    """Names that do not match raise an error that shows what was wanted."""
    before = folder(tmp_path / "b", "anna.png")
    after = folder(tmp_path / "a", "bert.png")
    with pytest.raises(InputError, match=r"anna\.png"):
        match(photos_in(before), after)
    with pytest.raises(InputError, match="no photo in"):
        photos_in(tmp_path / "nowhere")
