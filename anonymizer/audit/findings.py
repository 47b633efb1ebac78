"""What was found wrong, each fault by its name, and the one sentence that answers the question.

Thresholds of the detail test were set on 136 photo pairs of 136 people, anonymized by this tool: the mean likeness of
eyes, nose and mouth was .38 at most there, and .47 at least when the cover was made 60 % opaque.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.audit.baselines import FLOOR
from anonymizer.audit.detail import INNER, Shine
from anonymizer.audit.photos import AFTER, Looked
from anonymizer.audit.reidentify import LINK, Reidentification, Row

SHINES = 0.42  # mean likeness of the inner regions of one face
MEDIAN_SHINES = 0.2  # median likeness of a region over at least MANY people; covered faces scatter around 0
CLIP_MEDIAN_SHINES = 0.25  # over a clip a chance likeness of one region stays for all frames: all three must have it
MANY = 10
UNTOUCHED, UNTOUCHED_SHARE = 0.8, 0.7  # likeness and strength of a region that was left as it was
LEAST_PEOPLE = 20
ONE_FACE = 0.5  # share of pairs of different people that count as one person
LINKED = 0.02  # of area under the curve, above the floor of such links


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: raw frame, see-through, region left out, one face for all, persona follows the face. where: names of
    photos or numbers of frames."""

    kind: str
    where: tuple[str, ...]
    text: str


def of_face(shine: Mapping[str, Shine]) -> str | None:
    """What is wrong with one face: its kind, or None. A region left out is named: `region left out: mouth`."""
    seen = {name: s for name, s in shine.items() if np.isfinite(s.likeness)}
    if not seen:
        return None
    bare = [name for name, s in seen.items() if s.likeness >= UNTOUCHED and s.share >= UNTOUCHED_SHARE]
    if len(bare) == len(seen):
        return "raw"
    if np.mean([s.likeness for name, s in seen.items() if name not in bare] or [1.0]) >= SHINES:
        return "see-through"
    return f"region left out: {', '.join(bare)}" if bare else None


def faults_of_faces(
    shines: Mapping[str, Mapping[str, Shine]], unit: str, median_at: float = MEDIAN_SHINES
) -> list[Fault]:
    """shines: by photo or frame, then region. A weak cover is also found in the median over many faces."""
    by_kind: dict[str, list[str]] = {}
    for where, shine in shines.items():
        if (kind := of_face(shine)) is not None:
            by_kind.setdefault(kind, []).append(where)
    faults = [Fault(kind, tuple(where), _in_words(kind, where, shines, unit)) for kind, where in by_kind.items()]
    if "see-through" not in by_kind:
        faults += _weak_cover(shines, unit, median_at)
    return faults


def _in_words(kind: str, where: Sequence[str], shines: Mapping[str, Mapping[str, Shine]], unit: str) -> str:
    count = f"{len(where)} of {len(shines)} {unit}"
    if kind == "raw":
        return f"the true face is there as it was in {count}"
    if kind == "see-through":
        share = np.median([s.share for name in where for s in shines[name].values() if np.isfinite(s.share)])
        return f"the cover lets the true face through in {count}: about {100 * share:.0f} % of its detail"
    return f"{kind.removeprefix('region left out: ')} not covered in {count}"


def _weak_cover(shines: Mapping[str, Mapping[str, Shine]], unit: str, median_at: float) -> list[Fault]:
    if len(shines) < MANY:
        return []
    medians = {name: float(np.nanmedian([s[name].likeness for s in shines.values()])) for name in INNER}
    through = [name for name, value in medians.items() if value >= median_at]
    if not through or (median_at == CLIP_MEDIAN_SHINES and len(through) < len(INNER)):
        return []
    share = np.nanmedian([s[name].share for s in shines.values() for name in through])
    kind = "see-through" if len(through) == len(INNER) else f"region left out: {', '.join(through)}"
    text = f"over {len(shines)} {unit} the true {', '.join(through)} can be made out: about {100 * share:.0f} % of it"
    return [Fault(kind, (), text)]


def photo_faults(looked: Looked, found: Reidentification) -> list[Fault]:
    faults = faults_of_faces({key: facts.shine for key, facts in looked.facts.items()}, "photos")
    one_face = [share for share in found.same_persona.values() if share >= ONE_FACE]
    if one_face and len(one_face) == len(found.same_persona):
        text = f"different people got one face: {100 * min(one_face):.0f} % of pairs or more count as one person"
        faults.append(Fault("one face for all", (), text))
    for row in found.links:
        if row.method == LINK and row.above_floor.low > LINKED and found.people >= LEAST_PEOPLE:
            text = (
                f"two anonymized photos of one person can be linked ({row.recogniser}: area under the curve "
                f"{row.auc.value:.2f}, {row.above_floor.value:+.2f} over the floor): the new face follows the true one"
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
