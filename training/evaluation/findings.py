"""Figures with their intervals and what is wanted of them, and the bootstrap that gives the intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

DRAWS = 1000
INTERVAL = (2.5, 97.5)  # percentiles
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finding:
    """value with its 95 % interval (None where too little was measured for one); count: of `of` it is made.

    at_most, at_least: what is wanted, None = nothing. judged: which of the three has to keep within.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    count: int
    of: str
    at_most: float | None = None
    at_least: float | None = None
    judged: Literal["value", "low", "high"] = "value"

    @property
    def met(self) -> bool | None:
        """Whether it is as wanted; None when nothing is wanted or nothing could be measured."""
        judged = {"value": self.value, "low": self.low, "high": self.high}[self.judged]
        if judged is None or not np.isfinite(judged) or (self.at_most is None and self.at_least is None):
            return None
        return (self.at_most is None or judged <= self.at_most) and (self.at_least is None or judged >= self.at_least)

    def table(self) -> dict[str, Any]:
        """As JSON has it: a figure that is not finite is none."""
        shown = {key: getattr(self, key) for key in ("value", "low", "high")}
        finite = {key: v if v is not None and np.isfinite(v) else None for key, v in shown.items()}
        return asdict(self) | finite | {"met": self.met}


def finding(name: str, drawn: Array, count: int, of: str, **wanted: Any) -> Finding:
    """drawn: the value, then that of each bootstrap draw; figures that are not finite are left out."""
    value = float(drawn[0]) if len(drawn) and np.isfinite(drawn[0]) else None
    some = drawn[1:][np.isfinite(drawn[1:])]
    if value is None or count < 2 or len(some) < DRAWS // 10:
        return Finding(name, value, None, None, count, of, **wanted)
    low, high = np.percentile(some, INTERVAL)
    return Finding(name, value, float(low), float(high), count, of, **wanted)


def bootstrapped(
    count: int, statistic: Callable[[npt.NDArray[np.intp]], float], groups: Sequence[Any] | None = None, seed: int = 0
) -> Array:
    """`statistic` of all row numbers, then of each draw; rows of one group (a person, a clip) are drawn together."""
    if not count:
        return np.array([])
    members = _members(count, groups)
    random = np.random.default_rng(seed)
    drawn = (random.integers(0, len(members), len(members)) for _ in range(DRAWS))
    draws = [np.arange(count), *(np.concatenate([members[i] for i in some]) for some in drawn)]
    return np.array([statistic(rows) for rows in draws])


def mean_finding(
    name: str, values: Sequence[float], of: str, groups: Sequence[Any] | None = None, **wanted: Any
) -> Finding:
    """The mean of what is finite among values."""
    there = np.isfinite(np.asarray(values, float))
    kept = np.asarray(values, float)[there]
    own = None if groups is None else [group for group, is_there in zip(groups, there, strict=True) if is_there]
    return finding(name, bootstrapped(len(kept), lambda rows: float(kept[rows].mean()), own), len(kept), of, **wanted)


def _members(count: int, groups: Sequence[Any] | None) -> list[npt.NDArray[np.intp]]:
    if groups is None:
        return [np.array([row]) for row in range(count)]
    rows: dict[Any, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    return [np.array(members) for members in rows.values()]
