"""Runs scenes with a known truth through a real live session, with one fault at a time, and looks for leaks.

    python -m tests.live.fault_bench --frames 10000      # every fault on every scene, again and again; then a table

The camera is the scene, in lockstep with the output, so that no frame is dropped unless a fault makes it so and every
frame that leaves is judged. The networks, the planner, the renderer, the threads and the sender are the real ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import cycle, islice

import click
import numpy as np

from anonymizer import quiet
from anonymizer.app import build_anonymizer
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.live.session import LiveParts, LiveSession
from anonymizer.live.shared import LiveOptions
from anonymizer.live.states import LiveEvent
from anonymizer.live_app import build_planner
from anonymizer.settings import load_settings
from tests.live.injections import FIRST, INJECTIONS, LAST, Injection, Moment, Spoil, Stages
from tests.scenes.leaks import Leak, LeakReport
from tests.scenes.scene import MadeFrame, film
from tests.scenes.stories import story

RECOVERY = 30  # steps after a fault in which a cover may still stand where a face was lost
PATIENCE_S = 1.5  # the camera gives its next frame after so long, though the one before has not left
MAX_AGE_S = 2.0  # a busy machine must not turn every frame blank; 0.3, as it ships, is tested in test_session.py
SCENES = ("talking", "turning", "dressed", "compressed")


@lru_cache(maxsize=8)
def reel(name: str, seed: int) -> tuple[MadeFrame, ...]:
    """A scene's frames, made once."""
    return tuple(film(story(name, seed)))


class Projector:
    """A FrameSource that shows a reel in lockstep with what is sent. truth: made frames by the number capture gives.

    A frame may be part of the made one and part of the one before, so both are its truth.
    """

    fps_hz = 30.0

    def __init__(self, made: Sequence[MadeFrame], moment: Moment, spoil: Spoil | None = None) -> None:
        self._made, self._moment, self._spoil = made, moment, spoil
        self.size_px = (made[0].frame.rgb.shape[1], made[0].frame.rgb.shape[0])
        self.truth: dict[int, tuple[int, MadeFrame, MadeFrame]] = {}
        self._step = 0
        self.sent = threading.Event()

    def read(self) -> Frame | None:
        if self._step:
            self.sent.wait(PATIENCE_S)
        self.sent.clear()
        if self._step == len(self._made):
            return None
        step, self._step = self._step, self._step + 1
        self._moment.step = step
        made, before = self._made[step], self._made[max(0, step - 1)]
        rgb = made.frame.rgb if self._spoil is None else self._spoil(step, made.frame.rgb, before.frame.rgb)
        if rgb.shape == made.frame.rgb.shape:
            self.truth[len(self.truth)] = (step, made, before)
        return Frame(rgb.copy(), step, time.monotonic())

    def close(self) -> None: ...


class Judge:
    """A sink that compares every frame it gets with the raw ones. plain, replaced: steps outside the fault."""

    def __init__(self, source: Projector) -> None:
        self._source = source
        self._last: SafeFrame | None = None
        self.leaks: list[Leak] = []
        self.judged = self.blanks = 0
        self.calm = LeakReport()
        self.seen: set[int] = set()

    def send(self, frame: SafeFrame) -> None:
        if frame.verdict is Verdict.BLANKED:
            self.blanks += 1
            if np.ptp(frame.rgb):
                raise AssertionError("a blank frame shows something")
        elif frame is not self._last:
            self._judge(frame)
        if frame is not self._last:
            self._source.sent.set()
        self._last = frame

    def _judge(self, frame: SafeFrame) -> None:
        step, made, before = self._source.truth[frame.source_index]
        report = LeakReport()
        report.add_pixels(frame.rgb, frame.verdict, made)
        report.add_pixels(frame.rgb, frame.verdict, before)
        self.leaks += report.leaks
        self.judged += 1
        self.seen.add(step)
        if not FIRST <= step < LAST + RECOVERY:
            self.calm.add_pixels(frame.rgb, frame.verdict, made)

    def close(self, ok: bool) -> None: ...


