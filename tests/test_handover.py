"""Frames go from thread to thread in order, and every end ends both sides."""

from __future__ import annotations

import threading
import time

import pytest

from anonymizer.frames import Frame
from anonymizer.handover import Handover, HandoverStopped, read_ahead, write_behind
from tests.fakes import Sink, Source, safe


def test_items_come_out_in_order_and_then_none() -> None:
    """A queue of one gives all that was put, in order."""
    handover: Handover[int] = Handover(1)

    def produce() -> None:
        for item in range(50):
            handover.put(item)
        handover.finish()

    thread = threading.Thread(target=produce)
    thread.start()
    assert list(iter(handover.get, None)) == list(range(50))
    thread.join()


def test_no_more_than_depth_items_wait() -> None:
    """A source is read only so far ahead of a slow consumer."""
    source = Source(50)
    with read_ahead(source, depth=2) as frames:
        next(frames)
        time.sleep(0.05)
        assert source.index <= 4  # one given, two waiting, one in the reader's hand
    assert source.closed == 1


def test_stop_wakes_a_full_and_an_empty_side() -> None:
    """Whoever waits when the other goes away is told."""
    for action in ("put", "get"):
        handover: Handover[int] = Handover(1)
        if action == "put":
            handover.put(1)
        threading.Timer(0.02, handover.stop).start()
        with pytest.raises(HandoverStopped):
            handover.put(2) if action == "put" else handover.get()


def test_a_source_error_reaches_the_consumer() -> None:
    """It is raised at the consumer's next step, and the source is closed once."""
    source = Source(1, error=OSError("cable"))
    with pytest.raises(OSError, match="cable"), read_ahead(source, 2) as frames:
        list(frames)
    assert source.closed == 1


def test_leaving_early_closes_the_source_once() -> None:
    """A consumer that stops, for whatever reason, leaves no thread."""
    source = Source(1000)
    with pytest.raises(KeyboardInterrupt), read_ahead(source, 2) as frames:  # noqa: PT012  the block is the test
        next(frames)
        raise KeyboardInterrupt
    assert source.closed == 1
    assert not any(thread.name == "read-ahead" for thread in threading.enumerate())


def test_a_sink_gets_all_frames_and_is_closed_well() -> None:
    """Everything sent is written before the block is left."""
    sink = Sink(on_send=lambda: time.sleep(0.001))
    frames = [safe(frame) for frame in iter(Source(20).read, None)]
    with write_behind(sink, 2) as send:
        for frame in frames:
            send(frame)
    assert sink.frames == frames
    assert sink.closed == [True]


@pytest.mark.parametrize("fail_at", [0, 3, 19, -1])
def test_a_sink_error_reaches_the_producer(fail_at: int) -> None:
    """First frame, later, last or on closing: it is raised, and the sink was closed once."""
    sink = Sink(fail_at=fail_at)
    with pytest.raises(OSError, match="disk full"), write_behind(sink, 2) as send:  # noqa: PT012  the block is the test
        for frame in iter(Source(20).read, None):
            send(safe(frame))
    assert sink.closed == [fail_at == -1]


def test_a_producer_error_throws_the_output_away() -> None:
    """The sink is told that the output is not complete."""
    sink = Sink()
    with pytest.raises(ZeroDivisionError), write_behind(sink, 2) as send:  # noqa: PT012  the block is the test
        frame = Source(1).read()
        assert isinstance(frame, Frame)
        send(safe(frame))
        raise ZeroDivisionError
    assert sink.closed == [False]


def test_a_queue_without_room_is_refused() -> None:
    """Depth counts from one."""
    with pytest.raises(ValueError, match="at least 1"):
        Handover(0)
