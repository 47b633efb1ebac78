"""Who is recognised: London and Congress pooled, `face` coverage, beside baselines and both floors.

One persona's area under the curve, and that of the one finished face of the floor, differ from another's by .02
(standard deviation), so what is wanted is asked of the means over several of both, too.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer import app
from anonymizer.audit.baselines import FLOOR
from anonymizer.audit.metrics import Scores, measure, people_draws
from anonymizer.audit.photo_pairs import Photo, photos_in
from anonymizer.audit.photos import AFTER, Key, Looked, Sources, look_at_photos
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.reidentify import LINK, Row, reidentify
from anonymizer.audit.seen import audit_finder
from anonymizer.frames import Verdict
from anonymizer.settings import load_settings
from training.evaluation.findings import Array, Finding, finding, mean_finding
from training.evaluation.job import Job, Part
from training.measure.attribution import Attack, Renderer, Version, drawings, mean_area
from training.measure.evaluation import SETS

GREY = "context only, grey"
MOST_ABOVE_FLOOR = 0.06
_LIMIT: dict[str, Any] = {"at_most": MOST_ABOVE_FLOOR, "judged": "high"}
DRAWINGS = 8  # personas of each person, and finished faces of the floor


def evaluate(job: Job) -> Part:
    with people(job) as before:
        photos = [p for p in photos_in(before) if p.view]
        probes = [p for p in photos if SETS[p.group] == p.view]
        verdicts = _anonymize(job, probes, "face")
        _anonymize(job, [p for p in photos if SETS[p.group] != p.view], "again")
        out = job.folder("anonymity")
        with audit_finder() as finder:
            looked = look_at_photos(Sources(before, out / "face", {}, out / "again"), job.recognisers(), finder)
        many = over_many_faces(job, before)
    found = reidentify(looked)
    rows = [*found.rows, *found.links]
    findings = [mean_finding("probes REPLACED", [float(v is Verdict.REPLACED) for v in verdicts], "photos", at_least=1)]
    for recogniser in looked.recognisers:
        own = [row for row in rows if row.recogniser == recogniser.name]
        findings += [many[recogniser.name], *_findings(own, found.people, looked, recogniser)]
    counts = ", ".join(f"{count} {verdict.value}" for verdict, count in Counter(verdicts).items())
    chance = f"{found.people} people; rank-1 by chance {found.chance_rank1:.3f}. Verdicts of the probes: {counts}."
    return Part(findings, {f"recognised by {r.name}": _table(rows, r.name) for r in looked.recognisers}, [chance])


@contextmanager
def people(job: Job) -> Iterator[Path]:
    """A folder of links to both sets, with a limit only to so many people of each: no photo is copied."""
    with tempfile.TemporaryDirectory() as folder:
        for name in SETS:
            photos = photos_in(job.data / "eval" / name)
            known = sorted({p.person for p in photos if p.view})[: job.limit]
            (Path(folder) / name).mkdir()
            for photo in photos:
                if photo.person in known:
                    (Path(folder) / name / photo.path.name).symlink_to(photo.path.resolve())
        yield Path(folder)


def _anonymize(job: Job, photos: list[Photo], name: str) -> list[Verdict]:
    """Into OUT/anonymity/NAME by set, through the very path of `anonymizer image`, in this process."""
    settings = load_settings(None, {"threads": 1})
    verdicts = []
    with job.installed():
        for group in sorted({p.group for p in photos}):
            target = job.folder(f"anonymity/{name}/{group}")
            some = [p.path for p in photos if p.group == group]
            report = app.run_images(some, target, settings, True, lambda _: None)
            verdicts += [image.verdict for image in report.images]
    return verdicts


def _findings(rows: list[Row], people_count: int, looked: Looked, recogniser: Recogniser) -> list[Finding]:
    after = next(row for row in rows if row.method == AFTER)
    floor = next(row for row in rows if row.method == FLOOR)
    name, of = recogniser.name, (people_count, "people")
    above = after.above_floor
    found = [
        Finding(f"{name}: AUC over one face for all", above.value, above.low, above.high, *of, **_LIMIT),
        finding(f"{name}: AUC over grey", over(looked, recogniser, GREY), *of, **_LIMIT),
        Finding(f"{name}: AUC", after.auc.value, after.auc.low, after.auc.high, *of),
        Finding(f"{name}: AUC of one face for all", floor.auc.value, floor.auc.low, floor.auc.high, *of),
        Finding(f"{name}: rank-1", after.rank1.value, after.rank1.low, after.rank1.high, *of),
    ]
    for row in rows:
        if row.method == LINK:
            title = f"{name}: AUC of links run to run, over the floor"
            found.append(Finding(title, row.above_floor.value, row.above_floor.low, row.above_floor.high, *of))
    return found


def over_many_faces(job: Job, photos: Path) -> dict[str, Finding]:
    """By recogniser: area under the curve over the floor, the means of DRAWINGS personas each and finished faces."""
    attack = Attack(photos, job.recognisers())
    floors = attack.floors(DRAWINGS)
    with job.installed():
        drawn = drawings(attack, Renderer(), Version(), DRAWINGS)
    return {
        recogniser.name: finding(
            f"{recogniser.name}: AUC over the floor, {DRAWINGS} personas and faces",
            mean_area(each) - floor,
            len(attack.probes),
            "people",
            **_LIMIT,
        )
        for recogniser, each, floor in zip(attack.recognisers, drawn, floors, strict=True)
    }


def over(looked: Looked, recogniser: Recogniser, floor: str) -> Array:
    """AUC of AFTER minus that of a floor, the value and each draw, drawn with the same people."""
    probes = [p for p in looked.attack.probes if p.key in looked.facts]
    gallery = {p.key: p for some in looked.attack.gallery.values() for p in some if p.key not in looked.faceless}
    numbers = {name: i for i, name in enumerate(sorted({p.person for p in (*probes, *gallery.values())}))}
    draws = people_draws(len(numbers))
    ours, theirs = (
        measure(_scores(looked, recogniser, m, probes, gallery, numbers), draws).auc for m in (AFTER, floor)
    )
    return ours - theirs


def _scores(
    looked: Looked,
    recogniser: Recogniser,
    method: str,
    probes: list[Photo],
    gallery: dict[str, Photo],
    numbers: dict[str, int],
) -> Scores:
    a = np.stack([looked.vectors[Key(method, recogniser.name, p.key)] for p in probes])
    b = np.stack([looked.vectors[Key("raw", recogniser.name, key)] for key in gallery])
    allowed = {view: {p.key for p in photos} for view, photos in looked.attack.gallery.items()}
    comparable = [[q.group == p.group and q.key in allowed[p.view] for q in gallery.values()] for p in probes]
    return Scores(
        recogniser.similarity(a, b).astype(np.float64),
        np.array([numbers[p.person] for p in probes]),
        np.array([numbers[p.person] for p in gallery.values()]),
        np.array(comparable),
    )


def _table(rows: list[Row], recogniser: str) -> list[dict[str, Any]]:
    return [
        {"": row.method}
        | {
            name: f"{figure.value:.3f} [{figure.low:.3f} to {figure.high:.3f}]"
            for name, figure in (("rank-1", row.rank1), ("AUC", row.auc), ("TAR at FAR 1 %", row.tar))
        }
        for row in rows
        if row.recogniser == recogniser
    ]
