"""The report of a clip: one sentence, one page, one object."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from anonymizer.audit import page, plots
from anonymizer.audit.clip_figures import Identity, Kept, likeness_over_time
from anonymizer.audit.clips import ClipLooked
from anonymizer.audit.expression_names import EXPRESSION_NAMES
from anonymizer.audit.findings import Fault
from anonymizer.audit.plots import Series

HOW = (
    "In every frame in which a face is found in BEFORE, its fine detail is looked for in AFTER at the same place, in "
    "eyes, nose and mouth apart: 1 is the true face untouched, a covered one scatters around 0. Whether strangers can "
    "be told apart cannot be said from one clip; the likeness to other moments of BEFORE stands beside that of the "
    "raw face and of one finished face put in its place, which is what lies around the face."
)


def clip_answer(looked: ClipLooked, identity: Identity, faults: Sequence[Fault]) -> str:
    frames = len(looked.facts)
    base = (
        f"{frames} of {looked.frames} frames have a face and were checked; {identity.recogniser} takes the anonymized "
        f"for the true face in {100 * identity.accepted:.0f} % of {identity.moments} × {identity.moments - 1} pairs "
        f"(one face for all: {100 * identity.floor_accepted:.0f} %)."
    )
    if faults:
        return f"Not safe: {'; '.join(dict.fromkeys(fault.text for fault in faults))}. {base}"
    return f"The true face was seen in none of these frames. {base}"


def clip_json(
    looked: ClipLooked, identity: Identity, kept: Kept, faults: Sequence[Fault], answer: str
) -> dict[str, Any]:
    numbers = dataclasses.asdict(kept)
    numbers["expression"] = {EXPRESSION_NAMES[i]: value for i, value in kept.expression.items()}
    return {
        "answer": answer,
        "faults": [{"kind": f.kind, "where": list(f.where), "text": f.text} for f in faults],
        "frames": looked.frames,
        "frames_after": looked.frames_after,
        "frames_with_face": len(looked.facts),
        "faces_checked": sum(len(facts.shines) for facts in looked.facts),
        "other_detector": {
            "looks": looked.other_looks,
            "faces": looked.other_faces,
            "missed_by_ours": looked.missed,
        },
        "identity": dataclasses.asdict(identity),
        "kept": numbers,
        "expression_mean": _mean(list(kept.expression.values())),
    }


def clip_page(
    looked: ClipLooked, identity: Identity, kept: Kept, faults: Sequence[Fault], answer: str, about: str
) -> str:
    sections = [("What was asked", page.paragraph(HOW, soft=True) + _counts(looked))]
    if faults:
        lines = [f"{f.kind}: {f.text}{_frames(f.where)}" for f in faults]
        sections.append(("Faults", page.bullets(lines) + page.faces(looked.thumbnails)))
    seconds, series = likeness_over_time(looked)
    alarms = _alarms(looked, faults)
    drawn = plots.over_time([Series(name, values) for name, values in series.items()], seconds, alarms, (-0.5, 1.0))
    sections.append(("The true face's detail in AFTER, over time (s)", drawn))
    sections.append((f"Identity: {identity.recogniser}", _identity_table(identity)))
    sections.append(("What was kept", _kept_table(kept)))
    sections.append(("What ran", page.paragraph(about, soft=True)))
    return page.page("Audit of an anonymized clip", answer, "bad" if faults else "good", sections)


def _counts(looked: ClipLooked) -> str:
    return page.facts(
        {
            "frames": str(looked.frames),
            "frames with a face of 48 px or more": str(len(looked.facts)),
            "faces checked": str(sum(len(facts.shines) for facts in looked.facts)),
            "looks of a detector that is no part of the product": str(looked.other_looks),
            "faces it found": str(looked.other_faces),
            "of them missed by the audit's own search, then checked too": str(looked.missed),
        }
    )


def _identity_table(identity: Identity) -> str:
    rows = [
        ["likeness to BEFORE at other moments", identity.to_raw, identity.floor_to_raw, identity.raw_to_raw],
        ["taken for one person with BEFORE", identity.accepted, identity.floor_accepted, identity.raw_within],
        ["one person within the clip", identity.within, None, identity.raw_within],
        ["likeness from one frame to the next", identity.steady, None, identity.raw_steady],
    ]
    cells = [[str(name), *("" if v is None else f"{v:.3f}" for v in values)] for name, *values in rows]
    head = [f"{identity.moments} moments", "anonymized", "one face for all", "raw"]
    return page.table(head, cells)


def _kept_table(kept: Kept) -> str:
    values = {
        "frames compared": str(kept.samples),
        "with a face in AFTER": f"{100 * kept.found:.1f} %",
        "head pose off, median": f"{kept.pose_deg:.2f}°",
        "gaze off, median": f"{kept.gaze_rad:.3f} rad",
        "expression, mean correlation": f"{_mean(list(kept.expression.values())):.3f}",
        "flicker: change from frame to frame after motion is taken out": f"{kept.warp_after:.2f} levels of 255 "
        f"(raw {kept.warp_before:.2f})",
        **{f"paths of points, {name}": f"{value:.3f}" for name, value in kept.points.items()},
    }
    names = sorted(kept.expression, key=lambda i: -kept.expression[i])
    cells = [[EXPRESSION_NAMES[i], f"{kept.expression[i]:.3f}"] for i in names]
    listed = page.paragraph("Correlation over the clip of each coefficient that moved in BEFORE:", soft=True)
    return page.facts(values) + listed + page.table(["coefficient", "correlation"], cells)


def _alarms(looked: ClipLooked, faults: Sequence[Fault]) -> list[float]:
    named = {int(where.split(" ")[0]) for f in faults for where in f.where if where[:1].isdigit()}
    return [facts.at_s for facts in looked.facts if facts.index in named] if len(named) <= 200 else []


def _frames(where: Sequence[str], most: int = 40) -> str:
    return f" (frames {', '.join(where[:most])}{' …' if len(where) > most else ''})" if where else ""


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
