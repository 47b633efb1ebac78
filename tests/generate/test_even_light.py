"""Light is as even as the scene is hazy."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import FaceCrop, SyntheticFace
from anonymizer.generate.even_light import DARK, HAZY, evened

S, G = 64, 8


def crop(darkest: float) -> FaceCrop:
    """A wall of .8 with a stripe of `darkest` beside a hole."""
    hole, nothing = np.zeros((S, S), np.float32), np.zeros((S, S, 3), np.float32)
    hole[12:52, 12:52] = 1
    context = np.full((S, S, 3), 0.8, np.float32)
    context[:, :8] = darkest
    return FaceCrop(context * (1 - hole[..., None]), hole, nothing, hole, nothing, np.eye(2, 3))


def two_tones() -> SyntheticFace:
    """Lit from the right, dark at the left, with an edge down the middle."""
    gain = np.full((G, G, 3), 0.5, np.float32)
    gain[:, G // 2 :] = 1.0
    return SyntheticFace(gain, 0 * gain, np.zeros((S, S, 3), np.float32), np.ones((S, S), np.float32))


def test_in_haze_there_is_no_edge_in_the_light() -> None:
    """One side stays darker, and the step between the two is less than half of what it was; no brighter as a whole."""
    got, face = evened(two_tones(), crop(HAZY + 0.05)), two_tones()
    step = [np.abs(np.diff(np.log(each.gain[4, :, 0]))).max() for each in (got, face)]
    assert step[0] < 0.5 * step[1]
    assert got.gain[4, 0, 0] < got.gain[4, -1, 0]
    assert np.log(got.gain).mean() == pytest.approx(np.log(face.gain).mean(), abs=0.01)


def test_where_blacks_are_seen_light_keeps_its_sides() -> None:
    """A black jacket in sight, or nothing at all: the face is the same, to the bit."""
    face, blind = two_tones(), crop(0.5)
    blind.hole[:] = 1
    assert evened(face, crop(DARK - 0.01)) is face
    assert evened(face, blind) is face


def test_nothing_jumps_when_haze_comes() -> None:
    """A scene a little hazier than another has a little more even light."""
    ways = [float(np.ptp(evened(two_tones(), crop(d)).gain[4, 3:5, 0])) for d in np.linspace(DARK, HAZY, 10)]
    assert (np.diff(ways) < 0).all()
    assert np.abs(np.diff(ways)).max() < 0.1
