"""How well similarities tell people apart: rank-1, area under the ROC curve, true accepts at 1 % false ones.

Intervals are bootstrapped over PEOPLE, not over pairs, which are not independent; all rows of a table are drawn with
the same people, so that the difference of two rows has an interval too, a much narrower one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
DRAWS = 1000
FAR = 0.01
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """similarity (P, G): probes by gallery. probe_person (P,), gallery_person (G,): numbers of people, one gallery
    photo a person for each probe. comparable (P, G): of one set and of the probe's gallery."""

    similarity: Array
    probe_person: npt.NDArray[np.int64]
    gallery_person: npt.NDArray[np.int64]
    comparable: npt.NDArray[np.bool_]

    @property
    def genuine(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self.probe_person[:, None] == self.gallery_person[None]) & self.comparable)

    @property
    def impostor(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self.probe_person[:, None] != self.gallery_person[None]) & self.comparable)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """rank1, auc, tar: the value first, then one of each bootstrap draw, (1 + DRAWS,)."""

    rank1: Array
    auc: Array
    tar: Array


def people_draws(people: int, draws: int = DRAWS, seed: int = 0) -> Array:
    """(1 + draws, people): how often each person is in a draw; row 0 is everybody once."""
    random = np.random.default_rng(seed)
    rows = [np.bincount(random.integers(0, people, people), minlength=people) for _ in range(draws)]
    return np.stack([np.ones(people), *rows]).astype(np.float64)


def measure(scores: Scores, draws: Array) -> Drawn:
    """Every figure of one row of the table in every draw."""
    probe, gallery = np.nonzero(scores.comparable)
    value = scores.similarity[probe, gallery]
    order = np.argsort(value, kind="stable")
    probe, gallery, value = probe[order], gallery[order], value[order]
    own = scores.probe_person[probe] == scores.gallery_person[gallery]
    last_of_tie = np.append(value[1:] != value[:-1], True)
    hits = _hits(scores)
    rank1, auc, tar = [], [], []
    for counts in draws:
        weight = counts[scores.probe_person[probe]] * np.where(own, 1.0, counts[scores.gallery_person[gallery]])
        rank1.append(float(np.average(hits, weights=counts[scores.probe_person] + 1e-12)))
        a, t = _curve(weight, own, last_of_tie)
        auc.append(a)
        tar.append(t)
    return Drawn(np.array(rank1), np.array(auc), np.array(tar))


def figure(drawn: Array) -> Figure:
    low, high = np.percentile(drawn[1:], INTERVAL)
    return Figure(float(drawn[0]), float(low), float(high))


def chance_rank1(scores: Scores) -> float:
    """What guessing gives: 1 / the people looked among, averaged over probes."""
    return float((1 / np.maximum(scores.comparable.sum(1), 1)).mean())


def _hits(scores: Scores) -> Array:
    """(P,): 1 where the own photo is the nearest; shared out where several are equally near."""
    similarity = np.where(scores.comparable, scores.similarity, -np.inf)
    best = similarity >= similarity.max(1, keepdims=True)
    return np.asarray((best & scores.genuine).sum(1) / best.sum(1), np.float64)


def _curve(weight: Array, own: npt.NDArray[np.bool_], last_of_tie: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Area under the curve, ties shared, and the share of own pairs above the similarity that FAR of strangers reach.

    All arrays are in rising order of similarity.
    """
    below_own = np.append(0, np.cumsum(np.where(own, weight, 0))[last_of_tie])
    below_other = np.append(0, np.cumsum(np.where(own, 0, weight))[last_of_tie])
    all_own, all_other = below_own[-1], below_other[-1]
    if all_own <= 0 or all_other <= 0:
        return float("nan"), float("nan")
    area = (np.diff(below_own) * (below_other[1:] + below_other[:-1]) / 2).sum() / (all_own * all_other)
    false_accepts = 1 - below_other / all_other  # at a threshold just above each distinct value
    at = int(np.argmax(false_accepts <= FAR))
    return float(area), float(1 - below_own[at] / all_own)
