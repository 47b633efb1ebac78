"""The leak checker sees what it must see, and is not fooled by chance."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from anonymizer.faces import PlannedFace
from anonymizer.frames import Verdict
from anonymizer.guard.coverage import fill_hole, hull
from tests.fakes import safe
from tests.heads import MODEL
from tests.planned import anonymizer
from tests.scenes.leaks import LeakReport, outside_hole, unreplaced
from tests.scenes.scene import MadeFrame, made_frame
from tests.scenes.stories import story

FRAMES = [
    made_frame(story(name, 4), index) for name in ("talking", "turning", "dark", "compressed") for index in (40, 50, 60)
]


def covered(made: MadeFrame) -> np.ndarray:
    """The frame with a persona in the true pose of everybody in it."""
    faces = tuple(PlannedFace(face.person, face.code) for face in made.faces)
    rgb = np.array(anonymizer().render(made.frame, faces).rgb)
    assert (rgb != made.frame.rgb).any()
    return rgb


def test_a_raw_frame_is_a_leak_of_everybody_in_it() -> None:
    """Whatever the verdict says."""
    for made in FRAMES:
        report = LeakReport()
        report.add(safe(made.frame), made)
        assert {leak.person for leak in report.leaks} == {face.person for face in made.visible}
        assert all(leak.pixels == leak.shown for leak in report.leaks)


@pytest.mark.parametrize("kind", ["blank", "persona"])
def test_covered_faces_are_no_leaks(kind: str) -> None:
    """Neither blank frames nor personas in the true pose, whose pixels may be like the face's by chance."""
    for made in FRAMES:
        report = LeakReport()
        out = np.zeros_like(made.frame.rgb) if kind == "blank" else covered(made)
        report.add_pixels(out, Verdict.REPLACED, made)
        assert report.leaks == []


def test_a_spot_that_is_left_open_is_found() -> None:
    """Two by two pixels of an otherwise covered face are enough; one is, where the erased mask is known."""
    for made in FRAMES:
        face = made.visible[0]
        rows, columns = np.nonzero(cv2.erode(face.inner.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0))
        y, x = face.y + int(rows[len(rows) // 2]), face.x + int(columns[len(rows) // 2])
        out = covered(made)
        out[y : y + 2, x : x + 2] = made.frame.rgb[y : y + 2, x : x + 2]
        assert unreplaced(out, made.frame.rgb, face) >= 4
        hole = np.zeros(out.shape[:2], np.uint8)
        assert face.code is not None
        fill_hole(hole, hull(face.code, "face", MODEL))
        assert outside_hole(hole, face) == 0
        hole[y, x] = 0
        assert outside_hole(hole, face) == 1


def test_needless_covers_and_plain_faces_are_counted() -> None:
    """A cover where nobody is, and REPLACED where a plain face is, stand in the report."""
    report = LeakReport()
    empty, plain = made_frame(story("nobody", 1), 0), made_frame(story("talking", 1), 0)
    report.add_pixels(np.array(empty.frame.rgb), Verdict.NO_FACE, empty)
    report.add_pixels(np.array(empty.frame.rgb), Verdict.OBSCURED, empty)
    report.add_pixels(covered(plain), Verdict.REPLACED, plain)
    report.add_pixels(np.zeros_like(plain.frame.rgb), Verdict.BLANKED, plain)
    assert (report.free, report.needless, report.plain, report.replaced, report.blanked) == (2, 1, 2, 1, 1)


def test_another_frames_truth_is_refused() -> None:
    """A stale frame cannot be judged by a later one's truth."""
    with pytest.raises(ValueError, match="truth of frame 50"):
        LeakReport().add(safe(FRAMES[0].frame), FRAMES[1])
