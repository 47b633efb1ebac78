"""Cheap cameras for training: some photos stay, others lose; a softened guide keeps its colour up to its rim."""

from __future__ import annotations

import torch

from training.cameras import draw_camera, soften, soften_inside


def test_some_photos_stay_as_they_are() -> None:
    """About a third, untouched in every way."""
    torch.manual_seed(1)
    camera = draw_camera(200)
    rich = (camera.softness == 0).flatten()
    assert 0.2 < rich.float().mean() < 0.5
    assert (camera.gain[rich] == 1).all()
    assert (camera.contrast[rich] == 1).all()


def test_softness_takes_detail_step_by_step() -> None:
    """None at 0, most at 1."""
    torch.manual_seed(1)
    picture = torch.rand(1, 3, 32, 32)
    spread = [soften(picture, torch.full((1, 1, 1, 1), s)).std().item() for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert spread[0] == picture.std().item()
    assert spread == sorted(spread, reverse=True)


def test_a_guide_keeps_its_colour_up_to_its_rim() -> None:
    """Nothing dark comes in from outside."""
    coverage = torch.zeros(1, 1, 32, 32)
    coverage[..., 8:24, 8:24] = 1
    soft = soften_inside(torch.full((1, 3, 32, 32), 0.6) * coverage, coverage, torch.ones(1, 1, 1, 1))
    assert torch.allclose(soft, 0.6 * coverage.expand_as(soft), atol=1e-5)
