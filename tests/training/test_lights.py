"""Other light for training: on people, on walls where they are lit, and never in what guides are made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from tests.training.test_backgrounds import made_batch
from training.lights import ODDS, draw_lights, with_lights


def test_light_falls_on_people_and_on_walls_that_are_lit(tmp_path: Path) -> None:
    """Left half a person, right half a wall: the person gets the light, the wall of the second row alone."""
    batch = made_batch(tmp_path, 2)
    person = torch.zeros_like(batch.person)
    person[..., :16] = 1
    grey = torch.full_like(batch.photo, 0.4)
    batch = replace(batch, photo=grey, guide_photo=grey, person=person)
    walls = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    shown = with_lights(batch, torch.full((2, 3, 3, 3), 0.5), walls)
    lit = grey * torch.exp(torch.tensor(0.5))
    torch.testing.assert_close(shown.photo[..., :16], lit[..., :16])
    torch.testing.assert_close(shown.photo[0, ..., 16:], grey[0, ..., 16:])
    torch.testing.assert_close(shown.photo[1, ..., 16:], lit[1, ..., 16:])
    assert torch.equal(shown.guide_photo, grey)


def test_light_comes_from_a_side(tmp_path: Path) -> None:
    """Gains of one side brighten that side; rows without gains stay."""
    batch = made_batch(tmp_path, 2)
    batch = replace(batch, photo=torch.full_like(batch.photo, 0.3), person=torch.ones_like(batch.person))
    gains = torch.zeros(2, 3, 3, 3)
    gains[0, :, :, 0] = 0.6
    shown = with_lights(batch, gains, torch.zeros(2, 1, 1, 1)).photo
    assert float(shown[0, ..., :4].mean()) > 1.5 * float(shown[0, ..., -4:].mean())
    torch.testing.assert_close(shown[1], batch.photo[1])


def test_about_half_get_another_light() -> None:
    """Gains are 0 for the rest."""
    torch.manual_seed(1)
    gains, _ = draw_lights(400)
    assert abs(float((gains != 0).flatten(1).any(1).float().mean()) - ODDS) < 0.1
