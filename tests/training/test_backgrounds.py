"""Other walls for training: they change what is surely wall, and nothing of a person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from tests.training.synthetic_shard import write_shard
from training.augment import Batch, cut_batch, draw_jitter
from training.backgrounds import before_walls, draw_walls
from training.data import load_shard


def made_batch(tmp_path: Path, count: int = 8) -> Batch:
    """Of the synthetic shard, 32 px."""
    shard = load_shard(write_shard(tmp_path / "shard.npz"), 32)
    rows = shard.train[:count]
    personas, kinds = torch.zeros(len(rows)).long(), torch.zeros(len(rows)).long()
    return cut_batch(shard, rows, personas, kinds, draw_jitter(len(rows), still=True), 32)


def test_a_shard_without_masks_of_people_keeps_its_walls(tmp_path: Path) -> None:
    """Everything counts as a person then."""
    torch.manual_seed(1)
    batch = made_batch(tmp_path)
    assert torch.equal(before_walls(batch, draw_walls(len(batch.photo))).photo, batch.photo)


def test_walls_change_and_people_do_not(tmp_path: Path) -> None:
    """Left half a person, right half a wall: about as many walls change as are meant to, and guide and photo alike."""
    torch.manual_seed(1)
    batch = made_batch(tmp_path)
    person = torch.zeros_like(batch.person)
    person[..., :16] = 1
    batch = replace(batch, person=person)
    changed = []
    for _ in range(20):
        shown = before_walls(batch, draw_walls(len(batch.photo)))
        assert torch.equal(shown.photo[..., :16], batch.photo[..., :16])
        assert torch.equal(shown.photo, shown.guide_photo)
        assert shown.photo.min() >= 0
        assert shown.photo.max() <= 1
        changed += ((shown.photo - batch.photo).abs().amax((1, 2, 3)) > 0.01).tolist()
    assert 0.4 < sum(changed) / len(changed) < 0.8


def test_many_walls_are_nearly_grey() -> None:
    """As rooms' walls are: of the plain ones half, and these are rather bright."""
    torch.manual_seed(1)
    colours = draw_walls(400).colours.mean((2, 3))
    spread = colours.amax(1) - colours.amin(1)
    assert 0.4 < float((spread < 0.25).float().mean()) < 0.75
    assert float(colours[spread < 0.15].mean()) > 0.6
