"""The smooth fill keeps what is known and reaches everywhere."""

from __future__ import annotations

import torch

from models.fill import fills, push_pull
from models.generator import stack_conditioning


def test_what_is_known_stays_and_the_rest_lies_between() -> None:
    """Known cells keep their colours; unknown ones get a mixture of them, never something outside their range."""
    torch.manual_seed(0)
    colours = torch.rand(2, 3, 16, 16) * 0.5 + 0.25
    known = torch.ones(2, 1, 16, 16)
    known[:, :, 4:12, 4:12] = 0
    out = push_pull(colours * known, known)
    everywhere = known.expand_as(out) == 1
    torch.testing.assert_close(out[everywhere], colours[everywhere])
    assert 0.249 <= float(out.min()) <= float(out.max()) <= 0.751


def test_the_fill_begins_with_the_lit_guide() -> None:
    """Under full coverage the fill is gain · guide + bias; without any guide it is made of the context alone."""
    size = 32
    grey, hole = torch.full((1, 3, size, size), 0.5), torch.ones(1, 1, size, size)
    gain, bias = torch.full((1, 3, 4, 4), 1.2), torch.full((1, 3, 4, 4), 0.1)
    covered = stack_conditioning(grey, hole, grey * 0.8, hole, grey)
    half = torch.full((1, 3, size // 2, size // 2), 0.5)
    torch.testing.assert_close(fills(covered, gain, bias)[0], half * 0.8 * 1.2 + 0.1)
    hole = torch.zeros(1, 1, size, size)
    hole[:, :, 8:24, 8:24] = 1
    empty = stack_conditioning(grey, hole, torch.zeros_like(grey), torch.zeros_like(hole), grey)
    torch.testing.assert_close(fills(empty, gain, bias)[0], half)


def test_each_fill_knows_what_it_may() -> None:
    """Surroundings alone hold nothing of the guide, the guide alone nothing of the surroundings."""
    size = 32
    white, hole, covered = torch.ones(1, 3, size, size), torch.zeros(1, 1, size, size), torch.zeros(1, 1, size, size)
    hole[:, :, 4:28, 4:28] = 1
    covered[:, :, 10:22, 10:22] = 1
    dark = torch.full((1, 3, size, size), 0.2)
    conditioning = stack_conditioning(white, hole, dark, covered, torch.zeros_like(dark))
    both, around, guide = fills(conditioning, torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
    torch.testing.assert_close(around, white[..., ::2, ::2])
    torch.testing.assert_close(guide, dark[..., ::2, ::2])
    assert 0.25 < float(both[..., 8, 3].mean()) < 0.95
