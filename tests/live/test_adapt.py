"""The ladder: down when frames are dropped, up only after a long calm, and ever more slowly when that was wrong."""

from __future__ import annotations

from anonymizer.live.adapt import CALM_S, WINDOW_S, Ladder

PERIOD_MS = 1000 / 30


class Climber:
    def __init__(self) -> None:
        self.taken: list[str] = []
        self.said: list[str] = []
        steps = [(name, lambda name=name: self.taken.append(name)) for name in ("large", "small", "smallest")]
        self.ladder = Ladder(steps, PERIOD_MS, self.said.append)
        self.now_s = 0.0
        self.dropped = 0

    def run(self, seconds: float, spent_ms: float, dropped_share: float, steps: int = 100) -> None:
        """Frames at 30 a second, of which a share is dropped, until `seconds` are over or so many steps were taken."""
        owed = 0.0
        end_s, end_steps = self.now_s + seconds, len(self.taken) + steps
        while self.now_s < end_s and len(self.taken) < end_steps:
            self.now_s += PERIOD_MS / 1000
            owed += dropped_share
            if owed >= 1:
                owed -= 1
                self.dropped += 1
            else:
                self.ladder.rendered(self.now_s, spent_ms, self.dropped)


def test_a_missed_budget_lowers_the_network_step_by_step() -> None:
    """One step a window, down to the last, each said."""
    climber = Climber()
    climber.run(5 * WINDOW_S, 45, 0.3)
    assert climber.taken == ["small", "smallest"]
    assert all("came too late" in words for words in climber.said)


def test_a_bad_start_and_a_met_budget_change_nothing() -> None:
    """The first seconds are never smooth; nor does a heavy load alone matter."""
    climber = Climber()
    climber.run(0.9 * WINDOW_S, 45, 0.5)
    climber.run(10 * WINDOW_S, 30, 0.0)
    assert climber.taken == []


def test_calm_leads_back_up_and_a_mistake_makes_it_wait_longer() -> None:
    """Up after CALM_S; when that was too much, the next try comes after twice the time."""
    climber = Climber()
    climber.run(3 * WINDOW_S, 45, 0.3, steps=1)
    assert climber.taken == ["small"]
    climber.run(CALM_S + 3 * WINDOW_S, 10, 0.0)
    assert climber.taken == ["small", "large"]
    climber.run(3 * WINDOW_S, 45, 0.3, steps=1)
    assert climber.taken[-1] == "small"
    before = len(climber.taken)
    climber.run(1.5 * CALM_S, 10, 0.0)
    assert len(climber.taken) == before
    climber.run(CALM_S, 10, 0.0)
    assert climber.taken[-1] == "large"
