"""The loop over fakes: what is on screen when all is well, when a stage fails, hangs or lies, and at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from anonymizer.errors import CameraError, FramesFailedError, SinkError
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.live.states import LiveState
from tests.fakes import safe
from tests.live.live_fakes import SIZE_PX, Covers, Pace, Plan, Recorder, live_threads, running

BLANK = Verdict.BLANKED


def at(index: int, act: Callable[[], None]) -> Callable[[Frame], None]:
    def maybe(frame: Frame) -> None:
        if frame.index == index:
            act()

    return maybe


def fail(error: Exception) -> None:
    raise error


def test_frames_leave_covered_and_in_order() -> None:
    """Only what the renderer made is sent, each newer than the one before, and the figures say so."""
    run = running(Pace(50))
    assert run.session.wait(10)
    assert run.session.stop() == []
    sent = [frame for _, frame in run.sink.sent if frame.verdict is not BLANK]
    indices = [frame.source_index for frame in sent]
    assert indices == sorted(indices)
    assert {int(frame.rgb.max()) for frame in sent} == {50}
    figures = run.session.figures()
    assert figures.captured == 50
    assert figures.distinct == len(set(indices)) == figures.verdicts[Verdict.REPLACED]
    assert figures.distinct + figures.dropped["perceive"] + figures.dropped["render"] + figures.dropped["send"] == 50
    assert figures.repeats == len(indices) - len(set(indices))
    assert figures.stages["perceive"].count >= figures.distinct
    assert figures.latency.count == figures.distinct
    assert run.states() == ["COVERED", "STOPPED"]


def test_it_is_blank_before_the_first_checked_frame_and_after_the_last() -> None:
    """Whatever a viewer sees before and after the run is blank."""
    first_look = threading.Event()
    run = running(Pace(), Plan(at(0, lambda: (first_look.wait(0.2) and None) or None)))
    assert run.until(lambda: Verdict.REPLACED in run.sink.verdicts)
    run.session.stop()
    assert run.sink.verdicts[0] is BLANK
    assert run.sink.verdicts[-1] is BLANK
    assert run.sink.closed == [True]


def test_a_frame_that_fails_is_blank_and_the_run_goes_on() -> None:
    """In either working stage; the fault stands in the log by stage and kind, without its message."""
    for planner, renderer, stage in (
        (Plan(at(10, lambda: fail(RuntimeError("secret pixels")))), Covers(), "perceive"),
        (Plan(), Covers(fail_at=[10], error=RuntimeError("secret pixels")), "render"),
    ):
        run = running(Pace(60), planner, renderer)
        assert run.session.wait(10)
        run.session.stop()
        assert run.session.error is None
        lines = [event.line() for event in run.events if event.state is LiveState.FAILED]
        assert len(lines) == 1
        assert f"{stage}: RuntimeError" in lines[0]
        assert "secret" not in lines[0]
        assert 10 not in [frame.source_index for _, frame in run.sink.sent if frame.verdict is not BLANK]
        assert run.session.figures().failures == {stage: 1}
        assert run.sink.brightest() == 50


@pytest.mark.parametrize("stage", ["perceive", "render"])
def test_five_failures_in_a_row_end_the_run_blank(stage: str) -> None:
    """With an exit code of their own; four and a success do not."""
    broken = range(20, 1000)
    planner = Plan(lambda frame: fail(ValueError("x")) if frame.index in broken else None)
    run = running(Pace(), planner) if stage == "perceive" else running(Pace(), renderer=Covers(fail_at=broken))
    assert run.session.wait(10)
    assert run.session.stop() == []
    assert isinstance(run.session.error, FramesFailedError)
    assert run.session.error.exit_code == 9
    assert run.sink.verdicts[-1] is BLANK
    calls = count()  # of frames, some are dropped on a busy machine
    patient = running(Pace(100), Plan(lambda frame: fail(ValueError("x")) if next(calls) % 5 else None))
    assert patient.session.wait(10)
    patient.session.stop()
    assert patient.session.error is None


@pytest.mark.parametrize("stage", ["capture", "perceive", "render"])
def test_a_stage_that_stalls_is_blanked_in_time(stage: str) -> None:
    """Nothing older than 300 ms is on screen, and the line names the stage; then it goes on."""
    gate = threading.Event()

    def wait() -> None:
        gate.wait(0.9)

    class Slow(Pace):
        def read(self) -> Frame | None:
            if self.index == 20 and stage == "capture":
                wait()
            return super().read()

    class Hangs(Covers):
        def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
            if 20 <= frame.index < 22 and stage == "render" and not gate.is_set():
                wait()
                gate.set()
            return super().render(frame, faces)

    planner = Plan(lambda frame: wait() if frame.index == 20 and stage == "perceive" else None)
    run = running(Slow(), planner, Hangs())
    assert run.until(lambda: "STALLED" in run.states())
    assert run.until(lambda: run.states()[-1] == "COVERED")
    run.session.stop()
    assert any(e.state is LiveState.STALLED and e.why.startswith(stage) for e in run.events)
    ages = [at_s - frame.captured_at_s for at_s, frame in run.sink.sent if frame.verdict is not BLANK]
    assert max(ages) < 0.35


def test_a_stage_that_never_answers_ends_the_run() -> None:
    """Blank, with an explained error, and the thread that hangs is named."""
    never = threading.Event()
    run = running(Pace(), Plan(at(5, lambda: (never.wait() and None) or None)), give_up_s=0.6)
    assert run.session.wait(10)
    assert run.session.stop(join_s=0.5) == ["perceive"]
    assert isinstance(run.session.error, FramesFailedError)
    assert "perceive" in str(run.session.error)
    assert run.sink.verdicts[-1] is BLANK
    never.set()


def test_the_shutter_blanks_at_once_and_opens_again() -> None:
    """No frame of the camera is sent while it is closed; the first blank comes within a frame's time."""
    run = running(Pace(fps_hz=30), fps_hz=30.0)
    assert run.until(lambda: run.states() == ["COVERED"])
    waits = []
    for _ in range(5):
        closed_s = time.monotonic()
        run.session.shut(True)
        assert run.until(lambda: run.sink.verdicts[-1] is BLANK)
        waits.append(next(t for t, f in run.sink.sent if f.verdict is BLANK and t >= closed_s) - closed_s)
        shut_since = len(run.sink.sent)
        time.sleep(0.2)
        assert set(run.sink.verdicts[shut_since:]) == {BLANK}
        run.session.shut(False)
        assert run.until(lambda: run.sink.verdicts[-1] is Verdict.REPLACED)
    run.session.stop()
    assert min(waits) < 1 / 30
    assert sorted(waits)[2] < 1 / 30
    assert "SHUTTER" in run.states()