@dataclass
class Outcome:
    """One reel with one fault. events: the log. left: threads that did not end."""

    injection: Injection
    scene: str
    judge: Judge
    events: list[LiveEvent]
    error: Exception | None
    left: list[str]

    @property
    def told(self) -> bool:
        """Does the log say what it must?"""
        return not self.injection.state or self.injection.state in [event.state.value for event in self.events]


class Bench:
    """Loads the networks once; each run has them fresh, with nothing remembered."""

    def __init__(self) -> None:
        quiet.silence()
        self._settings = load_settings(None, {"preset": "fast", "tone": 3})
        self._renderer = build_anonymizer(self._settings)
        self._generator = self._renderer.generator

    def run(self, injection: Injection, scene: str, seed: int) -> Outcome:
        planner = build_planner(self._settings)
        self._renderer.reset()
        self._renderer.generator = self._generator
        stages = Stages(planner._finder, planner, self._renderer)
        injection.put(stages)
        source = Projector(reel(scene, seed), stages.moment, injection.spoil)
        judge, events = Judge(source), list[LiveEvent]()
        parts = LiveParts(source, lambda: source, planner, self._renderer, judge)
        session = LiveSession(parts, LiveOptions(source.size_px, fps_hz=1000.0, max_age_s=MAX_AGE_S), events.append)
        session.start()
        session.wait(300)
        left = session.stop()
        return Outcome(injection, scene, judge, events, session.error, left)


@dataclass
class Tally:
    """Outcomes of one fault summed up."""

    judged: int = 0
    blanks: int = 0
    plain: int = 0
    replaced: int = 0
    leaks: list[Leak] = field(default_factory=list)
    untold: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        judge = outcome.judge
        self.judged += judge.judged
        self.blanks += judge.blanks
        self.plain += judge.calm.plain
        self.replaced += judge.calm.replaced
        self.leaks += judge.leaks
        self.untold += not outcome.told
        if outcome.error is not None or outcome.left:
            self.broken.append(f"{outcome.scene}: {outcome.error} {outcome.left}")


def jobs() -> Iterator[tuple[Injection, str, int]]:
    """Every fault on every scene; then the same with other seeds, for ever."""
    for seed in cycle(range(1000)):
        for scene in SCENES:
            for injection in INJECTIONS:
                yield injection, scene, seed


@click.command()
@click.option("--frames", default=10_000, show_default=True, help="Frames to judge at least.")
@click.option("--runs", type=int, help="Stop after so many runs instead.")
@click.option("--minutes", type=float, help="Stop after so long at the latest.")
@click.option("--only", default="", help="Faults whose name holds this.")
def main(frames: int, runs: int | None, minutes: float | None, only: str) -> None:
    """Print a table by fault; exit code 1 when anything leaked, was not told, or did not end."""
    started_s = time.monotonic()
    bench, tallies = Bench(), dict[str, Tally]()
    wanted = (job for job in jobs() if only in job[0].name)
    for injection, scene, seed in islice(wanted, runs):
        tallies.setdefault(injection.name, Tally()).add(bench.run(injection, scene, seed))
        judged = sum(tally.judged for tally in tallies.values())
        late = minutes is not None and time.monotonic() - started_s > 60 * minutes
        if late or (runs is None and judged >= frames):
            break
    click.echo(f"{'fault':34s}{'frames':>7s}{'leaks':>6s}{'blank':>6s}{'replaced outside':>18s}  told")
    for name, tally in tallies.items():
        share = f"{tally.replaced}/{tally.plain}"
        click.echo(
            f"{name:34s}{tally.judged:7d}{len(tally.leaks):6d}{tally.blanks:6d}{share:>18s}  "
            + ("yes" if not tally.untold else f"NOT in {tally.untold}")
        )
        for line in [*map(str, tally.leaks[:6]), *tally.broken]:
            click.echo(f"    {line}")
    names = ("judged", "plain", "replaced")
    judged, plain, replaced = (sum(getattr(tally, name) for tally in tallies.values()) for name in names)
    leaks = sum(len(tally.leaks) for tally in tallies.values())
    click.echo(f"{judged} frames judged, {leaks} leaks, {replaced / max(1, plain):.4f} replaced outside the faults")
    bad = leaks or any(tally.untold or tally.broken for tally in tallies.values())
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
