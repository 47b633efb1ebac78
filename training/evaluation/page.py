"""An evaluation as one HTML page, other runs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anonymizer.audit import page, plots
from anonymizer.audit.metrics import Figure

SEAM = "seam, by distance from the hole's edge"


def as_page(content: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    runs = _named_apart([content, *others])
    judged = [found for part in content["measures"].values() for found in part["findings"] if found["met"] is not None]
    missed = [found for found in judged if not found["met"]]
    said = f"{content['name']}, {content['images_seen']:,} images seen: {len(judged) - len(missed)} of {len(judged)} "
    said += "wanted figures are met." if judged else "figures are judged."
    if any(part["limit"] for part in content["measures"].values()):
        said += " Some measures saw few pictures only; read their intervals."
    sections = [("What ran", _about(runs))]
    for name, part in content["measures"].items():
        sections.append((_heading(name, part), _findings(name, runs) + _notes(part)))
        sections += [(title, _table(name, title, runs)) for title in part["tables"]]
    return page.page("Evaluation of a generator", said, "bad" if missed else "good", sections)


def _named_apart(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of one name get a number."""
    names = [run["name"] for run in runs]
    return [
        {**run, "name": f"{name} ({names[:at].count(name) + 1})"} if names.count(name) > 1 else run
        for at, (run, name) in enumerate(zip(runs, names, strict=True))
    ]


def _heading(name: str, part: dict[str, Any]) -> str:
    limit = f", limited to {part['limit']}" if part["limit"] else ""
    return f"{name} ({part['seconds']:.0f} s{limit})"


def _about(runs: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            run["name"],
            f"{run['size_px']}",
            f"{run['images_seen']:,}",
            ", ".join(f"{name} {sha[:12]}" for name, sha in run["sha256"].items()),
            f"{run['machine']['processor']}, {run['machine']['cores']} cores",
        ]
        for run in runs
    ]
    return page.table(["weights", "px", "images seen", "SHA-256", "machine"], rows)


def _findings(name: str, runs: Sequence[dict[str, Any]]) -> str:
    found = [_by_name(run, name) for run in runs]
    head = ["", "wanted", *(run["name"] for run in runs), "of", ""]
    rows = []
    for title, own in found[0].items():
        cells = [_figure(them[title]) if title in them else "" for them in found]
        met = {True: "met", False: "not met", None: ""}[own["met"]]
        rows.append([title, _wanted(own), *cells, f"{own['count']} {own['of']}", met])
    return page.table(head, rows, [own["met"] is False for own in found[0].values()])


def _by_name(run: dict[str, Any], measure: str) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in run["measures"].get(measure, {"findings": []})["findings"]}


def _wanted(found: dict[str, Any]) -> str:
    bounds = [f"{sign} {found[key]:g}" for sign, key in (("≤", "at_most"), ("≥", "at_least")) if found[key] is not None]
    which = {"value": "", "low": " (lower bound)", "high": " (upper bound)"}[found["judged"]]
    return " and ".join(bounds) + (which if bounds else "")


def _figure(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "not measured"
    if found["low"] is None:
        return f"{found['value']:.4g}"
    return f"{found['value']:.4g} [{found['low']:.4g} to {found['high']:.4g}]"


def _notes(part: dict[str, Any]) -> str:
    return "".join(page.paragraph(note, soft=True) for note in part["notes"])


def _table(measure: str, title: str, runs: Sequence[dict[str, Any]]) -> str:
    """The first run's table, and for the seam a plot of all runs."""
    rows = runs[0]["measures"][measure]["tables"][title]
    if not rows:
        return page.paragraph("nothing", soft=True)
    drawn = page.table(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
    return (_seam_plot(measure, runs) if title == SEAM else "") + drawn


def _seam_plot(measure: str, runs: Sequence[dict[str, Any]]) -> str:
    tables = [run["measures"].get(measure, {"tables": {}})["tables"].get(SEAM) for run in runs]
    there = [(run["name"], table) for run, table in zip(runs, tables, strict=True) if table]
    rows = [
        (
            f"{row['px']:+d} px",
            [Figure(table[at]["network"], table[at]["low"], table[at]["high"]) for _, table in there],
        )
        for at, row in enumerate(there[0][1])
        if row["low"] is not None
    ]
    return plots.ranges(rows, [name for name, _ in there], (0.0, 1.6), 1.0) if rows else ""


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
