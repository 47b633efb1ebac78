"""Carries out one audit and writes what it found: JSON for programs, a page for people."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonymizer.adapters.safe_write import safe_target
from anonymizer.audit.findings import answer, photo_faults
from anonymizer.audit.photo_pairs import match, photos_in
from anonymizer.audit.photo_report import as_json, as_page
from anonymizer.audit.photos import Sources, look_at_photos
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.reidentify import reidentify
from anonymizer.audit.seen import audit_finder
from anonymizer.machine import build, machine

OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """safe: no fault was found. content: all figures."""

    answer: str
    safe: bool
    content: dict[str, Any]


def audit_photos(
    sources: Sources, recognisers: Sequence[Recogniser], report: Path | None, command: Sequence[str], on_step: OnStep
) -> AuditResult:
    """report: HTML file to write, None = none. Raises InputError, SinkError."""
    with audit_finder() as finder:
        looked = look_at_photos(sources, recognisers, finder, on_step)
    found = reidentify(looked)
    faults = photo_faults(looked, found)
    said = answer(found, faults)
    content = as_json(looked, found, faults, said)
    if report is not None:
        files = match(photos_in(sources.before), sources.after)
        write_text(report, as_page(looked, found, faults, said, files, about(command)))
    return AuditResult(said, not faults, content | ran(command))


def audit_clip(
    before: Path, after: Path, recogniser: Recogniser, report: Path | None, command: Sequence[str], on_step: OnStep
) -> AuditResult:
    """report: HTML file to write, None = none. Raises InputError, SinkError."""
    from anonymizer.audit.clip_figures import clip_faults, identity_of, kept_of
    from anonymizer.audit.clip_report import clip_answer, clip_json, clip_page
    from anonymizer.audit.clips import look_at_clip

    looked = look_at_clip(before, after, recogniser, lambda done, total: on_step(done, total or done))
    identity, kept = identity_of(looked.samples, recogniser), kept_of(looked.samples)
    faults = clip_faults(looked, identity)
    said = clip_answer(looked, identity, faults)
    if report is not None:
        write_text(report, clip_page(looked, identity, kept, faults, said, about(command)))
    return AuditResult(said, not faults, clip_json(looked, identity, kept, faults, said) | ran(command))


def ran(command: Sequence[str]) -> dict[str, Any]:
    return {"command": shlex.join(command), "build": build(), "machine": machine()}


def about(command: Sequence[str]) -> str:
    """The same in words."""
    box, made = machine(), build()
    weights = ", ".join(f"{name} {sha256[:12]}" for name, sha256 in made["weights"].items())
    return (
        f"{shlex.join(command)}. anonymizer {made['version']}; model files installed here (SHA-256): {weights}. "
        f"{box['processor']}, {box['cores']} cores, {box['system']}, Python {box['python']}."
    )


def write_text(path: Path, text: str) -> None:
    """Written beside and renamed; an existing report is replaced."""
    with safe_target(path, [], overwrite=True) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(plain(content), indent=1, default=str, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """What JSON can hold: a figure that there is not becomes null."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
