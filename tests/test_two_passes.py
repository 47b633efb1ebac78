"""Two passes fail closed and always end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from anonymizer.errors import InputError
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.progress import Progress
from anonymizer.two_passes import PassCounts, TwoPasses, render_or_blank
from tests.fakes import ONE_FACE, Observer, PassThrough, Sink, Source, safe


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not {"read-ahead", "write-behind"} & {thread.name for thread in threading.enumerate()}


def run(
    first: Source | None = None,
    second: Source | None = None,
    sink: Sink | None = None,
    observer: Observer | None = None,
    renderer: PassThrough | None = None,
) -> PassCounts:
    passes = TwoPasses(observer or Observer(), renderer or PassThrough(), queue_frames=2)
    return passes.run(first or Source(9), lambda: second or Source(9), sink or Sink())


def blank_indices(sink: Sink) -> list[int]:
    return [frame.source_index for frame in sink.frames if not frame.rgb.any()]


def test_every_frame_is_seen_once_and_sent_in_order() -> None:
    """Verdicts are counted, both sources and the sink are closed once."""
    first, second, sink, observer = Source(9), Source(9), Sink(), Observer(ONE_FACE)
    counts = run(first, second, sink, observer)
    assert observer.seen == [frame.source_index for frame in sink.frames] == list(range(9))
    assert (first.closed, second.closed, sink.closed) == (1, 1, [True])
    assert counts.frames == 9
    assert counts.verdicts == {
        Verdict.REPLACED: 0,
        Verdict.NO_FACE: 0,
        Verdict.OBSCURED: 9,
        Verdict.BLANKED: 0,
    }
    assert counts.failures == 0
    assert counts.seconds.total_s >= counts.seconds.render_s > 0


def test_a_frame_without_a_plan_is_blank() -> None:
    """Plans that run out never let a raw frame pass."""
    sink = Sink()
    counts = run(sink=sink, observer=Observer(missing=3))
    assert blank_indices(sink) == [6, 7, 8]
    assert counts.verdicts[Verdict.BLANKED] == 3
    assert counts.first_failure is not None
    assert "no plan" in counts.first_failure


def test_an_unknown_frame_is_blank() -> None:
    """An observer that knows nothing of a frame says None, and gets it blanked without a failure."""
    sink = Sink()
    counts = run(sink=sink, observer=Observer(faces=None))
    assert blank_indices(sink) == list(range(9))
    assert counts.failures == 0


def test_frames_at_other_times_are_blank() -> None:
    """A second pass that is out of step gets no plan that was made for another frame."""
    sink = Sink()
    run(second=Source(9, start_s=0.5), sink=sink)
    assert blank_indices(sink) == list(range(9))


def test_frames_that_were_not_there_before_are_blank() -> None:
    """A clip that grew between the passes ends in blank frames."""
    sink = Sink()
    counts = run(second=Source(12), sink=sink)
    assert blank_indices(sink) == [9, 10, 11]
    assert counts.frames == 12


def test_a_clip_that_shrank_is_refused() -> None:
    """Frames that are gone in the second pass are an error, and the output is thrown away."""
    sink = Sink()
    with pytest.raises(InputError, match="9 frames at first, 5 later"):
        run(second=Source(5), sink=sink)
    assert sink.closed == [False]


def test_too_many_plans_are_our_own_mistake() -> None:
    """Plans that cannot belong to the frames stop the run."""
    sink = Sink()
    with pytest.raises(ValueError, match="expected plans for 9 frames, got 10"):
        run(sink=sink, observer=Observer(missing=-1))
    assert sink.closed == [False]


def test_a_renderer_that_raises_gives_blank_frames() -> None:
    """The rest of the clip goes on, and the report says what happened."""
    sink = Sink()
    counts = run(sink=sink, renderer=PassThrough(fail_at=(0, 4)))
    assert blank_indices(sink) == [0, 4]
    assert (counts.failures, counts.first_failure) == (2, "RuntimeError: planned")


@pytest.mark.parametrize("where", ["first", "second", "observe", "send", "close", "interrupt"])
def test_every_error_ends_the_run(where: str) -> None:
    """Reader, observer, writer, Ctrl-C: it is raised, all is closed once, no thread stays."""
    error = OSError("planned")
    first, second, sink = Source(9), Source(9), Sink()
    observer, renderer = Observer(), PassThrough()
    expected: type[BaseException] = OSError
    if where == "first":
        first.error = error
    elif where == "second":
        second.error = error
    elif where == "observe":
        observer.error = error
    elif where == "send":
        sink.fail_at, sink.error = 2, error
    elif where == "close":
        sink.fail_at, sink.error = -1, error
    else:
        renderer, expected = PassThrough(fail_at=[3], error=KeyboardInterrupt()), KeyboardInterrupt
    with pytest.raises(expected):
        run(first, second, sink, observer, renderer)
    assert first.closed == 1
    assert second.closed == (0 if where in ("first", "observe") else 1)
    assert sink.closed == [where == "close"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_ctrl_c_wakes_a_run_that_waits_for_a_stuck_sink() -> None:
    """A signal while the queue is full ends the run as soon as the sink lets go."""
    let_go = threading.Event()

    def wait() -> None:
        let_go.wait(5)

    sink = Sink(on_send=wait)

    def interrupt(signum: int, frame: object) -> None:
        let_go.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            run(Source(50), Source(50), sink)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert sink.closed == [False]


class _Renderer(PassThrough):
    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def render(self, frame: Frame, faces: object) -> SafeFrame:
        return self.answer  # type: ignore[return-value]  # a renderer that breaks its promise


def test_an_answer_for_another_frame_is_not_sent() -> None:
    """Stale frames, raw frames, other sizes and None all become blank."""
    source = Source(2)
    one, two = source.read(), source.read()
    assert one is not None
    assert two is not None
    smaller = Frame(two.rgb[:-1].copy(), two.index, two.captured_at_s)
    for answer in (safe(one), two, safe(smaller), None):
        sent, failure = render_or_blank(two, (), _Renderer(answer))
        assert sent.verdict is Verdict.BLANKED
        assert not sent.rgb.any()
        assert failure


def test_a_blank_that_is_not_blank_stops_the_run() -> None:
    """When even the last resort is wrong, nothing is sent."""

    class Wrong(PassThrough):
        def blank(self, frame: Frame) -> SafeFrame:
            return safe(frame)

    with pytest.raises(ValueError, match="expected a blank frame"):
        run(renderer=Wrong(fail_at=[1]))


def test_progress_is_told_after_every_frame() -> None:
    """Both passes count up; the second knows its end."""
    told: list[Progress] = []
    TwoPasses(Observer(), PassThrough(), 2, told.append).run(Source(4), lambda: Source(4), Sink(), estimate=None)
    assert [(step.pass_name, step.done, step.total) for step in told] == [
        *(("look", done, None) for done in (1, 2, 3, 4)),
        *(("render", done, 4) for done in (1, 2, 3, 4)),
    ]
    assert told[0].left_s is None
    assert told[-1].left_s == 0
    assert all(step.fps > 0 for step in told)
