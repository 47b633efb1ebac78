"""What a run costs this process, and what it must not leave behind when it dies."""

from __future__ import annotations

import ctypes
import importlib
import sys
import time
from pathlib import Path

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_M_ARENA_MAX, _MOST_HEAPS = -8, 2  # malloc.h of glibc


class Meter:
    """Processor seconds a second since it was made, and resident memory once the run has settled."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.monotonic(), time.process_time()
        self.rss_start_mb = rss_mb()
        self._settled = False

    def look(self, settled: bool) -> None:
        """Called now and then; the first call with `settled` is what memory is compared with."""
        if settled and not self._settled:
            self._settled = True
            self.rss_start_mb = rss_mb()

    def cpu_cores(self) -> float:
        return (time.process_time() - self._cpu_s) / max(1e-6, time.monotonic() - self._wall_s)


def rss_mb() -> float:
    """Resident memory of this process in MB (10⁶ bytes); the peak where the system does not tell the present."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmRSS:"):
                return float(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        return 0.0  # no way to ask without a further library
    resource = importlib.import_module("resource")
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit / 1e6


def forbid_core_dumps() -> None:
    """A dump of this process would hold raw frames: none is written, and no debugger of the same user may look in."""
    if sys.platform == "win32":
        return
    resource = importlib.import_module("resource")
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def share_heaps() -> None:
    """Let all threads allocate from two heaps; with one each, frames freed by another thread leave holes in it that
    nobody fills (tens of MB). Before threads are started; glibc only."""
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _MOST_HEAPS)


__all__ = ["Meter", "forbid_core_dumps", "rss_mb", "share_heaps"]
