"""How the guest asks the host to compute a network: messages as files in a folder that both see, renamed when whole."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

FOLDER = Path(os.environ.get("NETWORKS", "/kept/networks"))
LONGEST_S = 300.0
_numbers = itertools.count()


def packed(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}


def unpacked(packs: dict[str, Any]) -> dict[str, np.ndarray]:
    """Writable copies."""
    return {name: np.frombuffer(data, dtype).reshape(shape).copy() for name, (dtype, shape, data) in packs.items()}


def put(place: Path, message: dict[str, Any]) -> None:
    part = place.with_suffix(".part")
    part.write_bytes(msgspec.msgpack.encode(message))
    part.rename(place)


def taken(place: Path) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.msgpack.decode(place.read_bytes())
    place.unlink()
    return message


def ask(message: dict[str, Any]) -> dict[str, Any]:
    """The host's answer. Any thread. RuntimeError when it has none."""
    name = f"{os.getpid()}-{next(_numbers)}"
    put(FOLDER / f"{name}.ask", message)
    answer = FOLDER / f"{name}.answer"
    end_s = time.monotonic() + LONGEST_S
    while not answer.exists():
        if time.monotonic() > end_s:
            raise RuntimeError(f"the host has not answered for {LONGEST_S:.0f} s")
        time.sleep(0.004)
    got = taken(answer)
    if "error" in got:
        raise RuntimeError(got["error"])
    return got
