"""The report of photo pairs: one page for people, one object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer.adapters.image_reader import read_image
from anonymizer.audit import page, plots
from anonymizer.audit.baselines import FLOOR
from anonymizer.audit.findings import LEAST_PEOPLE, Fault
from anonymizer.audit.metrics import Figure
from anonymizer.audit.photos import AFTER, Looked
from anonymizer.audit.plots import Series
from anonymizer.audit.reidentify import Reidentification, Row

SHOWN = 12  # thumbnails
HOW = (
    "Every recogniser gets the largest face of each photo, aligned by landmarks; where none is found in an anonymized "
    "photo, by those of the raw one, so that hiding from a detector does not count. Rank-1: the person is named first. "
    "AUC: how often the own person is more alike than a stranger, .5 is chance. TAR: own photos accepted when 1 % of "
    "strangers are. Intervals: 95 %, bootstrapped over people. Two floors show what is left around the face: its oval "
    "and 15 % painted grey, which handicaps the recogniser, and one finished face for everybody, which does not."
)


def as_json(looked: Looked, found: Reidentification, faults: Sequence[Fault], answer: str) -> dict[str, Any]:
    return {
        "answer": answer,
        "faults": [{"kind": f.kind, "where": list(f.where), "text": f.text} for f in faults],
        "people": found.people,
        "photos": found.probes,
        "sets": found.groups,
        "looked_among": found.looked_among,
        "enough_people": found.people >= LEAST_PEOPLE,
        "gallery": "other photo" if found.other_photo else "same photo",
        "chance_rank1": found.chance_rank1,
        "without_face_in_before": looked.faceless,
        "rows": [_row_json(row) for row in found.rows],
        "links": [_row_json(row) for row in found.links],
        "different_people_as_one": {"anonymized": found.same_persona, "raw": found.same_person_raw},
        "regions": [
            {"region": r.region, "recogniser": r.recogniser, "loss": _figure_json(r.loss), "likeness": r.likeness}
            for r in found.regions
        ],
        "kept": kept(looked),
    }


def kept(looked: Looked) -> dict[str, Any]:
    """What was kept of pose and gaze, and who finds the face again."""
    facts = list(looked.facts.values())
    other = [f for f in facts if f.other_before]
    pose = [f.pose_deg for f in facts if f.pose_deg is not None]
    gaze = [f.gaze for f in facts if f.gaze is not None]
    return {
        "faces": len(facts),
        "found_again": float(np.mean([f.found_after for f in facts])),
        "other_detector_faces": len(other),
        "other_detector_found_again": float(np.mean([f.other_after for f in other])) if other else None,
        "pose_off_deg_median": float(np.median(pose)) if pose else None,
        "pose_off_deg_p95": float(np.percentile(pose, 95)) if pose else None,
        "gaze_off_half_eye_widths_median": float(np.median(gaze)) if gaze else None,
    }


def as_page(
    looked: Looked, found: Reidentification, faults: Sequence[Fault], answer: str, files: dict[str, Path], about: str
) -> str:
    """files: AFTER by key, for thumbnails. about: what ran, on what."""
    tone = "bad" if faults else "open" if found.people < LEAST_PEOPLE or answer.startswith("More") else "good"
    counts = f"{found.people} people, {found.probes} photos in {found.groups} set(s); each looked for among about "
    counts += f"{found.looked_among} people, by {'another' if found.other_photo else 'the very same'} photo."
    sections = [("What was asked", page.paragraph(counts) + page.paragraph(HOW, soft=True))]
    if faults:
        sections.append(("Faults", page.bullets([_fault_line(f) for f in faults])))
    for recogniser in looked.recognisers:
        rows = [row for row in found.rows if row.recogniser == recogniser.name]
        sections.append((f"Who is recognised: {recogniser.name}", _tables(rows) + _likeness(rows)))
    sections += link_sections(found.links)
    names = [r.name for r in looked.recognisers]
    sections.append(("Which part still speaks", _regions(found, names)))
    sections.append(("What was kept", page.facts(_kept_words(kept(looked)))))
    sections.append(("Most recognised, as anonymized", page.faces(_most_recognised(looked, found, files))))
    sections.append(("What ran", page.paragraph(about, soft=True)))
    return page.page("Audit of anonymized photos", answer, tone, sections)


def link_sections(links: Sequence[Row]) -> list[tuple[str, str]]:
    """Title and table for each recogniser, since each has thresholds of its own."""
    return [
        (
            f"Can two anonymized photos of one person be linked? {name}",
            _table([row for row in links if row.recogniser == name]),
        )
        for name in dict.fromkeys(row.recogniser for row in links)
    ]


def _tables(rows: Sequence[Row]) -> str:
    auc = plots.ranges([(row.method, [row.auc]) for row in rows], ["AUC"], (0.4, 1.0), 0.5)
    return _table(rows) + auc


def _table(rows: Sequence[Row]) -> str:
    thresholds = list(rows[0].accepted)
    head = ["", "rank-1", "AUC", "TAR at FAR 1 %", "AUC over floor", *(f"accepted, {name}" for name in thresholds)]
    cells = [
        [
            row.method,
            *(_with_interval(f) for f in (row.rank1, row.auc, row.tar)),
            "" if row.method == FLOOR else _with_interval(row.above_floor, sign="+"),
            *(f"{row.accepted[name]:.3f}" for name in thresholds),
        ]
        for row in rows
    ]
    return page.table(head, cells, [row.method == AFTER for row in rows])


def _likeness(rows: Sequence[Row]) -> str:
    by = {row.method: row for row in rows}
    series = [Series("strangers, anonymized", by[AFTER].impostor), Series("own person, anonymized", by[AFTER].genuine)]
    series += [Series("own person, one face for all", by[FLOOR].genuine), Series("own person, raw", by["raw"].genuine)]
    return page.paragraph("How alike the photos are, by this recogniser's own measure:", soft=True) + plots.histogram(
        series
    )


def _regions(found: Reidentification, names: Sequence[str]) -> str:
    regions = list(dict.fromkeys(r.region for r in found.regions))
    rows = [(region, [r.loss for r in found.regions if r.region == region]) for region in regions]
    everything = [value for _, figures in rows for f in figures for value in (f.low, f.high) if np.isfinite(value)]
    limits = (min(everything, default=-0.01), max(everything, default=0.01))
    left = ", ".join(f"{r.likeness:.3f} ({r.recogniser})" for r in found.regions if r.region == regions[0])
    text = (
        f"The likeness to the own person's raw photo, less that to strangers', is {left}. This much of it goes when a "
        "part of the anonymized picture is hidden; right of 0, that part helps to recognise."
    )
    return page.paragraph(text, soft=True) + plots.ranges(rows, names, limits, 0.0)


def _most_recognised(looked: Looked, found: Reidentification, files: dict[str, Path]) -> list[Any]:
    """Of the recogniser that does best; `own` is the likeness to the own raw photo."""
    rows = [row for row in found.rows if row.method == AFTER]
    best = max(rows, key=lambda row: row.auc.value)
    probes = [p for p in looked.attack.probes if p.key in looked.facts]
    if len(best.genuine) != len(probes):
        return []
    order = np.argsort(best.genuine)[::-1][:SHOWN]
    return [(read_image(files[probes[i].key]).rgb, f"{probes[i].key}: {best.genuine[i]:.2f}") for i in order]


def _kept_words(values: dict[str, Any]) -> dict[str, str]:
    return {name.replace("_", " "): "-" if v is None else f"{v:.3g}" for name, v in values.items()}


def _fault_line(fault: Fault) -> str:
    where = f" ({', '.join(fault.where[:SHOWN])}{' …' if len(fault.where) > SHOWN else ''})" if fault.where else ""
    return f"{fault.kind}: {fault.text}{where}"


def _with_interval(figure: Figure, sign: str = "") -> str:
    return f"{figure.value:{sign}.3f} [{figure.low:{sign}.3f} to {figure.high:{sign}.3f}]"


def _figure_json(figure: Figure) -> dict[str, float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "method": row.method,
        "recogniser": row.recogniser,
        **{name: _figure_json(getattr(row, name)) for name in ("rank1", "auc", "tar", "above_floor")},
        "accepted": row.accepted,
        "likeness_own_mean": float(np.mean(row.genuine)),
        "likeness_strangers_mean": float(np.mean(row.impostor)) if row.impostor else None,
    }
