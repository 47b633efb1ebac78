"""Listen to calls inside the product while it runs as it is: what went in, what came out, how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread
from typing import Any

from anonymizer.warm import WARM_UP

OnCall = Callable[[tuple[Any, ...], Any, float], None]
"""positional arguments, result, seconds; called after every call that did not raise."""


@contextmanager
def tapped(owner: Any, name: str, on_call: OnCall) -> Iterator[None]:
    """Listen to `owner.name`, a function of a module or a method of a class, until the block ends."""
    inner = getattr(owner, name)

    def outer(*args: Any, **kwargs: Any) -> Any:
        started_s = time.perf_counter()
        result = inner(*args, **kwargs)
        if not current_thread().name.startswith(WARM_UP):  # draws what is not of the clip
            on_call(args, result, time.perf_counter() - started_s)
        return result

    with replaced(owner, name, outer):
        yield


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """`owner.name` is `value` until the block ends."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
