"""A benchmark as a page: end to end first, then the stages of each run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anonymizer.audit import page
from anonymizer.audit.metrics import Figure
from anonymizer.audit.plots import ranges
from anonymizer.benchmark import REFERENCE, Run


def as_page(runs: Sequence[Run], content: dict[str, Any]) -> str:
    fastest = max((run for run in runs if run.name != REFERENCE), key=lambda run: run.frames_a_second)
    machine = content["machine"]
    said = f"{fastest.name}: {fastest.frames_a_second:.1f} frames a second, decoding and encoding included."
    speeds = [(run.name, [_figure(run.frames_a_second)]) for run in runs]
    top = max(run.frames_a_second for run in runs) * 1.1
    sections = [
        ("End to end", _whole(runs) + ranges(speeds, ["frames a second"], (0, top), None)),
        *((run.name, _stages(run)) for run in runs),
        ("What ran", page.facts({name: str(value) for name, value in machine.items()})),
    ]
    return page.page("Benchmark", said, "good", sections)


def _whole(runs: Sequence[Run]) -> str:
    head = ["", "frames", "frames a second", "CPU s a frame", "peak MB so far", "verdicts"]
    rows = [
        [
            run.name,
            str(run.frames),
            f"{run.frames_a_second:.1f}",
            f"{run.cpu_s_a_frame:.3f}",
            "" if run.peak_mb is None else f"{run.peak_mb:.0f}",
            ", ".join(f"{name} {count}" for name, count in run.verdicts.items()),
        ]
        for run in runs
    ]
    return page.table(head, rows)


def _stages(run: Run) -> str:
    names = ["p50_ms", "p95_ms", "p99_ms", "ms_a_frame"]
    rows = [
        [row["stage"], str(row["calls"]), *("" if row.get(n) is None else f"{row[n]:.1f}" for n in names)]
        for row in run.stages
    ]
    return page.table(["", "calls", "p50 ms", "p95 ms", "p99 ms", "ms a frame"], rows)


def _figure(value: float) -> Figure:
    return Figure(value, value, value)
