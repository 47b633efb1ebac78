"""A still scene through the path of clips: jitter inside the face, and whether it stays one person."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.errors import InputError
from anonymizer.frames import Verdict
from anonymizer.perceive.clip import ClipPlanner
from anonymizer.perceive.finder import Finder
from anonymizer.persona.face_model import load_face_model
from anonymizer.settings import load_settings
from training.evaluation.findings import Finding, finding, mean_finding
from training.evaluation.job import Job, Part
from training.measure.still_scene import consecutive_cosines, jitter_inside, still_frames

FOLDERS = ("eval/identity_london", "validation")
PHOTOS = 24  # of each folder where there is no limit
FRAMES, FPS_HZ = 60, 30.0
IDENTITY_FRAMES = 12  # consecutive ones, at the end
MOST_JITTER, LEAST_STEADY = 1.2, 0.95


def evaluate(job: Job) -> Part:
    settings = load_settings(None, {"threads": 1})
    rows = []
    with app.build_finder(settings) as finder:
        for folder in FOLDERS:
            photos = job.photos(folder)
            for path in photos[:: max(1, len(photos) // PHOTOS)][:PHOTOS]:
                row = _row(job, finder, read_image(path).rgb)
                rows += [] if row is None else [{"photo": path.stem, **row}]
    if not rows:
        raise InputError("no photo of a single face was REPLACED throughout; raise --limit")
    table = [{key: row[key] for key in row if key != "cosines"} for row in rows]
    notes = [
        f"Photos as clips of {FRAMES} frames with a webcam's noise; jitter: standard deviation over time, mean inside "
        "the hole. Coarse: of 4 × 4 px, which is what an eye sees moving."
    ]
    return Part(_findings(rows), {"still scenes": table}, notes)


def _row(job: Job, finder: Finder, rgb: Any) -> dict[str, Any] | None:
    settings, model = load_settings(None, {"threads": 1}), load_face_model()
    planner = ClipPlanner(finder, model, app.clip_settings(settings, FPS_HZ))
    finder.reset()
    for frame in still_frames(rgb, FRAMES, seed=0, fps_hz=FPS_HZ):
        planner.observe(frame)
    planned, anonymizer = planner.plan(), job.anonymizer()
    plan = [faces for faces in planned if faces is not None and len(faces) == 1 and faces[0].code is not None]
    if len(plan) != FRAMES:
        return None
    raw, after, hole = [], [], None
    for frame, faces in zip(still_frames(rgb, FRAMES, seed=0, fps_hz=FPS_HZ), plan, strict=True):
        safe = anonymizer.render(frame, faces)
        if safe.verdict is not Verdict.REPLACED:
            return None
        here = anonymizer.hole(faces, frame.rgb.shape)
        hole = here if hole is None else hole & here
        raw.append(frame.rgb)
        after.append(safe.rgb)
    assert hole is not None
    before, now = jitter_inside(raw, hole), jitter_inside(after, hole)
    return {
        "fine": now.fine,
        "raw fine": before.fine,
        "coarse": now.coarse,
        "raw coarse": before.coarse,
        "cosines": _cosines(job, finder, raw, after),
    }


def _cosines(job: Job, finder: Finder, raw: list[Any], after: list[Any]) -> dict[str, float]:
    """By recogniser: mean cosine of consecutive frames, aligned by the raw face's points of one frame."""
    from anonymizer.audit.seen import faces_of

    faces = faces_of(finder, raw[-IDENTITY_FRAMES])
    if not faces:
        return {}
    found = {}
    for recogniser in job.recognisers():
        chips = [recogniser.chip(frame, faces[0].landmarks_px) for frame in after[-IDENTITY_FRAMES:]]
        found[recogniser.name] = float(consecutive_cosines(np.stack([recogniser.embed(c) for c in chips])).mean())
    return found


def _findings(rows: list[dict[str, Any]]) -> list[Finding]:
    def ratio(name: str, key: str) -> Finding:
        from training.evaluation.findings import bootstrapped

        now, before = (np.array([row[k] for row in rows]) for k in (key, f"raw {key}"))
        drawn = bootstrapped(len(rows), lambda at: float(now[at].mean() / before[at].mean()))
        return finding(name, drawn, len(rows), "scenes", at_most=MOST_JITTER)

    names = sorted({name for row in rows for name in row["cosines"]})
    return [
        ratio("jitter inside the face over the source's, fine", "fine"),
        ratio("jitter inside the face over the source's, coarse", "coarse"),
        *(
            mean_finding(
                f"identity cosine from frame to frame, {name}",
                [row["cosines"].get(name, float("nan")) for row in rows],
                "scenes",
                at_least=LEAST_STEADY,
            )
            for name in names
        ),
    ]
