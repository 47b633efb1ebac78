"""Hands the newest item from one thread to the next. Holds one; a newer one takes the place of one that waits.

Nothing queues up, so nothing grows old in a queue; every item that was replaced unseen is counted.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

_T = TypeVar("_T")


class LatestSlot(Generic[_T]):
    """One place between a producer and a consumer."""

    def __init__(self) -> None:
        self._item: _T | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were replaced before anybody took them."""
        return self._dropped

    @property
    def is_empty(self) -> bool:
        return self._item is None

    def put(self, item: _T) -> None:
        """Never waits. What waited is dropped and counted; after `close` the item goes nowhere."""
        with self._changed:
            if self._closed:
                return
            if self._item is not None:
                self._dropped += 1
            self._item = item
            self._changed.notify_all()

    def take(self, timeout_s: float) -> _T | None:
        """The newest item, waiting for one; None after `timeout_s`, on `wake`, or once closed."""
        with self._changed:
            if self._item is None and not self._closed:
                self._changed.wait(timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def wait_until_taken(self, timeout_s: float) -> bool:
        """Wait until nothing lies in the slot; False if something still does after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed, timeout_s)
            return self._item is None

    def wake(self) -> None:
        """Let a waiting `take` return at once, with or without an item."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Drop what waits and wake everybody; from now on the slot stays empty."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
