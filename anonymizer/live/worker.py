"""The two working threads: one finds the faces of frame n+1 while the other renders frame n.

A frame is looked at only when the renderer has taken the one before, so that at most one waits between the two.
"""

from __future__ import annotations

from typing import Protocol

from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, Verdict
from anonymizer.live.adapt import Ladder
from anonymizer.live.shared import WAKE_S, PlannedFrame, Shared
from anonymizer.live.states import Outgoing, state_of
from anonymizer.two_passes import render_or_blank


class LivePlan(Protocol):
    """Finds the faces of one frame after the other, in order, with gaps. Raises rather than returning () on failure.

    None: faces may be there, but it cannot be told where; the frame is blanked.
    """

    def plan(self, frame: Frame) -> tuple[PlannedFace, ...] | None: ...
    def close(self) -> None: ...


class Perceiver:
    """Owns the planner and closes it."""

    def __init__(self, planner: LivePlan, shared: Shared) -> None:
        self._planner, self._shared = planner, shared

    def run(self) -> None:
        shared = self._shared
        try:
            while not shared.stopping.is_set():
                if not shared.planned.wait_until_taken(WAKE_S):
                    continue
                frame = shared.frames.take(WAKE_S)
                if frame is not None and not _too_old(frame, shared):
                    self._look(frame)
        except Exception as error:  # noqa: BLE001  outside a frame: the run ends, blank
            shared.end(error)
        finally:
            self._planner.close()

    def _look(self, frame: Frame) -> None:
        shared = self._shared
        try:
            with shared.metrics.busy("perceive"):
                faces = self._planner.plan(frame)
        except Exception as error:  # noqa: BLE001  fail closed: whatever it was, the frame is blanked
            shared.frame_failed("perceive", type(error).__name__)
            return
        shared.planned.put(PlannedFrame(frame, faces))


class Renderer:
    """Makes planned frames safe; lowers the network when the budget is missed."""

    def __init__(self, shared: Shared, ladder: Ladder | None = None) -> None:
        self._shared, self._ladder = shared, ladder

    def run(self) -> None:
        shared = self._shared
        try:
            while not shared.stopping.is_set():
                planned = shared.planned.take(WAKE_S)
                for act in shared.take_between():
                    act()
                if planned is not None and not _too_old(planned.frame, shared):
                    self._render(planned)
        except Exception as error:  # noqa: BLE001  outside a frame: the run ends, blank
            shared.end(error)

    def _render(self, planned: PlannedFrame) -> None:
        shared = self._shared
        started_s = shared.clock.now_s()
        try:
            with shared.metrics.busy("render"):
                safe, failure = render_or_blank(planned.frame, planned.faces, shared.renderer)
        except Exception as error:  # noqa: BLE001  fail closed: not even the blank frame came
            shared.frame_failed("render", type(error).__name__)
            return
        if planned.faces is not None and safe.verdict is Verdict.BLANKED:
            shared.frame_failed("render", (failure or "blanked").split(":")[0])
            return
        shared.frame_succeeded()
        why = "it cannot be told where faces are" if planned.faces is None else ""
        shared.outgoing.put(Outgoing(safe, state_of(safe.verdict), why))
        if self._ladder is not None and safe.verdict is Verdict.REPLACED:
            now_s = shared.clock.now_s()
            self._ladder.rendered(now_s, (now_s - started_s) * 1e3, shared.frames.dropped)


def _too_old(frame: Frame, shared: Shared) -> bool:
    return shared.clock.now_s() - frame.captured_at_s > shared.options.max_age_s
