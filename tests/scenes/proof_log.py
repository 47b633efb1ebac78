"""The log of a long leak run: a line a scene, so that a run that was stopped goes on and loses one scene at most."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anonymizer.frames import Verdict
from tests.scenes.leaks import COUNTS, Leak, LeakReport


class ProofLog:
    """Reports by scene number. path: None = nothing is kept. made_with: what the run was asked for."""

    def __init__(self, path: Path | None, made_with: Mapping[str, Any]) -> None:
        self._path, self._made_with = path, dict(made_with)
        self._known: dict[int, LeakReport] = {}
        for line in path.read_text().splitlines() if path is not None and path.exists() else []:
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # cut off when the run was stopped
            if any(entry[name] != value for name, value in self._made_with.items()):
                raise ValueError(f"{path} is the log of another run ({line[:80]}); give another --log")
            self._known[entry["number"]] = _report(entry)

    def known(self, number: int) -> LeakReport | None:
        """The report of a scene that was run before."""
        return self._known.get(number)

    def add(self, number: int, scene: Mapping[str, Any], report: LeakReport) -> None:
        """Write down a scene that was run now."""
        if self._path is None:
            return
        entry = {"number": number, **self._made_with, **scene, **_entry(report)}
        with self._path.open("a") as out:
            out.write(json.dumps(entry) + "\n")


def _entry(report: LeakReport) -> dict[str, Any]:
    counts = {name: getattr(report, name) for name in COUNTS}
    leaks = [{**asdict(leak), "verdict": leak.verdict.value} for leak in report.leaks]
    return {**counts, "leaks": leaks, "needless_at": report.needless_at, "obscured_at": report.obscured_at}


def _report(entry: Mapping[str, Any]) -> LeakReport:
    leaks = [Leak(**{**leak, "verdict": Verdict(leak["verdict"])}) for leak in entry["leaks"]]
    counts = {name: entry[name] for name in COUNTS}
    return LeakReport(**counts, leaks=leaks, needless_at=entry["needless_at"], obscured_at=entry["obscured_at"])
