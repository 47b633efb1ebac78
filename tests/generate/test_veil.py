"""A face is no more contrasty than the camera lets the scene be."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.veil import DARK_BY_DARKEST, DARK_BY_MIDDLE, LIFT, MOST_BELIEVED, veiled

S, G = 64, 8


def crop(darkest: float, hole: float = 1.0) -> FaceCrop:
    """A wall of .8 with a stripe of `darkest`; a guide of .5 with a brow of .05."""
    mask = np.zeros((S, S), np.float32)
    mask[12:52, 12:52] = hole
    context = np.full((S, S, 3), 0.8, np.float32)
    context[:, :8] = darkest
    guide, coverage = np.zeros((S, S, 3), np.float32), np.zeros((S, S), np.float32)
    coverage[16:48, 16:48] = 1
    guide[16:48, 16:48] = 0.5
    guide[20:28, 20:44] = 0.05
    return FaceCrop(context * (1 - mask[..., None]), mask, guide, coverage, guide * 0, np.eye(2, 3))


def face() -> SyntheticFace:
    grid = np.ones((G, G, 3), np.float32)
    return SyntheticFace(grid, 0 * grid, np.zeros((S, S, 3), np.float32), np.ones((S, S), np.float32))


def lit(got: SyntheticFace, brightness: float) -> Floats:
    return np.asarray(got.gain[0, 0] * brightness + got.bias[0, 0])


def test_a_veil_lies_on_the_face_as_on_the_scene() -> None:
    """Where nothing is darker than .15 a brow of .05 becomes grey and skin hardly changes; its light is no darker."""
    got = veiled(face(), crop(0.15))
    wanted = DARK_BY_MIDDLE * 0.5 + DARK_BY_DARKEST * 0.15
    kept = (0.5 - wanted) / 0.45
    assert got.gain == pytest.approx(kept)
    assert lit(got, 0.05) == pytest.approx(wanted + (1 - kept) * (LIFT - 1) * 0.5, abs=1e-3)
    assert lit(got, 0.5) == pytest.approx(0.5 * (1 + (1 - kept) * (LIFT - 1)), abs=1e-3)


def test_before_something_black_the_face_stays() -> None:
    """A dark jacket says that the camera shows blacks: a face as dark as people's are beside one stays to the bit."""
    made, view = face(), crop(0.0)
    view.guide_rgb[20:28, 20:44] = DARK_BY_MIDDLE * 0.5 + 0.01
    assert veiled(made, view) is made


def test_a_light_suit_is_no_lifted_black() -> None:
    """The lighter the darkest in sight is beyond what cameras lift blacks to, the less veil there is."""
    kept = [float(veiled(face(), crop(d)).gain.mean()) for d in (MOST_BELIEVED, 0.26, 0.3, 0.5, 0.7)]
    assert (np.diff(kept[:4]) > 0.02).all()
    assert kept[3] == pytest.approx(kept[4], abs=1e-6)
    assert kept[4] < 0.99


def test_without_anything_in_sight_the_face_stays() -> None:
    """A hole that fills the crop tells nothing of the camera."""
    view = crop(0.3)
    blind = FaceCrop(
        0 * view.context_rgb,
        view.hole * 0 + 1,
        view.guide_rgb,
        view.guide_coverage,
        view.geometry,
        view.crop_from_frame,
    )
    made = face()
    assert veiled(made, blind) is made