def test_a_camera_that_goes_is_found_again() -> None:
    """Blank with a word meanwhile; frames number on, and every source is closed once."""
    sources: list[Pace] = []

    def open_again() -> Pace:
        if not sources:
            sources.append(Pace())
            raise CameraError("still gone")
        sources.append(Pace())
        return sources[-1]

    class Goes(Pace):
        def read(self) -> Frame | None:
            if self.index == 20:
                raise CameraError("unplugged")
            return super().read()

    first = Goes()
    run = running(first, open_again=open_again)
    assert run.until(lambda: run.states().count("COVERED") == 2)
    run.session.stop()
    lost = [event.why for event in run.events if event.state is LiveState.NO_CAMERA]
    assert "unplugged" in lost[0]
    assert "still gone" in lost[1]
    indices = [frame.source_index for _, frame in run.sink.sent if frame.verdict is not BLANK]
    assert indices == sorted(indices)
    assert max(indices) >= 20
    assert [first.closed, sources[-1].closed] == [1, 1]


def test_a_camera_that_cannot_come_back_ends_the_run_with_its_error() -> None:
    """The camera's own sentence and exit code."""

    class Goes(Pace):
        def read(self) -> Frame | None:
            if self.index == 5:
                raise CameraError("unplugged")
            return super().read()

    run = running(Goes())
    assert run.session.wait(10)
    run.session.stop()
    assert isinstance(run.session.error, CameraError)
    assert run.sink.verdicts[-1] is BLANK


