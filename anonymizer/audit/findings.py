"""What was found wrong, each fault by its name, and the one sentence that answers the question.

The threshold of the detail test was set on photos of 136 people. The peak of 680 faces made by this tool, five personas
each, is .088 at most (median -.01); with a cover of 60 % it is .30 at least (.17 in JPEG of quality 70), with one of
80 % .16 (.08). docs/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.audit.baselines import FLOOR
from anonymizer.audit.detail import FaceShine
from anonymizer.audit.photos import AFTER, Looked
from anonymizer.audit.reidentify import Reidentification, Row

SHINES = 0.13  # peak of one face
MEDIAN_SHINES = 0.06  # median peak over at least MANY people; covered faces lie below 0
CLIP_MEDIAN_SHINES = 0.1  # over a clip a chance likeness stays for all frames
MANY = 10
LEAST_PEOPLE = 20
ONE_FACE = 0.5  # share of pairs of different people that count as one person
LINKED = 0.1  # of area under the curve, above that of anonymized to raw photos; what it gives: docs/evaluation.md


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: raw frame, see-through, region left out, one face for all, persona follows the face. where: names of
    photos or numbers of frames."""

    kind: str
    where: tuple[str, ...]
    text: str


def of_face(shine: FaceShine) -> str | None:
    """What is wrong with one face: its kind, or None. A region left out is named: `region left out: mouth`."""
    seen = {name: s for name, s in shine.regions.items() if np.isfinite(s.likeness)}
    bare = [name for name, s in seen.items() if s.untouched]
    if seen and len(bare) == len(seen):
        return "raw"
    if shine.peak >= SHINES:
        return "see-through"
    return f"region left out: {', '.join(bare)}" if bare else None


def faults_of_faces(shines: Mapping[str, FaceShine], unit: str, median_at: float = MEDIAN_SHINES) -> list[Fault]:
    """shines: by photo or frame. A weak cover is also found in the median over many faces."""
    by_kind: dict[str, list[str]] = {}
    for where, shine in shines.items():
        if (kind := of_face(shine)) is not None:
            by_kind.setdefault(kind, []).append(where)
    faults = [Fault(kind, tuple(where), _in_words(kind, where, shines, unit)) for kind, where in by_kind.items()]
    if "see-through" not in by_kind:
        faults += _weak_cover(shines, unit, median_at)
    return faults


def _in_words(kind: str, where: Sequence[str], shines: Mapping[str, FaceShine], unit: str) -> str:
    count = f"{len(where)} of {len(shines)} {unit}"
    if kind == "raw":
        return f"the true face is there as it was in {count}"
    if kind == "see-through":
        share = _share([shines[name] for name in where])
        return f"the cover lets the true face through in {count}: about {100 * share:.0f} % of its detail"
    return f"{kind.removeprefix('region left out: ')} not covered in {count}"


def _weak_cover(shines: Mapping[str, FaceShine], unit: str, median_at: float) -> list[Fault]:
    peaks = [shine.peak for shine in shines.values() if np.isfinite(shine.peak)]
    if len(peaks) < MANY or np.median(peaks) < median_at:
        return []
    share = _share(list(shines.values()))
    text = f"over {len(shines)} {unit} the true face can be made out: about {100 * share:.0f} % of its detail"
    return [Fault("see-through", (), text)]


def _share(shines: Sequence[FaceShine]) -> float:
    """Median over faces and regions of how much of the detail's strength is there."""
    shares = [s.share for shine in shines for s in shine.regions.values() if np.isfinite(s.share)]
    return float(np.median(shares)) if shares else float("nan")


def photo_faults(looked: Looked, found: Reidentification) -> list[Fault]:
    faults = faults_of_faces({key: facts.shine for key, facts in looked.facts.items()}, "photos")
    one_face = [share for share in found.same_persona.values() if share >= ONE_FACE]
    if one_face and len(one_face) == len(found.same_persona):
        text = f"different people got one face: {100 * min(one_face):.0f} % of pairs or more count as one person"
        faults.append(Fault("one face for all", (), text))
    for name, over in found.links_over_raw.items():
        if over.low > LINKED and found.people >= LEAST_PEOPLE:
            text = (
                f"two anonymized photos of one person can be linked ({name}: area under the curve {over.value:+.2f} "
                "over that of finding the true face by them): the new face follows the true one"
            )
            faults.append(Fault("persona follows the face", (), text))
    return faults


def answer(found: Reidentification, faults: Sequence[Fault]) -> str:
    """One sentence."""
    worst = max((row for row in found.rows if row.method == AFTER), key=lambda row: row.above_floor.low)
    by = {row.method: row for row in found.rows if row.recogniser == worst.recogniser}
    base = _base(found, worst, by)
    if faults:
        return f"Not safe: {'; '.join(dict.fromkeys(fault.text for fault in faults))}. {base}"
    if found.people < LEAST_PEOPLE:
        return f"Too few people ({found.people}, wanted {LEAST_PEOPLE}) to claim anything. {base}"
    gap = worst.above_floor
    interval = f"{gap.value:+.3f} area under the curve, 95 % interval {gap.low:+.3f} to {gap.high:+.3f}"
    if gap.low > 0:
        return f"More recognisable than by what lies around the face ({interval}). {base}"
    people = f"as far as {found.people} people can show"
    return f"Not measurably more recognisable than by what lies around the face, {people} ({interval}). {base}"


def _base(found: Reidentification, worst: Row, by: Mapping[str, Row]) -> str:
    photo = "another photo" if found.other_photo else "the very photo that was anonymized"
    return (
        f"From {photo} among {found.looked_among} people {worst.recogniser} names {_percent(worst.rank1.value)} "
        f"(raw {_percent(by['raw'].rank1.value)}, one face for all {_percent(by[FLOOR].rank1.value)}, "
        f"chance {_percent(found.chance_rank1)})."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
