"""From vectors to tables: who is recognised, run to run linked, and which region of the picture does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from anonymizer.audit.baselines import BASELINES, FLOOR
from anonymizer.audit.metrics import (
    Array,
    Drawn,
    Figure,
    Scores,
    chance_rank1,
    figure,
    measure,
    people_draws,
)
from anonymizer.audit.photo_pairs import Photo
from anonymizer.audit.photos import AFTER, AGAIN, KNOWN_POINTS, Key, Looked
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.regions import REGIONS

LINK = "anonymized with anonymized"
LINK_FLOOR = "one face for all with the same"


@dataclass(frozen=True, slots=True)
class Row:
    """One method under one recogniser. accepted: share of own photos at or above each published threshold.
    above_floor: area under the curve minus the floor's, drawn with the same people."""

    method: str
    recogniser: str
    rank1: Figure
    auc: Figure
    tar: Figure
    accepted: dict[str, float]
    above_floor: Figure
    genuine: list[float] = field(repr=False)
    impostor: list[float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegionRow:
    """How much of the residual likeness (own person's minus strangers') goes when a region is hidden: 0 nothing,
    1 all. loss: in the recogniser's own units."""

    region: str
    recogniser: str
    loss: Figure
    likeness: float


@dataclass(frozen=True, slots=True)
class Reidentification:
    people: int
    probes: int
    groups: int
    looked_among: int
    other_photo: bool
    chance_rank1: float
    rows: list[Row]
    links: list[Row]
    regions: list[RegionRow]
    links_over_raw: dict[str, Figure]
    """By recogniser: area under the curve of links between two anonymized photos, less that of anonymized to raw: above
    0 when two new faces of one person are more alike than the new face and the true one."""
    same_persona: dict[str, float]
    """By recogniser: share of pairs of DIFFERENT people whose anonymized faces count as one person."""
    same_person_raw: dict[str, float]
    """The same of their raw faces: the floor."""


def reidentify(looked: Looked) -> Reidentification:
    """All tables. The methods are those that every probe has a vector of."""
    probes = [p for p in looked.attack.probes if p.key in looked.facts]
    gallery = _gallery(looked)
    people = {name: number for number, name in enumerate(sorted({p.person for p in (*probes, *gallery)}))}
    draws = people_draws(len(people))
    named = {key.method for key in looked.vectors} - {"raw", AGAIN} - {f"without {region}" for region in REGIONS}
    order = [*BASELINES, AFTER, KNOWN_POINTS]
    methods = [m for m in order if m in named or m == "raw"] + sorted(named - set(order))
    rows, links, regions = [], [], []
    links_over_raw = {}
    for recogniser in looked.recognisers:
        table = _Table(looked, recogniser, probes, gallery, people, draws)
        rows += table.rows(methods, "raw", FLOOR)
        if theirs := table.links():
            links += theirs
            links_over_raw[recogniser.name] = table.links_over_raw()
        regions += table.regions()
    first = _Table(looked, looked.recognisers[0], probes, gallery, people, draws).scores("raw", "raw", probes)
    return Reidentification(
        people=len({p.person for p in probes}),
        probes=len(probes),
        groups=len({p.group for p in probes}),
        looked_among=round(float(first.comparable.sum(1).mean())),
        other_photo=looked.attack.other_photo,
        chance_rank1=chance_rank1(first),
        rows=rows,
        links=links,
        regions=regions,
        links_over_raw=links_over_raw,
        same_persona=_shared(looked, probes, AFTER),
        same_person_raw=_shared(looked, probes, "raw"),
    )


class _Table:
    def __init__(
        self,
        looked: Looked,
        recogniser: Recogniser,
        probes: Sequence[Photo],
        gallery: Sequence[Photo],
        people: dict[str, int],
        draws: Array,
    ) -> None:
        self._looked, self._recogniser, self._people, self._draws = looked, recogniser, people, draws
        self._probes, self._gallery = probes, gallery

    def rows(self, methods: Sequence[str], gallery_method: str, floor: str) -> list[Row]:
        drawn: dict[str, Drawn] = {}
        out = []
        for method in [floor, *(m for m in methods if m != floor)]:
            probes = [p for p in self._probes if self._key(method, p) in self._looked.vectors]
            scores = self.scores(method, gallery_method, probes)
            drawn[method] = measure(scores, self._draws)
            out.append(self._row(method, scores, drawn[method], drawn[floor]))
        return sorted(out, key=lambda row: methods.index(row.method))

    def links(self) -> list[Row]:
        """Anonymized probes looked for among the other run's anonymized gallery."""
        if not any(key.method == AGAIN for key in self._looked.vectors) or not self._looked.attack.other_photo:
            return []
        have = [p for p in self._gallery if self._key(AGAIN, p) in self._looked.vectors]
        table = _Table(self._looked, self._recogniser, self._probes, have, self._people, self._draws)
        shown = {p.person for p in have}
        probes = [p for p in self._probes if p.person in shown]
        if len(probes) < 2:
            return []
        floor_scores = table.scores(FLOOR, FLOOR, probes)
        floor = measure(floor_scores, self._draws)
        scores = table.scores(AFTER, AGAIN, probes)
        return [
            table._row(LINK_FLOOR, floor_scores, floor, floor),
            table._row(LINK, scores, measure(scores, self._draws), floor),
        ]

    def links_over_raw(self) -> Figure:
        """With the same people in both; `links` is not empty."""
        have = [p for p in self._gallery if self._key(AGAIN, p) in self._looked.vectors]
        table = _Table(self._looked, self._recogniser, self._probes, have, self._people, self._draws)
        shown = {p.person for p in have}
        probes = [p for p in self._probes if p.person in shown]
        link, raw = (measure(table.scores(AFTER, gallery, probes), self._draws).auc for gallery in (AGAIN, "raw"))
        return figure(link - raw)

    def regions(self) -> list[RegionRow]:
        probes = [p for p in self._probes if self._key(f"without {REGIONS[0]}", p) in self._looked.vectors]
        whole = self._margins(AFTER, probes)
        likeness = float(np.mean(whole))
        people = np.array([self._people[p.person] for p in probes])
        out = []
        for region in REGIONS:
            lost = whole - self._margins(f"without {region}", probes)
            weights = self._draws[:, people]
            means = (weights @ lost) / np.maximum(weights.sum(1), 1e-9)
            out.append(RegionRow(region, self._recogniser.name, figure(means), likeness))
        return out

    def scores(self, method: str, gallery_method: str, probes: Sequence[Photo]) -> Scores:
        shown = [p for p in self._gallery if self._key(gallery_method, p) in self._looked.vectors]
        a = np.stack([self._looked.vectors[self._key(method, p)] for p in probes])
        b = np.stack([self._looked.vectors[self._key(gallery_method, p)] for p in shown])
        allowed = {view: {p.key for p in photos} for view, photos in self._looked.attack.gallery.items()}
        comparable = np.array([[q.group == p.group and q.key in allowed[p.view] for q in shown] for p in probes])
        return Scores(
            similarity=self._recogniser.similarity(a, b).astype(np.float64),
            probe_person=np.array([self._people[p.person] for p in probes]),
            gallery_person=np.array([self._people[p.person] for p in shown]),
            comparable=comparable,
        )

    def _margins(self, method: str, probes: Sequence[Photo]) -> Array:
        """(P,): likeness to the own raw photo minus the mean likeness to strangers'."""
        scores = self.scores(method, "raw", probes)
        own = (scores.similarity * scores.genuine).sum(1) / np.maximum(scores.genuine.sum(1), 1)
        others = (scores.similarity * scores.impostor).sum(1) / np.maximum(scores.impostor.sum(1), 1)
        return np.asarray(own - others, np.float64)  # strangers count 0 where there are none

    def _row(self, method: str, scores: Scores, drawn: Drawn, floor: Drawn) -> Row:
        own, others = scores.similarity[scores.genuine], scores.similarity[scores.impostor]
        return Row(
            method=method,
            recogniser=self._recogniser.name,
            rank1=figure(drawn.rank1),
            auc=figure(drawn.auc),
            tar=figure(drawn.tar),
            accepted={name: float((own >= at).mean()) for name, at in self._recogniser.thresholds.items()},
            above_floor=figure(drawn.auc - floor.auc),
            genuine=own.tolist(),
            impostor=others.tolist(),
        )

    def _key(self, method: str, photo: Photo) -> Key:
        return Key(method, self._recogniser.name, photo.key)


def _gallery(looked: Looked) -> list[Photo]:
    photos = {p.key: p for theirs in looked.attack.gallery.values() for p in theirs}
    return [p for p in photos.values() if p.key not in looked.faceless]


def _shared(looked: Looked, probes: Sequence[Photo], method: str) -> dict[str, float]:
    out = {}
    for recogniser in looked.recognisers:
        vectors = np.stack([looked.vectors[Key(method, recogniser.name, p.key)] for p in probes])
        different = np.array([[p.person < q.person for q in probes] for p in probes])
        if different.any():
            at = next(iter(recogniser.thresholds.values()))
            out[recogniser.name] = float((recogniser.similarity(vectors, vectors)[different] >= at).mean())
    return out
