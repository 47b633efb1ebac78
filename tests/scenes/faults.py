"""Breaks a stage on purpose: it misses, throws, stalls or lies at the calls that a plan names.

    finder = Faulty(finder, find_tracked=at({3: Answer(()), 4: Throw(RuntimeError("planned"))}))
    source = Faulty(source, read=from_call(100, Throw(CameraError("unplugged"))))
    network = Faulty(generator, generate=every(7, Stall(0.5)))

Calls are counted from 0, for each method apart; everything not named goes through as it is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Fault(Protocol):
    """What happens instead of a call, or with it."""

    def act(self, call: Callable[[], Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The call is made, and its answer thrown away for another: a missed face is Answer(())."""

    value: Any

    def act(self, call: Callable[[], Any]) -> Any:
        call()
        return self.value


@dataclass(frozen=True, slots=True)
class Throw:
    """The call fails."""

    error: BaseException

    def act(self, call: Callable[[], Any]) -> Any:
        raise self.error


@dataclass(frozen=True, slots=True)
class Stall:
    """The call takes `seconds` longer. sleep: for tests with a clock of their own."""

    seconds: float
    sleep: Callable[[float], None] = time.sleep

    def act(self, call: Callable[[], Any]) -> Any:
        self.sleep(self.seconds)
        return call()


@dataclass(frozen=True, slots=True)
class Change:
    """The call's answer is changed by a function: a box moved, a score lowered, half the faces gone."""

    how: Callable[[Any], Any]

    def act(self, call: Callable[[], Any]) -> Any:
        return self.how(call())


Plan = Callable[[int], Fault | None]
"""number of the call, from 0 -> the fault it meets."""


def at(faults: Mapping[int, Fault]) -> Plan:
    """At these calls."""
    return faults.get


def within(start: int, end: int, fault: Fault) -> Plan:
    """At calls start to end − 1."""
    return lambda number: fault if start <= number < end else None


def from_call(start: int, fault: Fault) -> Plan:
    """From one call on."""
    return lambda number: fault if number >= start else None


def every(step: int, fault: Fault) -> Plan:
    """At every step-th call, the first left out."""
    return lambda number: fault if number and number % step == 0 else None


class Faulty:
    """Passes everything on to `target` but for the methods named, which meet their faults. `calls` counts them."""

    def __init__(self, target: Any, **plans: Plan) -> None:
        missing = [name for name in plans if not callable(getattr(target, name, None))]
        if missing:
            raise ValueError(f"{type(target).__name__} has no method {missing}")
        self._target, self._plans = target, plans
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        plan = self._plans.get(name)
        if plan is None:
            return value

        def call(*args: Any, **named: Any) -> Any:
            number = self.calls[name]
            self.calls[name] += 1
            fault = plan(number)
            return value(*args, **named) if fault is None else fault.act(lambda: value(*args, **named))

        return call

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, *_: object) -> None:
        self._target.close()
