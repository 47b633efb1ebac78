"""Kernel distance and the seam, on photos that were not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from anonymizer.errors import InputError
from anonymizer.frames import Verdict
from training.evaluation.findings import Array, Finding, bootstrapped, finding, mean_finding
from training.evaluation.job import Job, Part
from training.evaluation.page import SEAM
from training.measure.kernel_distance import features, ratio_with_interval, with_interval
from training.measure.realism import DISTANCES_PX, Composites, collect, held_out_photos

FOLDERS = ("validation", "eval/identity_london", "eval/identity_congress", "eval/identity_openpeople")
LEAST_PICTURES = 8  # of each half: less says nothing at all
ENOUGH_PICTURES = 500
MOST_OF_CLASSIC, MOST_SEAM = 0.5, 0.15


def evaluate(job: Job) -> Part:
    photos = job.photos(*FOLDERS) + _held_out(job)
    found = collect(photos, 1, {"network": job.anonymizer(), "classic": job.anonymizer("classic")})
    fewest = min(len(half) for half in found.halves.values())
    if fewest < LEAST_PICTURES:
        raise InputError(f"{len(photos)} photos gave {fewest} in a half, wanted {LEAST_PICTURES}; raise --limit")
    distances, rows = _distances(found)
    seam, curve = _seam(found)
    replaced = [float(verdict is Verdict.REPLACED) for verdict in found.verdicts["network"]]
    notes = [
        f"Half A ({len(found.halves['A'])} photos) is composed, half B ({len(found.halves['B'])}) is what it is held "
        f"against; no person is in both. Intervals of distances: subsets of half the pictures."
    ]
    if fewest < ENOUGH_PICTURES:
        notes.append(f"Kernel distances want {ENOUGH_PICTURES} pictures of each half; read the intervals.")
    share = mean_finding("composites REPLACED", replaced, "composites")
    return Part([*distances, *seam, share], {"kernel distance × 1000": rows, SEAM: curve}, notes)


def _held_out(job: Job) -> list[Path]:
    """The photos of the shard that were kept out of training, where the data has its folder."""
    if job.shard is None:
        return []
    there = [path for path in held_out_photos(job.shard, job.data / "train") if path.is_file()]
    return there[: job.limit]


def _distances(found: Composites) -> tuple[list[Finding], list[dict[str, Any]]]:
    real = features(found.halves["B"])
    own = {name: features(pictures) for name, pictures in {"untouched": found.halves["A"], **found.made}.items()}
    rows: list[dict[str, Any]] = []
    for name, points in own.items():
        value, low, high = (1000 * each for each in with_interval(points, real))
        rows.append({"composites": name, "pictures": len(points), "distance": value, "low": low, "high": high})
    count = len(own["network"])
    ratio = ratio_with_interval(own["network"], own["classic"], real)
    findings = [
        Finding(f"KD-EffLite0 × 1000, {row['composites']}", row["distance"], row["low"], row["high"], count, "pictures")
        for row in rows
    ]
    of_classic = Finding("KD-EffLite0, network over classic", *ratio, count, "pictures", at_most=MOST_OF_CLASSIC)
    return [of_classic, *findings], rows


def _seam(found: Composites) -> tuple[list[Finding], list[dict[str, Any]]]:
    curves = {name: np.array(values) for name, values in found.curves.items()}
    count = len(curves["untouched"])
    drawn = {name: _ratios(curves[name], curves["untouched"]) for name in ("network", "classic")}
    rows: list[dict[str, Any]] = []
    for at, px in enumerate(DISTANCES_PX):
        here = finding("", drawn["network"][:, at], count, "photos")
        row = {"px": px, "network": here.value, "low": here.low, "high": here.high}
        rows.append(row | {"classic": float(drawn["classic"][0, at])})
    sides = {"inside, −8 to −1 px": slice(0, 8), "outside, +1 to +8 px": slice(8, 16)}
    findings = [
        finding(
            f"seam: gradients over a photo's, furthest from 1, {name}",
            np.abs(drawn["network"][:, part] - 1).max(1),
            count,
            "photos",
            at_most=MOST_SEAM,
        )
        for name, part in sides.items()
    ]
    return findings, rows


def _ratios(made: Array, real: Array) -> Array:
    """(1 + draws, 16): mean gradient of made over that of real, rows (photos) drawn together."""
    out: list[Array] = []

    def ratio(rows: Any) -> float:
        out.append(np.nanmean(made[rows], 0) / np.nanmean(real[rows], 0))
        return 0.0

    bootstrapped(len(made), ratio)
    return np.array(out)
