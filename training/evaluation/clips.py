"""What is kept of a clip's faces: expression, gaze, pose, paths of the points, one identity over time.

Every clip goes through the very path of `anonymizer video`; each has its own file in OUT/clips, so that a run that was
broken off goes on with the next clip. Beside what is kept stands what the raw clip keeps of itself when it is read
twice, the second time with a little noise: more than that nothing can keep.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer import app
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.audit.clip_figures import LEAST_MOVED_CM, REGIONS, clip_faults, identity_of, kept_of
from anonymizer.audit.clip_samples import Samples
from anonymizer.audit.clips import look_at_clip
from anonymizer.audit.expression_names import EXPRESSION_NAMES
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.run import plain
from anonymizer.audit.seen import audit_finder, box_of, faces_of
from anonymizer.errors import InputError
from anonymizer.frames import Verdict
from anonymizer.perceive.landmarks import region_of_landmarks
from anonymizer.settings import load_settings
from training.evaluation.findings import mean_finding
from training.evaluation.job import Job, Part
from training.measure.openings import SecondLandmarks
from training.measure.read_twice import noisy_copy

SUFFIXES = {".mp4", ".mkv", ".mov", ".webm"}
LEAST_EXPRESSION, LEAST_LIDS, LEAST_PATHS, LEAST_STEADY = 0.9, 0.95, 0.9, 0.95
MOST_POSE_DEG, MOST_GAZE_RAD = 2.5, 0.15
LIDS = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
SECOND_LOOKS = 120  # frames of a clip that the second landmark network sees
LEAST_LOOKS = 10
TWICE = ", raw read twice"
# Standard deviation, shares of their width, below which mouth or eyes do not move, so that nothing could be kept. The
# older network moves lids less than half as far as the newer (.018 against .043 on one clip).
LEAST_OPENED = {"mouth, second network": 0.03, "eyes, second network": 0.015}


def evaluate(job: Job) -> Part:
    clips = sorted(p for p in (job.data / "eval/video").iterdir() if p.suffix in SUFFIXES)[: job.limit]
    if not clips:
        raise InputError(f"no clip in {job.data / 'eval/video'}; --data is the folder of all")
    recogniser = job.recognisers()[-1]
    second = SecondLandmarks(job.second_landmarks) if job.second_landmarks else None
    rows = [_once(clip, job, recogniser, second) for clip in clips]
    seen = [row for row in rows if row["problem"] is None]
    notes = [f"Identity by {recogniser.name}. Correlations are over each clip; intervals over clips."]
    notes += [f"{row['clip']}: {row['problem']}" for row in rows if row["problem"] is not None]
    if second is None:
        notes.append("Mouth and eyes by a second landmark network: not measured, give --second-landmarks.")
    columns = [key for key in rows[0] if key not in ("coefficients", "problem", "by a second network")]
    tables = {
        "clips": [{key: row.get(key) for key in columns} for row in rows],
        "expression, correlation by coefficient": _coefficients(seen),
    }
    return Part(_findings(seen), tables, notes)


def _once(clip: Path, job: Job, recogniser: Recogniser, second: SecondLandmarks | None) -> dict[str, Any]:
    """Read from OUT/clips where it was measured with the same weights (OUT is of one file)."""
    done = job.folder("clips") / f"{clip.stem}.json"
    if done.is_file():
        row: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        if row["by a second network"] == (second is not None) or row["problem"]:
            return row
    row = _measured(clip, job, recogniser, second)
    done.write_text(json.dumps(plain(row)) + "\n", encoding="utf-8")
    return row


def _measured(clip: Path, job: Job, recogniser: Recogniser, second: SecondLandmarks | None) -> dict[str, Any]:
    target = job.folder("clips") / f"{clip.stem}.mp4"
    with job.installed():
        report = app.run_video(clip, target, load_settings(None, {"threads": 1}), True, lambda _: None)
    frames = sum(report.verdicts.values())
    row: dict[str, Any] = {"clip": clip.stem, "frames": frames}
    row["REPLACED"] = report.verdicts.get(Verdict.REPLACED, 0) / max(frames, 1)
    row["by a second network"] = second is not None
    row |= dict.fromkeys(("mouth, second network", "eyes, second network"))
    try:
        looked = look_at_clip(clip, target, recogniser)
    except InputError as error:  # a room with nobody
        return row | {"problem": str(error)}
    kept, identity = kept_of(looked.samples), identity_of(looked.samples, recogniser)
    row |= {
        "expression": _mean(list(kept.expression.values())),
        "pose off, degrees": kept.pose_deg,
        "gaze off, rad": kept.gaze_rad,
        **{f"paths, {name}": value for name, value in kept.points.items()},
        "cosine frame to frame": identity.steady,
        "raw cosine": identity.raw_steady,
        "flicker": kept.warp_after,
        "raw flicker": kept.warp_before,
        "found": kept.found,
        "faults": len(clip_faults(looked, identity)),
        "problem": None,
        "coefficients": {EXPRESSION_NAMES[i]: value for i, value in kept.expression.items()},
    }
    row |= openings_kept(clip, target, second) if second is not None else {}
    return row | by_the_turn(looked.samples) | read_twice(clip, recogniser, second)


def by_the_turn(samples: Samples) -> dict[str, float]:
    """By region, the share of the raw points' paths that is no expression: it follows from the head's turn alone,
    as the wearer's own shape was taken for an average head. A drawn face of another shape has other paths there."""
    turns = np.array([sample.before.pose[3:] for sample in samples.kept])
    points = np.array([sample.before.in_head for sample in samples.kept], np.float64)
    found = {}
    for name, group in REGIONS.items():
        paths = points[:, list(group)].reshape(len(points), -1)
        found[f"by the head's turn, {name}"] = explained(turns, paths[:, paths.std(0) >= LEAST_MOVED_CM])
    return found