def test_frames_of_another_size_are_blanked() -> None:
    """A camera that changes its mode does not get through with it, and is opened anew if it insists."""

    class Grows(Pace):
        def read(self) -> Frame | None:
            frame = super().read()
            if frame is not None and 10 <= frame.index < 12:
                return Frame(np.full((60, 80, 3), 200, np.uint8), frame.index, frame.captured_at_s)
            return frame

    run = running(Grows(40))
    assert run.session.wait(10)
    run.session.stop()
    assert run.session.error is None
    assert run.session.figures().failures == {"capture": 2}
    assert {frame.rgb.shape for _, frame in run.sink.sent} == {(SIZE_PX[1], SIZE_PX[0], 3)}
    assert sum("80×60" in event.why for event in run.events) == 2


def test_a_renderer_that_answers_for_another_frame_is_blanked() -> None:
    """An old answer, a wrong size and a raw frame are all refused."""
    lies: list[Callable[[Frame], object]] = [
        lambda f: safe(Frame(f.rgb, f.index - 1, f.captured_at_s)),
        lambda f: safe(f, np.zeros((2, 2, 3), np.uint8)),
        lambda f: f,
    ]

    class Lies(Covers):
        def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
            if frame.index % 4 and frame.index // 4 < len(lies):
                return lies[frame.index // 4](frame)  # type: ignore[return-value]
            return super().render(frame, faces)

    run = running(Pace(60), renderer=Lies())
    assert run.session.wait(10)
    run.session.stop()
    assert run.sink.brightest() == 50
    assert run.session.figures().failures["render"] >= 3


def test_an_unsure_plan_is_blank_and_no_failure() -> None:
    """When it cannot be told where a lost face is, the frame is blank and the run goes on."""
    run = running(Pace(30), Plan(faces=None))
    assert run.session.wait(10)
    run.session.stop()
    assert run.session.error is None
    assert set(run.sink.verdicts) == {BLANK}
    assert "UNSURE" in run.states()


def test_an_output_that_fails_ends_the_run() -> None:
    """With the sink's sentence; it is closed as not ok, once."""
    sink = Recorder(lambda frame: fail(SinkError("unplugged")) if frame.source_index > 5 else None)
    run = running(Pace(), sink=sink)
    assert run.session.wait(10)
    assert run.session.stop() == []
    assert isinstance(run.session.error, SinkError)
    assert run.sink.closed == [False]


def test_a_slow_output_drops_frames_and_blocks_nobody() -> None:
    """The worker goes on; what the output has no time for is counted."""
    run = running(Pace(60), sink=Recorder(lambda frame: time.sleep(0.05)))
    assert run.session.wait(10)
    run.session.stop()
    figures = run.session.figures()
    assert figures.dropped["send"] > 10
    assert figures.stages["perceive"].count > 40


def test_no_more_frames_are_sent_than_the_output_rate() -> None:
    """A camera of 100 a second into an output of 25; a slow camera's frames are repeated."""
    fast = running(Pace(fps_hz=100), fps_hz=25.0)
    time.sleep(1.0)
    fast.session.stop()
    assert 18 <= len(fast.sink.sent) <= 31
    slow = running(Pace(fps_hz=5), fps_hz=25.0)
    time.sleep(1.0)
    slow.session.stop()
    assert slow.session.figures().repeats >= 10


def test_changes_happen_between_frames_in_the_rendering_thread() -> None:
    """So that no frame is half old, half new."""
    where: list[str] = []
    run = running(Pace())
    run.session.between_frames(lambda: where.append(threading.current_thread().name))
    assert run.until(lambda: bool(where))
    run.session.stop()
    assert where == ["render"]


def test_a_hundred_stops_at_random_moments_leave_nothing_behind() -> None:
    """No thread, everything closed once, and a blank last frame."""
    rng = np.random.default_rng(6)
    for _ in range(100):
        source, planner = Pace(fps_hz=200), Plan()
        run = running(source, planner)
        time.sleep(float(rng.uniform(0, 0.03)))
        assert run.session.stop() == []
        assert run.sink.verdicts[-1] is BLANK
        assert (source.closed, planner.closed, run.sink.closed) == (1, 1, [True])
    assert live_threads() == []
