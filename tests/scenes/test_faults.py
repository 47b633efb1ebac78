"""Faults come when they are planned, and nothing else changes."""

from __future__ import annotations

import pytest

from tests.fakes import Source
from tests.scenes.faults import Answer, Change, Fault, Faulty, Plan, Stall, Throw, at, every, from_call, within


class Counting:
    """Answers with the number of its calls."""

    def __init__(self) -> None:
        self.count, self.closed = 0, False

    def find(self) -> int:
        self.count += 1
        return self.count

    def close(self) -> None:
        self.closed = True


def answers(plan: Plan, calls: int = 5) -> list[object]:
    """What `find` answers under a plan; the text of an error where it throws."""
    faulty, got = Faulty(Counting(), find=plan), []
    for _ in range(calls):
        try:
            got.append(faulty.find())
        except RuntimeError as error:
            got.append(str(error))
    return got


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [
        (at({1: Answer(0), 3: Throw(RuntimeError("planned"))}), [1, 0, 3, "planned", 4]),
        (within(1, 3, Answer(0)), [1, 0, 0, 4, 5]),
        (from_call(3, Throw(RuntimeError("gone"))), [1, 2, 3, "gone", "gone"]),
        (every(2, Change(lambda value: -value)), [1, 2, -3, 4, -5]),
    ],
)
def test_faults_come_when_planned(plan: Plan, wanted: list[object]) -> None:
    """At single calls, in bursts, from one on, or again and again."""
    assert answers(plan) == wanted


def test_a_stall_takes_its_time_and_then_answers() -> None:
    """The sleep is the test's own."""
    slept: list[float] = []
    stall: Fault = Stall(0.5, slept.append)
    assert answers(at({0: stall}), 2) == [1, 2]
    assert slept == [0.5]


def test_all_else_passes_through() -> None:
    """Other methods, attributes and the end of a `with` block reach the target."""
    target = Counting()
    with Faulty(target, find=at({})) as faulty:
        assert faulty.find() == 1
        assert faulty.count == 1
    assert target.closed
    source = Faulty(Source(3), read=from_call(2, Throw(OSError("unplugged"))))
    assert source.size_px == (8, 6)


def test_a_method_that_is_not_there_is_refused() -> None:
    """A misspelt name would inject nothing and let a test pass."""
    with pytest.raises(ValueError, match="fnid"):
        Faulty(Counting(), fnid=at({}))
