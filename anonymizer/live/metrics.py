"""Figures of a run, always at hand: milliseconds of each stage, ages, counts of everything sent, dropped and failed."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from anonymizer.frames import Verdict
from anonymizer.live.clock import Clock
from anonymizer.live.histogram import Histogram, Spread
from anonymizer.live.states import LiveState

STAGES = ("capture", "perceive", "render", "send")
RECENT = 30  # frames that the latency of now is the median of
WORKING = ("perceive", "render", "send")  # stages that must never be busy with one frame for long


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """A run so far. captured: frames the camera gave. distinct: of those sent, each once, blanks not among them.
    repeats: sent again because nothing newer was there. blanks: sent blank. dropped: by the slot they were dropped in.
    failures: by stage. states: how often entered. latency: captured to sent. first_replaced_s: since the start.
    """

    seconds: float
    captured: int
    sent: int
    distinct: int
    repeats: int
    blanks: int
    dropped: Mapping[str, int]
    verdicts: Mapping[Verdict, int]
    failures: Mapping[str, int]
    states: Mapping[LiveState, int]
    stages: Mapping[str, Spread]
    latency: Spread
    latency_now_ms: float
    first_replaced_s: float | None

    @property
    def distinct_per_s(self) -> float:
        """Distinct source frames a second."""
        return self.distinct / self.seconds if self.seconds > 0 else 0.0

    @property
    def replaced_share(self) -> float:
        """Share of the distinct frames in which every face had a persona."""
        return self.verdicts[Verdict.REPLACED] / self.distinct if self.distinct else 0.0


class Metrics:
    """What the threads tell; any thread may ask for `figures`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stages = {name: Histogram() for name in STAGES}
        self._latency = Histogram()
        self._latest_ms: deque[float] = deque(maxlen=RECENT)
        self._busy_since: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._verdicts: Counter[Verdict] = Counter()
        self._states: Counter[LiveState] = Counter()
        self._first_replaced_s: float | None = None
        self.started_s = clock.now_s()

    @contextmanager
    def busy(self, stage: str) -> Iterator[None]:
        """Times one frame's time in a stage, and lets `stalled` see that it is there."""
        started_s = self._clock.now_s()
        self._busy_since[stage] = started_s
        try:
            yield
        finally:
            self._busy_since.pop(stage, None)
            self._stages[stage].add((self._clock.now_s() - started_s) * 1e3)

    def captured(self, busy_ms: float) -> None:
        """The camera gave a frame, which took `busy_ms` of its thread's processor time."""
        with self._lock:
            self._counts["captured"] += 1
        self._stages["capture"].add(busy_ms)

    def failed(self, stage: str) -> None:
        with self._lock:
            self._failures[stage] += 1

    def entered(self, state: LiveState) -> None:
        with self._lock:
            self._states[state] += 1

    def sent(self, verdict: Verdict, new: bool, captured_at_s: float) -> None:
        """A frame has left. new: a source frame that had not been sent before."""
        now_s = self._clock.now_s()
        with self._lock:
            self._counts["sent"] += 1
            if verdict is Verdict.BLANKED:
                self._counts["blanks"] += 1
                return
            if not new:
                self._counts["repeats"] += 1
                return
            self._counts["distinct"] += 1
            self._verdicts[verdict] += 1
            if verdict is Verdict.REPLACED and self._first_replaced_s is None:
                self._first_replaced_s = now_s - self.started_s
        self._latency.add((now_s - captured_at_s) * 1e3)
        self._latest_ms.append((now_s - captured_at_s) * 1e3)

    def busiest(self) -> tuple[str, float]:
        """The stage that has been busy with one frame for longest, and for how many seconds; ("", 0) when none is."""
        now_s = self._clock.now_s()
        since = dict(self._busy_since)
        if not since:
            return "", 0.0
        stage = min(since, key=lambda name: since[name])
        return stage, now_s - since[stage]

    def figures(self, dropped: Mapping[str, int]) -> LiveFigures:
        with self._lock:
            counts, failures = self._counts.copy(), dict(self._failures)
            verdicts: dict[Verdict, int] = {}
            for verdict in (Verdict.REPLACED, Verdict.NO_FACE, Verdict.OBSCURED):
                verdicts[verdict] = self._verdicts[verdict]
            states, first_s = dict(self._states), self._first_replaced_s
        return LiveFigures(
            seconds=self._clock.now_s() - self.started_s,
            captured=counts["captured"],
            sent=counts["sent"],
            distinct=counts["distinct"],
            repeats=counts["repeats"],
            blanks=counts["blanks"],
            dropped=dict(dropped),
            verdicts=verdicts,
            failures=failures,
            states=states,
            stages={name: each.summary() for name, each in self._stages.items()},
            latency=self._latency.summary(),
            latency_now_ms=median(latest) if (latest := list(self._latest_ms)) else 0.0,
            first_replaced_s=first_s,
        )
