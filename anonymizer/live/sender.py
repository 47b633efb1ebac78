"""The sending thread: owns the sink, sends each safe frame as soon as it comes, and decides what may still be shown.

Paced: no more frames than the output rate on average, some jitter allowed; with nothing new the last one
is repeated, until it is too old: then blank, never a frozen face. It alone knows what is on screen, so it alone
tells the state. Ends with a blank frame, whatever happened.
"""

from __future__ import annotations

import threading

from anonymizer.errors import SinkError
from anonymizer.frames import Verdict
from anonymizer.live.shared import WAKE_S, Shared
from anonymizer.live.states import LiveState, Outgoing
from anonymizer.stages import FrameSink

PACE = 0.9  # of a period from frame to frame: a camera may be a little faster than it says
JITTER = 0.75  # of a period that a frame may leave early, when the one before left late


class Sender:
    """Owns the sink."""

    def __init__(self, sink: FrameSink, shared: Shared) -> None:
        self._sink, self._shared = sink, shared
        self._period_s = 1 / shared.options.fps_hz
        self._shut = threading.Event()
        self._current = shared.blank(LiveState.STARTING)
        self._last_sent: object = None
        self._slot_s = self._repeat_at_s = shared.clock.now_s()
        self.state = LiveState.STARTING
        self.why = ""

    def shut(self, closed: bool) -> None:
        """The privacy shutter: nothing of the camera leaves while it is closed."""
        if closed:
            self._shut.set()
        else:
            self._shut.clear()
        self._shared.outgoing.wake()

    @property
    def is_shut(self) -> bool:
        return self._shut.is_set()

    def run(self) -> None:
        """Until the run ends; then one blank frame, and the sink is closed."""
        shared = self._shared
        ok = False
        try:
            while not shared.stopping.is_set():
                self._step()
            ok = True
        except Exception as error:  # noqa: BLE001  no frame can leave any more: the run ends
            shared.end(error if isinstance(error, SinkError) else SinkError(f"output: {type(error).__name__}"))
        finally:
            self._leave_blank(ok)

    def _step(self) -> None:
        """Wait for something to send, and send it."""
        shared, clock = self._shared, self._shared.clock
        shut = self._shut.is_set()
        got = shared.outgoing.take(max(0.0, min(WAKE_S, self._next_deadline_s() - clock.now_s())))
        if got is not None and not shut and got.frame.captured_at_s >= self._current.frame.captured_at_s:
            self._current = got
        if shared.stopping.is_set():
            return
        chosen = self._chosen()
        new = chosen.frame is not self._last_sent
        urgent = shut != self._shut.is_set() or (new and chosen.frame.verdict is Verdict.BLANKED)
        now_s = clock.now_s()
        if urgent or (new and now_s >= self._slot_s - JITTER * self._period_s) or now_s >= self._repeat_at_s:
            self._send(chosen, new)

    def _next_deadline_s(self) -> float:
        """When to look again if nothing comes: the frame waiting is due, is to be repeated, or grows too old."""
        picture = self._current.frame.verdict is not Verdict.BLANKED
        if picture and self._current.frame is not self._last_sent and not self._shut.is_set():
            return self._slot_s - JITTER * self._period_s
        limits = [self._repeat_at_s]
        if picture:
            limits.append(self._current.frame.captured_at_s + self._shared.options.max_age_s)
        return min(limits)

    def _chosen(self) -> Outgoing:
        """What may be shown now."""
        shared = self._shared
        if self._shut.is_set():
            return self._blank_once(LiveState.SHUTTER)
        if self._current.frame.verdict is Verdict.BLANKED:
            return self._current
        age_s = shared.clock.now_s() - self._current.frame.captured_at_s
        if age_s < shared.options.max_age_s:
            return self._current
        stage, _ = shared.metrics.busiest()
        self._current = shared.blank(LiveState.STALLED, f"{stage or 'capture'}: nothing new for {age_s * 1e3:.0f} ms")
        return self._current

    def _blank_once(self, state: LiveState) -> Outgoing:
        if self._current.state is not state:
            self._current = self._shared.blank(state)
        return self._current

    def _send(self, chosen: Outgoing, new: bool) -> None:
        shared = self._shared
        with shared.metrics.busy("send"):
            self._sink.send(chosen.frame)
        now_s = shared.clock.now_s()
        self._last_sent = chosen.frame
        shared.metrics.sent(chosen.frame.verdict, new, chosen.frame.captured_at_s)
        if new:  # a repeated picture must not put off the next new one
            self._slot_s = max(self._slot_s, now_s - self._period_s) + PACE * self._period_s
        self._repeat_at_s = now_s + self._period_s * (1.5 if new else 1.0)
        self._tell(chosen.state, chosen.why)

    def _tell(self, state: LiveState, why: str) -> None:
        if state is self.state and (why == self.why or state is not LiveState.NO_CAMERA):
            return
        self.state, self.why = state, why
        self._shared.metrics.entered(state)
        if state not in (LiveState.FAILED, LiveState.NO_CAMERA):  # told where it failed, so that none is missed
            self._shared.tell(state, why)

    def _leave_blank(self, ok: bool) -> None:
        try:
            if ok:
                self._send(self._shared.blank(LiveState.STOPPED), True)
        except Exception as error:  # noqa: BLE001  the sink is gone; it is closed all the same
            self._shared.end(SinkError(f"output: {type(error).__name__}"))
        finally:
            self._sink.close(ok)
