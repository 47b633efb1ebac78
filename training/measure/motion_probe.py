"""How much of a person is in the motion code? People told apart by it alone, without any picture.

    python -m training measure-motion-probe --photos FOLDER --clips FOLDER --out out/motion

Photos: two of each person in sub-folders. A metric is learnt on four fifths of the people (Fisher's: differences within
a person against differences between people) and tells the last fifth apart; five turns. Clips: half seconds;
their means and spreads in the first half of a clip, looked for in the second half of all clips. That is one sitting,
so it is an upper bound: a chair, a camera and a mood also stay. Chance is .5 for the area under the curve.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.audit.expression_names import EXPRESSION_NAMES
from anonymizer.audit.metrics import Scores, chance_rank1, figure, measure, people_draws
from anonymizer.audit.photo_pairs import Photo, photos_in
from anonymizer.faces import Face, MotionCode
from anonymizer.frames import Frame
from anonymizer.perceive.clip import ClipPlanner, plan_still
from anonymizer.perceive.finder import Finder
from anonymizer.persona.face_model import load_face_model
from anonymizer.settings import load_settings
from training.measure.report import print_table, write_json

Array = npt.NDArray[np.float64]
FOLDS = 5
RIDGE = 0.3  # of the mean variance, added to the spread within a person: two photos each say little of it
WINDOW_S = 0.5


def code_features(code: MotionCode) -> dict[str, Array]:
    """Parts of the motion code that may tell who it is."""
    return {
        "expression": code.expression.astype(np.float64),
        "gaze": code.gaze.ravel().astype(np.float64),
        "turn": code.rotation.astype(np.float64),
        "all but place": np.concatenate([code.expression, code.gaze.ravel(), code.rotation]).astype(np.float64),
    }


def photo_features(photos: Sequence[Photo], finder: Finder) -> dict[str, dict[str, Array]]:
    """By photo, then feature; `raw expression` is what the erasure does not let pass, for comparison."""
    out, model = {}, load_face_model()
    for photo in photos:
        frame = Frame(read_image(photo.path).rgb)
        planned = plan_still(frame, finder, model)
        codes = [face.code for face in planned if face.code is not None]
        faces: list[Face] = [f for f in finder.find(frame) if f.expression is not None]
        if codes and faces:
            largest = max(faces, key=lambda f: f.box_px.width)
            assert largest.expression is not None
            code = max(codes, key=lambda c: c.scale_px_per_cm)
            out[photo.key] = code_features(code) | {"raw expression": largest.expression.astype(np.float64)}
    return out


def cross_validated(a: Array, b: Array, groups: Sequence[str]) -> dict[str, Any]:
    """a, b (N, D): two looks at each of N people. AUC and rank-1 of b looked for among a, people not trained on."""
    order = np.random.default_rng(0).permutation(len(a))
    similarity = np.zeros((len(a), len(a)))
    comparable = np.zeros_like(similarity, bool)
    for fold in range(FOLDS):
        tested = np.zeros(len(a), bool)
        tested[order[fold::FOLDS]] = True
        metric = fisher(a[~tested], b[~tested])
        at = np.flatnonzero(tested)
        apart = np.linalg.norm((b[at][:, None] - a[at][None]) @ metric, axis=2)
        similarity[np.ix_(at, at)] = -apart
        comparable[np.ix_(at, at)] = True
    comparable &= np.array(groups)[:, None] == np.array(groups)[None]
    scores = Scores(similarity, np.arange(len(a)), np.arange(len(a)), comparable)
    drawn = measure(scores, people_draws(len(a)))
    auc, rank1 = figure(drawn.auc), figure(drawn.rank1)
    return {
        "people": len(a),
        "AUC": auc.value,
        "low": auc.low,
        "high": auc.high,
        "rank-1": rank1.value,
        "chance": chance_rank1(scores),
    }


def fisher(a: Array, b: Array) -> Array:
    """(D, D): after it, differences within a person are white; columns that never move are left out."""
    within = (a - b).T @ (a - b) / (2 * len(a))
    between = np.cov(np.concatenate([a, b]).T)
    within += (RIDGE * np.trace(between) / len(between) + 1e-9) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    return np.asarray(vectors / np.sqrt(values))


def each_coefficient(features: dict[str, dict[str, Array]], pairs: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """AUC of each of the 52 coefficients of the code alone, the worst first."""
    a, b = (np.stack([features[pair[side]]["expression"] for pair in pairs]) for side in (0, 1))
    groups = np.array([pair[2] for pair in pairs])
    comparable = groups[:, None] == groups[None]
    people, draws = np.arange(len(a)), people_draws(len(a), 200)
    rows = []
    for i, name in enumerate(EXPRESSION_NAMES):
        if np.concatenate([a[:, i], b[:, i]]).std() < 1e-6:
            continue
        scores = Scores(-np.abs(b[:, i][:, None] - a[:, i][None]), people, people, comparable)
        auc = figure(measure(scores, draws).auc)
        rows.append({"coefficient": name, "AUC": auc.value, "low": auc.low, "high": auc.high})
    return sorted(rows, key=lambda row: -row["AUC"])


def clip_windows(clip: Path, finder: Finder, seconds: float) -> Array:
    """(N, 104): means and spreads of the longest track's coefficients in windows of half a second of a clip's start."""
    reader = VideoReader(clip, 1, exact_colour=False)
    planner = ClipPlanner(finder, load_face_model(), app.clip_settings(load_settings(), reader.fps_hz))
    finder.reset()
    while (frame := reader.read()) is not None and frame.index < seconds * reader.fps_hz:
        planner.observe(frame)
    reader.close()
    slots: dict[int, list[npt.NDArray[np.float32]]] = {}
    for faces in planner.plan():
        for face in faces or ():
            if face.code is not None:
                slots.setdefault(face.slot, []).append(face.code.expression)
    longest = np.stack(max(slots.values(), key=len)) if slots else np.zeros((0, 52), np.float32)
    count = int(WINDOW_S * reader.fps_hz)
    cut = [longest[i : i + count] for i in range(0, len(longest) - count + 1, count)]
    return np.array([np.concatenate([window.mean(0), window.std(0)]) for window in cut], np.float64)


def clip_probe(windows: dict[str, Array]) -> dict[str, Any]:
    """Second halves looked for among first halves, by the mean distance of standardised windows."""
    names = [name for name, rows in windows.items() if len(rows) >= 4]
    halves = [(rows[: len(rows) // 2], rows[len(rows) // 2 :]) for name, rows in windows.items() if name in names]
    everything = np.concatenate([half for pair in halves for half in pair])
    spread = everything.std(0) + 0.02
    similarity = np.array(
        [[-np.linalg.norm((late.mean(0) - early.mean(0)) / spread) for early, _ in halves] for _, late in halves]
    )
    people = np.arange(len(names))
    scores = Scores(similarity, people, people, np.ones(similarity.shape, bool))
    drawn = measure(scores, people_draws(len(names)))
    auc, rank1 = figure(drawn.auc), figure(drawn.rank1)
    return {
        "clips": len(names),
        "AUC": auc.value,
        "low": auc.low,
        "high": auc.high,
        "rank-1": rank1.value,
        "chance": 1 / len(names),
    }


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    photos = [p for p in photos_in(args.photos) if p.view and p.group in args.sets]
    rows: list[dict[str, Any]] = []
    with app.build_finder(load_settings()) as finder:
        features = photo_features(photos, finder)
        pairs = _pairs(photos, features)
        for name in next(iter(features.values())):
            a, b = (np.stack([features[pair[side]][name] for pair in pairs]) for side in (0, 1))
            rows.append({"feature": name, **cross_validated(a, b, [pair[2] for pair in pairs])})
        print_table(rows)
        single = each_coefficient(features, pairs)
        print()
        print_table(single[:12])
        content: dict[str, Any] = {"photos": rows, "coefficients": single}
        if args.clips:
            clips = sorted(p for p in args.clips.iterdir() if p.suffix in {".mp4", ".mkv", ".gif"})
            content["clips"] = clip_probe({clip.stem: clip_windows(clip, finder, args.seconds) for clip in clips})
            print("\nclips, first against second half:", content["clips"])
    write_json(args.out / "motion.json", content)
    return 0


def _pairs(photos: Sequence[Photo], features: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Two photos of each person, and their set."""
    by_person: dict[str, list[Photo]] = {}
    for photo in photos:
        if photo.key in features:
            by_person.setdefault(photo.person, []).append(photo)
    return [(them[0].key, them[1].key, them[0].group) for them in by_person.values() if len(them) > 1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-motion-probe", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=["identity_london", "identity_congress"])
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of each clip")
    parser.add_argument("--out", type=Path, default=Path("out/motion"))
    return parser