def explained(turns: np.ndarray, paths: np.ndarray) -> float:
    """Share of the variance of paths (T, N) that a polynomial of second order in turns (T, 3) has; NaN without any."""
    if not paths.size:
        return float("nan")
    about = turns - turns.mean(0)
    known = np.column_stack([np.ones(len(about)), about, about**2])
    left = paths - known @ np.linalg.lstsq(known, paths, rcond=None)[0]
    return float(1 - left.var(0).sum() / paths.var(0).sum())


def read_twice(clip: Path, recogniser: Recogniser, second: SecondLandmarks | None) -> dict[str, float | None]:
    """What of the raw clip is kept by itself, with noise: the same figures, their names followed by TWICE."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{clip.stem}.mp4"
        noisy_copy(clip, copy)
        kept = kept_of(look_at_clip(clip, copy, recogniser).samples)
        opened = openings_kept(clip, copy, second) if second is not None else {}
    lids = [value for i, value in kept.expression.items() if EXPRESSION_NAMES[i] in LIDS]
    found = {"expression": _mean(list(kept.expression.values())), "jaw and blinks": _mean(lids)}
    found |= {f"paths, {name}": value for name, value in kept.points.items()} | opened
    return {name + TWICE: value for name, value in found.items()}


def openings_kept(before: Path, after: Path, second: SecondLandmarks) -> dict[str, float]:
    """Correlation over the clip of how far mouth and eyes are open, seen by the second network alone."""
    readers = [VideoReader(path, 1, exact_colour=False) for path in (before, after)]
    every = max(1, (readers[0].info.frame_estimate or SECOND_LOOKS) // SECOND_LOOKS)
    pairs = []
    with audit_finder() as finder:
        while (raw := readers[0].read()) is not None and (made := readers[1].read()) is not None:
            if raw.index % every:
                continue
            faces = faces_of(finder, raw.rgb)
            if len(faces) == 1 and box_of(faces[0]).width >= 48:
                region = region_of_landmarks(faces[0].landmarks_px)
                pairs.append([second.openings(rgb, region) for rgb in (raw.rgb, made.rgb)])
    for reader in readers:
        reader.close()
    both = np.array([(a, b) for a, b in pairs if a is not None and b is not None])
    if len(both) < LEAST_LOOKS:
        return {}
    return openings_correlated(both[:, 0], both[:, 1])


def openings_correlated(raw: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """raw, after: (T, 2) openings of mouth and eyes. Correlations of those that move in raw."""
    return {
        name: float(np.corrcoef(raw[:, at], after[:, at])[0, 1])
        for at, (name, least) in enumerate(LEAST_OPENED.items())
        if raw[:, at].std() >= least and after[:, at].std() > 0
    }


def _findings(rows: list[dict[str, Any]]) -> list[Any]:
    def mean(name: str, key: str, **wanted: Any) -> Any:
        return mean_finding(name, [_number(row.get(key)) for row in rows], "clips", **wanted)

    lids = [_mean([row["coefficients"][name] for name in LIDS if name in row["coefficients"]]) for row in rows]
    regions = sorted({key for row in rows for key in row if key.startswith("paths, ") and not key.endswith(TWICE)})
    twice = sorted({key for row in rows for key in row if key.endswith(TWICE)})
    turned = sorted({key for row in rows for key in row if key.startswith("by the head's turn")})
    return [
        mean("expression, mean correlation of what moves", "expression", at_least=LEAST_EXPRESSION),
        mean_finding("jaw opening and blinks, correlation", lids, "clips", at_least=LEAST_LIDS),
        mean("opening of mouth, correlation, second network", "mouth, second network", at_least=LEAST_EXPRESSION),
        mean("opening of eyes, correlation, second network", "eyes, second network", at_least=LEAST_EXPRESSION),
        *(mean(f"{key} of points, correlation", key, at_least=LEAST_PATHS) for key in regions),
        mean("head pose off, degrees, median of a clip", "pose off, degrees", at_most=MOST_POSE_DEG),
        mean("gaze off, rad, median of a clip", "gaze off, rad", at_most=MOST_GAZE_RAD),
        mean("identity cosine from frame to frame", "cosine frame to frame", at_least=LEAST_STEADY),
        mean("the same of the raw face", "raw cosine"),
        mean("flicker after motion is taken out, levels of 255", "flicker"),
        mean("the same of the raw clip", "raw flicker"),
        mean("frames with a face found again", "found"),
        *(mean(f"{key}, correlation", key) for key in twice),
        *(mean(f"share of raw paths {key}", key) for key in turned),
    ]


def _coefficients(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row["coefficients"].items():
            by.setdefault(name, []).append(_number(value))
    found = [{"coefficient": name, "clips": len(values), "mean": _mean(values)} for name, values in by.items()]
    return sorted(found, key=lambda each: -_number(each["mean"]))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _number(value: Any) -> float:
    """JSON has null where there is no figure."""
    return float("nan") if value is None else float(value)
