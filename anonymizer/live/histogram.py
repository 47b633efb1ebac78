"""Percentiles of many durations in constant memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

STEP_MS = 0.25
LONGEST_MS = 4000.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `count` durations, in milliseconds."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Histogram:
    """Counts of durations in steps of a quarter millisecond; longer ones than 4 s count as 4 s. Thread-safe."""

    def __init__(self) -> None:
        self._counts = np.zeros(round(LONGEST_MS / STEP_MS) + 1, np.int64)
        self._lock = threading.Lock()
        self._total_ms = 0.0
        self._longest_ms = 0.0

    def add(self, ms: float) -> None:
        at = min(len(self._counts) - 1, max(0, int(ms / STEP_MS)))
        with self._lock:
            self._counts[at] += 1
            self._total_ms += ms
            self._longest_ms = max(self._longest_ms, ms)

    def summary(self) -> Spread:
        """Middles of the steps in which the percentiles lie; zeros when nothing was added."""
        with self._lock:
            counts, total_ms, longest_ms = self._counts.copy(), self._total_ms, self._longest_ms
        count = int(counts.sum())
        if count == 0:
            return Spread(0, 0.0, 0.0, 0.0, 0.0, 0.0)
        below = np.cumsum(counts)
        p50, p95, p99 = (float((np.searchsorted(below, share * count) + 0.5) * STEP_MS) for share in (0.5, 0.95, 0.99))
        return Spread(count, total_ms / count, p50, p95, p99, longest_ms)
