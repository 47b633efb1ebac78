"""The slot between two threads: newest wins, what was replaced is counted, and everybody wakes at the end."""

from __future__ import annotations

import threading
import time

from anonymizer.live.slot import LatestSlot


def test_newest_item_replaces_the_waiting_one() -> None:
    """Only the last of three is seen; two are counted as dropped."""
    slot: LatestSlot[int] = LatestSlot()
    for item in (1, 2, 3):
        slot.put(item)
    assert slot.take(0) == 3
    assert slot.take(0) is None
    assert slot.dropped == 2


def test_take_waits_for_an_item_from_another_thread() -> None:
    """An item that comes later is given as soon as it is there."""
    slot: LatestSlot[str] = LatestSlot()
    threading.Timer(0.05, slot.put, ["late"]).start()
    started_s = time.monotonic()
    assert slot.take(5) == "late"
    assert time.monotonic() - started_s < 2


def test_put_never_waits() -> None:
    """A producer without consumer runs on."""
    slot: LatestSlot[int] = LatestSlot()
    started_s = time.monotonic()
    for item in range(10_000):
        slot.put(item)
    assert time.monotonic() - started_s < 2
    assert slot.dropped == 9_999


def test_close_and_wake_end_a_wait() -> None:
    """Nobody sleeps on when the run ends, and a closed slot keeps nothing."""
    slot: LatestSlot[int] = LatestSlot()
    for end in (slot.wake, slot.close):
        threading.Timer(0.05, end).start()
        started_s = time.monotonic()
        assert slot.take(5) is None
        assert time.monotonic() - started_s < 2
    slot.put(7)
    assert slot.take(0) is None


def test_the_producer_can_wait_until_its_item_was_taken() -> None:
    """True once the consumer has it, False while it lies there."""
    slot: LatestSlot[int] = LatestSlot()
    assert slot.wait_until_taken(0)
    slot.put(1)
    assert not slot.wait_until_taken(0.01)
    threading.Timer(0.05, slot.take, [0]).start()
    assert slot.wait_until_taken(5)
