"""What is painted in stays within what is in sight."""

from __future__ import annotations

import numpy as np

from anonymizer.faces import FaceCrop, Floats
from anonymizer.generate.in_range import MARGIN, SHADE, in_range

S = 64


def crop(context: float, guide: float = 0.0) -> FaceCrop:
    """A hole in the middle of an even wall, a guide in the middle of the hole."""
    hole = np.zeros((S, S), np.float32)
    hole[16:48, 16:48] = 1
    drawn = np.zeros((S, S), np.float32)
    drawn[24:40, 24:40] = guide > 0
    wall = np.full((S, S, 3), context, np.float32) * (1 - hole[..., None])
    return FaceCrop(wall, hole, drawn[..., None] * np.full(3, guide, np.float32), drawn, wall * 0, np.eye(2, 3))


def rim() -> Floats:
    """Grey with a white rim."""
    painted = np.full((S, S, 3), 0.57, np.float32)
    painted[16:48, 16:20] = (1.0, 0.9, 0.8)
    return painted


def test_no_rim_is_lighter_than_the_wall() -> None:
    """White beside a wall of .6 becomes about as light, with its hue; what was a little darker stays to the bit."""
    out = in_range(rim(), crop(0.6))
    edge = out[16:48, 16:20]
    assert (edge[..., 0] < 0.6 + MARGIN + 0.05).all()  # the bound rises inwards, where nothing is in reach
    assert np.allclose(edge / edge[..., :1], [1, 0.9, 0.8], atol=1e-3)
    assert (out[:, 20:] == rim()[:, 20:]).all()


def test_a_white_collar_further_down_makes_no_rim_lighter() -> None:
    """Ten px away from it a rim is held to the wall; close to it it may be white."""
    view = crop(0.6)
    view.context_rgb[48:52] = 1.0
    out = in_range(rim(), view)
    assert (out[34:38, 16, 0] < 0.6 + MARGIN + 0.03).all()
    assert out[47, 17, 0] > 0.9


def test_what_the_guide_has_may_be_painted() -> None:
    """A light face before a dark wall may have a light rim."""
    assert in_range(rim(), crop(0.1, 0.9))[32, 19, 0] > 0.5


def test_a_light_cheek_makes_no_wall_lighter() -> None:
    """Grey beside a grey wall is held to the wall, the cheek's own hue in the same place is not."""
    view = crop(0.5, 0.9)
    view.guide_coverage[18:46, 18:46] = 1
    view.guide_rgb[18:46, 18:46] = (0.9, 0.9, 0.54)
    for colour, most, least in (((0.85, 0.85, 0.85), 0.56, 0.4), ((0.85, 0.85, 0.51), 0.9, 0.8)):
        painted = np.full((S, S, 3), 0.5, np.float32)
        painted[16:48, 16:20] = colour
        assert least < in_range(painted, view)[26:38, 16, 0].max() < most


def test_with_nothing_in_sight_all_stays() -> None:
    """A crop that is all hole says nothing about light."""
    all_hole = crop(0.6)
    blind = FaceCrop(
        np.zeros_like(all_hole.context_rgb),
        np.ones((S, S), np.float32),
        all_hole.guide_rgb,
        all_hole.guide_coverage,
        all_hole.geometry,
        all_hole.crop_from_frame,
    )
    assert (in_range(rim(), blind) == rim()).all()


def test_there_is_no_dark_collar_between_a_chin_and_a_neck() -> None:
    """A black stripe between a guide of .7 and surroundings of .6 is lifted to a shade of them, in the skin's hue."""
    view = crop(0.6, 0.7)
    view.guide_rgb[..., 2] *= 0.5
    painted = rim()
    painted[40:48, 24:40] = 0.05
    stripe = in_range(painted, view)[40:48, 24:40]
    assert 0.9 * SHADE * 0.6 < stripe[..., 0].min() <= stripe[..., 0].max() < 0.6
    assert (stripe[..., 2] < 0.65 * stripe[..., 0]).all()


def test_beside_dark_hair_what_is_painted_may_be_dark() -> None:
    """A side of the surroundings is black, and so may be what is next to it."""
    view = crop(0.6, 0.7)
    view.context_rgb[:, :16] = 0.02
    painted = rim()
    painted[24:40, 16:20] = 0.05
    assert in_range(painted, view)[24:40, 16:20].max() < 0.12
