"""Guides with another outline: they end elsewhere, and go on smoothly where the face does not."""

from __future__ import annotations

import torch

from training.fray import ODDS, fray


def test_the_outline_moves_and_the_inside_stays() -> None:
    """Most outlines change; deep inside colours are the same; beyond the face skin goes on; nothing outside."""
    torch.manual_seed(1)
    count, size = 64, 32
    coverage = torch.zeros(count, 1, size, size)
    coverage[..., 8:24, 8:24] = 1
    guide = torch.rand(count, 3, size, size) * 0.1 + 0.6
    normals = torch.zeros(count, 3, size, size)
    normals[:, 2] = -1
    shown, other, turned = fray(guide * coverage, coverage, normals * coverage)
    moved = (other - coverage).abs().amax((1, 2, 3)) > 0.1
    assert abs(float(moved.float().mean()) - ODDS) < 0.15
    torch.testing.assert_close(shown[..., 13:19, 13:19], guide[..., 13:19, 13:19])
    assert float((shown * (other == 0)).abs().max()) == 0
    beyond = ((other > 0.9) & (coverage == 0)).expand_as(shown)
    assert int(beyond.sum()) > 100
    assert 0.55 < float(shown[beyond].min()) <= float(shown[beyond].max()) < 0.75
    torch.testing.assert_close(turned, normals * other)
