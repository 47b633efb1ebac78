"""From what was seen of a clip to figures: leaks, identity, what was kept, flicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.audit.clip_samples import Sample, Samples
from anonymizer.audit.clips import ClipLooked
from anonymizer.audit.detail import BROWS, INNER
from anonymizer.audit.findings import CLIP_MEDIAN_SHINES, Fault, faults_of_faces
from anonymizer.audit.photos import rotation_between_deg
from anonymizer.audit.recognisers import Recogniser
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT, LIPS_OUTER

LEAST_MOVED = 0.03  # standard deviation below which a coefficient says nothing about what was kept
LEAST_MOVED_CM = 0.03
HALF_EYE_CM, EYE_RADIUS_CM = 1.45, 1.2  # of an average eye: half its width, and its ball
CHANGES = 0.25  # share of pairs of moments that count as two people, beyond what the raw face has
REGIONS = {"eyes": (*EYE_LEFT, *EYE_RIGHT), "brows": BROWS, "mouth": LIPS_OUTER}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Identity:
    """Mean likeness by one recogniser. to_raw: of AFTER to other moments of BEFORE; floor_to_raw: of one finished
    face for everybody; raw_to_raw: of BEFORE itself. steady, raw_steady: from one frame to the next. within,
    raw_within: share of pairs of moments that count as one person. accepted: share of AFTER to BEFORE pairs."""

    recogniser: str
    moments: int
    threshold: float
    to_raw: float
    floor_to_raw: float
    raw_to_raw: float
    accepted: float
    floor_accepted: float
    steady: float
    raw_steady: float
    within: float
    raw_within: float


@dataclass(frozen=True, slots=True)
class Kept:
    """samples: frames compared; found: share of them with a face in AFTER. expression: correlation over the clip by
    number of the coefficient, of those that moved; points: correlation of the points' paths without the head's own
    movement. *_deg, gaze_rad: medians. warp: how much AFTER flickers, and BEFORE, in levels of 255."""

    samples: int
    found: float
    expression: dict[int, float]
    points: dict[str, float]
    pose_deg: float
    gaze_rad: float
    warp_after: float
    warp_before: float


def clip_faults(looked: ClipLooked, identity: Identity) -> list[Fault]:
    shines = {
        f"{facts.index}" if which == 0 else f"{facts.index} (face {which + 1})": shine
        for facts in looked.facts
        for which, shine in enumerate(facts.shines)
    }
    faults = faults_of_faces(shines, "frames with a face", CLIP_MEDIAN_SHINES)
    if identity.moments >= 10 and identity.raw_within - identity.within > CHANGES:
        text = f"the new face changes within the clip: {100 * identity.within:.0f} % of pairs of moments look like one "
        faults.append(Fault("persona changes", (), f"{text}person ({100 * identity.raw_within:.0f} % raw)"))
    if looked.frames != looked.frames_after:
        counts = f"BEFORE has {looked.frames} frames, AFTER {looked.frames_after}"
        text = f"{counts}; those without a partner were not looked at"
        faults.append(Fault("frames without a partner", (), text))
    return faults


def identity_of(samples: Samples, recogniser: Recogniser) -> Identity:
    vectors, threshold = samples.vectors, next(iter(recogniser.thresholds.values()))
    first = sorted(i for kind, i in vectors if kind == "floor")
    if len(first) < 2:
        nan = float("nan")
        return Identity(recogniser.name, len(first), threshold, *([nan] * 9))
    raw, after, floor = (np.stack([vectors[kind, i] for i in first]) for kind in ("before", "after", "floor"))
    other = ~np.eye(len(first), dtype=bool)
    alike = {name: recogniser.similarity(v, raw)[other] for name, v in (("a", after), ("f", floor), ("r", raw))}
    within = recogniser.similarity(after, after)[other]
    return Identity(
        recogniser=recogniser.name,
        moments=len(first),
        threshold=threshold,
        to_raw=float(alike["a"].mean()),
        floor_to_raw=float(alike["f"].mean()),
        raw_to_raw=float(alike["r"].mean()),
        accepted=float((alike["a"] >= threshold).mean()),
        floor_accepted=float((alike["f"] >= threshold).mean()),
        steady=_steady(samples, recogniser, "after", first),
        raw_steady=_steady(samples, recogniser, "before", first),
        within=float((within >= threshold).mean()),
        raw_within=float((alike["r"] >= threshold).mean()),
    )


def _steady(samples: Samples, recogniser: Recogniser, kind: str, first: Sequence[int]) -> float:
    pairs = [i for i in first if (kind, i + 1) in samples.vectors]
    values = [
        float(recogniser.similarity(samples.vectors[kind, i][None], samples.vectors[kind, i + 1][None])[0, 0])
        for i in pairs
    ]
    return float(np.mean(values)) if values else float("nan")


def kept_of(samples: Samples) -> Kept:
    both = [(s.before, s.after) for s in samples.kept if s.after is not None]
    warp = np.array(samples.warp_error or [(np.nan, np.nan)])
    if len(both) < 3:
        nan = float("nan")
        found = len(both) / max(1, len(samples.kept))
        return Kept(len(samples.kept), found, {}, {}, nan, nan, float(warp[:, 0].mean()), float(warp[:, 1].mean()))
    gaze = [np.linalg.norm(_gaze_rad(a.gaze) - _gaze_rad(b.gaze), axis=1).mean() for b, a in both]
    pose = [rotation_between_deg(b.pose[3:], a.pose[3:]) for b, a in both]
    expression = [np.stack([side.expression for side in sides]) for sides in zip(*both, strict=True)]
    points = [np.stack([side.in_head for side in sides]) for sides in zip(*both, strict=True)]
    return Kept(
        samples=len(samples.kept),
        found=len(both) / len(samples.kept),
        expression=_correlations(expression[0], expression[1]),
        points={name: _paths(points[0][:, list(g)], points[1][:, list(g)]) for name, g in REGIONS.items()},
        pose_deg=float(np.median(pose)),
        gaze_rad=float(np.median(gaze)),
        warp_after=float(warp[:, 0].mean()),
        warp_before=float(warp[:, 1].mean()),
    )


def _gaze_rad(gaze: npt.NDArray[np.float32]) -> Array:
    return np.arcsin(np.clip(gaze.astype(np.float64) * HALF_EYE_CM / EYE_RADIUS_CM, -1, 1))


def _correlations(before: Array, after: Array) -> dict[int, float]:
    moved = np.flatnonzero(before.std(0) >= LEAST_MOVED)
    return {int(i): _correlation(before[:, i], after[:, i]) for i in moved}


def _paths(before: Array, after: Array) -> float:
    """Mean correlation of coordinates that move at all; before, after: (T, N, 2) cm in head space."""
    a, b = (v.reshape(len(v), -1) for v in (before, after))
    moved = a.std(0) >= LEAST_MOVED_CM
    return float(np.mean([_correlation(a[:, i], b[:, i]) for i in np.flatnonzero(moved)])) if moved.any() else np.nan


def _correlation(a: Array, b: Array) -> float:
    a0, b0 = a - a.mean(), b - b.mean()
    return float((a0 * b0).sum() / max(np.sqrt((a0**2).sum() * (b0**2).sum()), 1e-12))


def likeness_over_time(looked: ClipLooked) -> tuple[list[float], dict[str, list[float]]]:
    """Seconds, and the highest likeness of fine detail of any face in each frame: by region, and the face's peak."""
    seconds = [facts.at_s for facts in looked.facts]
    series = {
        name: [max((s.regions[name].likeness for s in facts.shines), default=np.nan) for facts in looked.facts]
        for name in INNER
    }
    series["peak"] = [max((s.peak for s in facts.shines), default=np.nan) for facts in looked.facts]
    return seconds, series


__all__ = ["Identity", "Kept", "Sample", "clip_faults", "identity_of", "kept_of", "likeness_over_time"]
