"""Percentiles in constant memory agree with those of all values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.live.histogram import LONGEST_MS, STEP_MS, Histogram


@given(st.lists(st.floats(0, 3000), min_size=1, max_size=200))
def test_percentiles_are_within_a_step_of_the_true_ones(durations: list[float]) -> None:
    """Whatever comes in, up to the longest."""
    histogram = Histogram()
    for ms in durations:
        histogram.add(ms)
    spread = histogram.summary()
    ordered = np.sort(durations)
    for share, got in ((0.5, spread.p50_ms), (0.95, spread.p95_ms), (0.99, spread.p99_ms)):
        true = float(ordered[max(0, int(np.ceil(share * len(ordered))) - 1)])
        assert abs(got - true) <= STEP_MS
    assert spread.count == len(durations)
    assert spread.max_ms == max(durations)


def test_nothing_and_too_much() -> None:
    """No durations give zeros; one beyond the end counts as the end."""
    histogram = Histogram()
    assert histogram.summary().count == 0
    histogram.add(10 * LONGEST_MS)
    assert histogram.summary().p50_ms <= LONGEST_MS + STEP_MS
    assert histogram.summary().max_ms == 10 * LONGEST_MS
