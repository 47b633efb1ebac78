"""Figures of recognition on similarities whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.audit.metrics import Scores, chance_rank1, figure, measure, people_draws


def scores(similarity: np.ndarray) -> Scores:
    """Everybody once as probe and once in the gallery, all comparable."""
    people = np.arange(len(similarity))
    return Scores(similarity.astype(np.float64), people, people, np.ones(similarity.shape, bool))


def test_perfect_recognition_is_one_everywhere() -> None:
    """Own photos above all strangers: rank-1, AUC and TAR are 1, in every draw that has two people."""
    drawn = measure(scores(np.eye(20)), people_draws(20, 50))
    assert (drawn.rank1 == 1).all()
    assert np.allclose(drawn.auc, 1)
    assert np.allclose(drawn.tar, 1)


def test_a_black_picture_gives_chance() -> None:
    """When all similarities are equal, guessing is shared out: rank-1 is 1 in 20, AUC one half, TAR nothing."""
    drawn = measure(scores(np.zeros((20, 20))), people_draws(20, 10))
    assert drawn.rank1[0] == pytest.approx(1 / 20)
    assert drawn.auc[0] == pytest.approx(0.5)
    assert drawn.tar[0] == 0


def test_auc_agrees_with_counting_pairs() -> None:
    """The area equals the share of (own, stranger) pairs in the right order, ties half."""
    random = np.random.default_rng(3)
    similarity = np.round(random.normal(size=(12, 12)) + np.eye(12), 1)
    drawn = measure(scores(similarity), people_draws(12, 1))
    own, others = np.diag(similarity), similarity[~np.eye(12, dtype=bool)]
    right = (own[:, None] > others[None]).mean() + 0.5 * (own[:, None] == others[None]).mean()
    assert drawn.auc[0] == pytest.approx(right)


def test_strangers_of_another_set_do_not_count() -> None:
    """A stranger who is more alike, but of another set, changes nothing."""
    similarity = np.array([[0.5, 0.1, 0.9], [0.2, 0.6, 0.9], [0.9, 0.9, 0.5]])
    groups = np.array([0, 0, 1])
    people = np.arange(3)
    found = Scores(similarity, people, people, groups[:, None] == groups[None])
    drawn = measure(found, people_draws(3, 1))
    assert drawn.auc[0] == 1
    assert chance_rank1(found) == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_the_interval_holds_the_value_and_narrows_with_people() -> None:
    """More people, a narrower interval."""
    random = np.random.default_rng(5)
    widths = []
    for people in (20, 200):
        drawn = measure(scores(random.normal(size=(people, people)) + np.eye(people)), people_draws(people, 200))
        auc = figure(drawn.auc)
        assert auc.low < auc.value < auc.high
        widths.append(auc.high - auc.low)
    assert widths[1] < widths[0] / 2
