"""Hands frames from one thread to the next: a short queue that always ends, and two helpers over it.

Who does what: `read_ahead` runs a source in a thread of its own, which owns it and closes it;
`write_behind` does the same for a sink. The caller works between the two in its own thread.
What blocks: `put` on a full queue, `get` on an empty one; nothing polls.
How it ends: `finish` from the producer lets the consumer empty the queue; `stop` from either side wakes
both at once and drops what waits. An error in a thread is raised in the caller at its next step.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from anonymizer.frames import Frame, SafeFrame
from anonymizer.stages import FrameSink, FrameSource

_WAKE_S = 0.5  # a wait without a limit cannot be interrupted by Ctrl-C on Windows
_GIVE_UP_S = 10.0  # a thread that hangs in a dead disk is left behind; it is a daemon

_T = TypeVar("_T")


class HandoverStopped(Exception):
    """The other side has gone away; there is nothing to hand over any more."""


class Handover(Generic[_T]):
    """A queue of at most `depth` items between one producer and one consumer."""

    def __init__(self, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self._depth = depth
        self._items: deque[_T] = deque()
        self._changed = threading.Condition()
        self._finished = self._stopped = False
        self._error: BaseException | None = None

    def put(self, item: _T) -> None:
        """Wait for room. Raises HandoverStopped, or the error of the other side."""
        with self._changed:
            self._wait_until(lambda: self._stopped or len(self._items) < self._depth)
            self._check()
            self._items.append(item)
            self._changed.notify_all()

    def get(self) -> _T | None:
        """Wait for an item; None after the last. Raises like `put`."""
        with self._changed:
            self._wait_until(lambda: self._stopped or self._finished or bool(self._items))
            self._check()
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def finish(self) -> None:
        """No more items will come."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def stop(self, error: BaseException | None = None) -> None:
        """Wake and end both sides; the first `error` given is what they raise."""
        with self._changed:
            self._stopped = True
            self._error = self._error or error
            self._items.clear()
            self._changed.notify_all()

    def raise_error(self) -> None:
        """Raise the error that was given to `stop`, if any."""
        with self._changed:
            if self._error is not None:
                raise self._error

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        while not self._changed.wait_for(ready, timeout=_WAKE_S):
            pass

    def _check(self) -> None:
        if self._stopped:
            raise self._error or HandoverStopped


@contextmanager
def read_ahead(source: FrameSource, depth: int) -> Iterator[Iterator[Frame]]:
    """Gives the frames of `source`, read up to `depth` frames ahead in a thread that closes it at the end."""
    waiting: Handover[Frame] = Handover(depth)
    thread = threading.Thread(target=_read_all, args=(source, waiting), name="read-ahead", daemon=True)
    thread.start()
    try:
        yield iter(waiting.get, None)
    finally:
        waiting.stop()
        thread.join(_GIVE_UP_S)


@contextmanager
def write_behind(sink: FrameSink, depth: int) -> Iterator[Callable[[SafeFrame], None]]:
    """Gives a `send` that returns while up to `depth` frames wait for `sink`, which a thread of its own feeds.

    When the block ends well the sink has been closed with ok=True and every frame is written; otherwise
    it has been closed with ok=False.
    """
    waiting: Handover[SafeFrame] = Handover(depth)
    thread = threading.Thread(target=_write_all, args=(sink, waiting), name="write-behind", daemon=True)
    thread.start()
    try:
        yield waiting.put
        waiting.finish()
        while thread.is_alive():
            thread.join(_WAKE_S)
    except BaseException:
        waiting.stop()
        thread.join(_GIVE_UP_S)
        raise
    waiting.raise_error()


def _read_all(source: FrameSource, waiting: Handover[Frame]) -> None:
    try:
        while (frame := source.read()) is not None:
            waiting.put(frame)
        source.close()
        waiting.finish()
    except BaseException as error:  # noqa: BLE001  it is raised in the caller's thread
        waiting.stop(None if isinstance(error, HandoverStopped) else error)
        source.close()


def _write_all(sink: FrameSink, waiting: Handover[SafeFrame]) -> None:
    ok = False
    try:
        while (frame := waiting.get()) is not None:
            sink.send(frame)
        ok = True
    except BaseException as error:  # noqa: BLE001  it is raised in the caller's thread
        waiting.stop(None if isinstance(error, HandoverStopped) else error)
    try:
        sink.close(ok)
    except BaseException as error:  # noqa: BLE001  it is raised in the caller's thread
        waiting.stop(error)
