"""Other skin for training: skin follows, walls and cloth do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from tests.training.test_backgrounds import made_batch
from training.skins import ODDS, draw_skins, with_skins


def test_skin_of_people_follows_and_nothing_else(tmp_path: Path) -> None:
    """A person's skin colour gets darker by the gain; the same colour on a wall, and blue cloth, stay."""
    batch = made_batch(tmp_path, 2)
    photo = torch.zeros_like(batch.photo)
    photo[:] = torch.tensor([0.75, 0.55, 0.45])[None, :, None, None]
    photo[..., 24:, :] = torch.tensor([0.1, 0.2, 0.7])[None, :, None, None]
    person = torch.zeros_like(batch.person)
    person[..., :16] = 1
    own = replace(batch.own, skin=torch.zeros_like(batch.own.skin))
    batch = replace(batch, photo=photo, person=person, own=own)
    shown = with_skins(batch, torch.full((2, 3, 1, 1), -0.5)).photo
    skin = shown[..., 4:20, 2:12].log() - photo[..., 4:20, 2:12].log()
    assert -0.5 <= float(skin.min()) <= float(skin.max()) < -0.35
    torch.testing.assert_close(shown[..., 20:], photo[..., 20:])
    torch.testing.assert_close(shown[..., 27:, :], photo[..., 27:, :])


def test_about_half_get_another_skin() -> None:
    """Gains are 0 for the rest, and dark skin is redder."""
    torch.manual_seed(1)
    gains = draw_skins(400)
    assert abs(float((gains != 0).all(1).float().mean()) - ODDS) < 0.1
    darker = gains[gains.mean((1, 2, 3)) < 0]
    assert bool((darker[:, 0] > darker[:, 2]).all())
