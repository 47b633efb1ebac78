"""Made scenes through the product, as far as the suite has time for; `python -m tests.scenes leaks` has more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anonymizer import app
from anonymizer.perceive.finder import Finder
from anonymizer.settings import load_settings
from tests.scenes.run import FAULTS, run
from tests.scenes.stories import story

SETTINGS = load_settings(None, {"preset": "balanced", "generator": "classic"})
SIZE_PX = (384, 216)


@pytest.fixture
def finder() -> Iterator[Finder]:
    with app.build_finder(SETTINGS) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("name", ["talking", "hiding", "cutting"])
def test_no_pixel_of_a_face_leaves_a_made_scene(finder: Finder, name: str) -> None:
    """Nor is anything covered where nobody is, cuts included."""
    report = run(story(name, 3, count=16, size_px=SIZE_PX), SETTINGS, finder)
    assert report.leaks == []
    assert report.frames == 16
    assert report.faces > 0
    assert report.needless == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_makes_a_leak(finder: Finder, fault: str) -> None:
    """Detectors that miss, a blind one, lost landmarks, a generator that throws: covered or blank, never raw."""
    report = run(story("walking in", 6, count=20, size_px=SIZE_PX), SETTINGS, finder, FAULTS[fault], seed=2)
    assert report.leaks == []
    assert report.faces > 0
    assert (report.blanked > 0) is (fault == "throwing")
