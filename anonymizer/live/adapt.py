"""When the budget is missed, the network is made cheaper before frames are dropped; and the other way round, slowly.

A decision every few seconds, from two figures: the share of camera frames that were dropped, and how much of a
frame's time rendering takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

WINDOW_S = 3.0  # of one decision
MOST_DROPPED = 0.05  # share of the frames due in a window; more and the next cheaper step is taken
CALM = 0.6  # of a frame's time; below it for CALM_S a step back up is tried
CALM_S = 20.0
LONGEST_CALM_S = 640.0  # a step up that had to be taken back is tried ever more rarely


@dataclass(slots=True)
class Ladder:
    """steps: from the best to the cheapest, each a name and what puts it in force. say: told of every change."""

    steps: Sequence[tuple[str, Callable[[], None]]]
    period_ms: float
    say: Callable[[str], None]
    at: int = 0
    _since_s: float | None = None
    _dropped: int = 0
    _spent_ms: list[float] = field(default_factory=list)
    _calm_since_s: float | None = None
    _calm_s: float = CALM_S
    _climbed_at_s: float = float("-inf")

    def rendered(self, now_s: float, spent_ms: float, dropped: int) -> None:
        """A frame was rendered in `spent_ms`; `dropped`: frames dropped since the start of the run."""
        if self._since_s is None:
            self._restart(now_s + WINDOW_S, dropped)  # a start is never smooth
        if self._since_s is not None and now_s < self._since_s:
            self._dropped = dropped
            return
        self._spent_ms.append(spent_ms)
        if self._since_s is not None and now_s - self._since_s >= WINDOW_S:
            self._decide(now_s, dropped)

    def _decide(self, now_s: float, dropped: int) -> None:
        lost = dropped - self._dropped
        share = lost / max(1, lost + len(self._spent_ms))
        load = sum(self._spent_ms) / len(self._spent_ms) / self.period_ms
        if share > MOST_DROPPED and self.at + 1 < len(self.steps):
            if now_s - self._climbed_at_s < 2 * CALM_S:
                self._calm_s = min(LONGEST_CALM_S, 2 * self._calm_s)
            self._go(self.at + 1, f"{share:.0%} of the frames came too late")
            self._calm_since_s = None
        elif share > MOST_DROPPED or load > CALM:
            self._calm_since_s = None
        elif self._calm_since_s is None:
            self._calm_since_s = now_s
        elif self.at > 0 and now_s - self._calm_since_s >= self._calm_s:
            self._go(self.at - 1, f"rendering takes {load:.0%} of a frame's time")
            self._calm_since_s, self._climbed_at_s = None, now_s
        self._restart(now_s, dropped)

    def _restart(self, now_s: float, dropped: int) -> None:
        self._since_s, self._dropped = now_s, dropped
        self._spent_ms.clear()

    def _go(self, to: int, why: str) -> None:
        self.at = to
        name, put_in_force = self.steps[to]
        put_in_force()
        self.say(f"network: {name}, because {why}")
