"""Time as the live path sees it; tests bring their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that only rise, and a sleep until a given one."""

    def now_s(self) -> float: ...
    def sleep_until_s(self, deadline_s: float) -> None: ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        return time.monotonic()

    def sleep_until_s(self, deadline_s: float) -> None:
        remaining_s = deadline_s - time.monotonic()
        if remaining_s > 0:
            time.sleep(remaining_s)
