"""A clip from a file through both passes, judged frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonymizer.frames import Frame
from anonymizer.settings import load_settings
from tests.clips import make_clip
from tests.scenes.clips import ClipReport, Judges, _face, run_clip
from tests.scenes.layers import TrueFace
from tests.scenes.scene import film
from tests.scenes.stories import story

SETTINGS = load_settings(None, {"preset": "balanced", "generator": "classic"})


class Told(Judges):
    """Says of every frame that a face is about (x, y), by frame."""

    def __init__(self, places: list[tuple[float, float]], half_px: float) -> None:
        self._places, self._half = places, half_px

    def faces(self, frame: Frame) -> tuple[TrueFace, ...]:
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * self._half + self._places[frame.index]
        face = _face(0, corners, frame.rgb)
        return () if face is None else (face,)


@pytest.mark.slow
def test_a_face_is_held_and_a_wall_is_a_leak(tmp_path: Path) -> None:
    """The same clip under judges that see the face, that take the wall for one, and that see nothing."""
    made = list(film(story("talking", 4, count=6, size_px=(384, 216))))
    clip = make_clip(tmp_path / "talking.mp4", [each.frame.rgb for each in made])
    centers = [each.faces[0].box.center for each in made]
    held = run_clip(clip, SETTINGS, Told(centers, 10))
    assert (held.report.frames, held.judged, held.leaks) == (6, 6, [])
    wall = run_clip(clip, SETTINGS, Told([(12, 204)] * 6, 10))
    assert [leak.index for leak in wall.leaks] == list(range(6))
    nobody = run_clip(clip, SETTINGS, Told([(-90, -90)] * 6, 10))
    assert (nobody.report.frames, nobody.judged) == (6, 0)
    both = ClipReport()
    both.take(held)
    both.take(wall)
    assert "12 frames, 12 with" in str(both)
    assert len(both.leaks) == 6
