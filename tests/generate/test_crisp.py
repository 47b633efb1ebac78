"""What is painted in the hole is crisp and without specks, and nothing else changes."""

from __future__ import annotations

import numpy as np

from anonymizer.faces import FaceCrop
from anonymizer.generate.crisp import crisp

S = 64


def crop() -> FaceCrop:
    """A hole in the right half."""
    hole = np.zeros((S, S), np.float32)
    hole[:, 32:] = 1
    empty = np.zeros((S, S, 3), np.float32)
    return FaceCrop(empty, hole, empty, hole * 0, empty, np.eye(2, 3))


def test_edges_in_the_hole_become_steeper_and_stay_in_range() -> None:
    """A soft edge of a jaw before a wall becomes a sixth steeper; outside of the hole all stays to the bit."""
    across = 1 / (1 + np.exp(-(np.arange(S) - 48) / 1.2)) * 0.8 + 0.1
    painted = np.broadcast_to(across[None, :, None], (S, S, 3)).astype(np.float32)
    got = crisp(painted, crop())
    assert np.abs(np.diff(got[32, 40:56, 0])).max() > 1.1 * np.abs(np.diff(painted[32, 40:56, 0])).max()
    assert (got[:, :28] == painted[:, :28]).all()
    assert got.min() >= 0
    assert got.max() <= 1


def test_edges_have_no_halo() -> None:
    """Beside a step, and where a chin throws a narrow shadow, nothing is lighter or darker than what was painted."""
    painted = np.full((S, S, 3), 0.25, np.float32)
    painted[:, 48:] = 0.75
    painted[44:48, 34:60] = 0.15
    got = crisp(painted, crop())
    assert got.min() >= 0.15 - 1e-4
    assert got.max() <= 0.75 + 1e-4


def test_specks_go_and_edges_stay() -> None:
    """A dot of two px is gone; where dark hair ends is where it was."""
    painted = np.full((S, S, 3), 0.6, np.float32)
    painted[40:] = 0.2
    speck = painted.copy()
    speck[20:22, 50:52] = (0.9, 0.4, 0.1)
    got = crisp(speck, crop())
    assert np.abs(got[16:26, 46:56] - 0.6).max() < 0.01
    assert got[39, 50, 0] > 0.5
    assert got[40, 50, 0] < 0.3


def test_even_skin_stays_even() -> None:
    """Where nothing is there nothing is raised."""
    painted = np.full((S, S, 3), 0.6, np.float32)
    assert np.allclose(crisp(painted, crop()), painted, atol=1e-6)


def test_a_coloured_edge_gets_no_other_colour() -> None:
    """An orange ear before a grey wall: each px keeps the hue it was painted in, as long as no channel is full."""
    share = 1 / (1 + np.exp(-(np.arange(S) - 48) / 1.2))[None, :, None]
    ear, wall = np.array([0.5, 0.3, 0.15]), np.full(3, 0.6)
    painted = np.broadcast_to(ear + share * (wall - ear), (S, S, 3)).astype(np.float32)
    got = crisp(painted, crop())[:, 36:60]
    assert np.abs(got / got[..., :1] - (painted / painted[..., :1])[:, 36:60]).max() < 0.02
    assert np.abs(got - painted[:, 36:60]).max() > 0.03
