"""Covers that lie in or over each other."""

from __future__ import annotations

import numpy as np

from anonymizer.app import build_anonymizer
from anonymizer.faces import Box, PlannedFace
from anonymizer.frames import Frame
from anonymizer.settings import load_settings


def test_a_small_cover_within_a_large_one_is_not_black() -> None:
    """All about it is erased, too: what the large one was filled with shows there, with no step at its edge."""
    anonymizer = build_anonymizer(load_settings(None, {"generator": "classic"}))
    frame = Frame(np.full((240, 320, 3), (200, 120, 80), np.uint8))
    faces = (
        PlannedFace(0, None, Box(145, 105, 175, 135)),
        PlannedFace(1, None, Box(80, 40, 240, 200)),
        PlannedFace(2, None, Box(210, 60, 290, 140)),
    )
    for order in (faces, faces[::-1]):
        safe = anonymizer.render(frame, order)
        assert np.abs(safe.rgb.astype(int) - frame.rgb).max() <= 3
