"""A few faults through the whole live path with the real networks; all of them: `python -m tests.live.fault_bench`."""

from __future__ import annotations

import pytest

from tests.live.fault_bench import Bench
from tests.live.injections import INJECTIONS

NAMES = ("landmarks not finite", "network raises")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_shows_nobody_and_is_told(name: str) -> None:
    """No frame that leaves shows the face beneath; the log says what happened; nothing is left behind."""
    injection = next(each for each in INJECTIONS if each.name == name)
    outcome = Bench().run(injection, "talking", seed=1)
    assert outcome.judge.leaks == []
    assert outcome.judge.judged > 20
    assert outcome.told
    assert outcome.error is None
    assert outcome.left == []
    calm = outcome.judge.calm
    assert calm.replaced >= 0.98 * calm.plain
