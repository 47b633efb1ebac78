"""What is kept of a photo's face: pose, gaze, how far mouth and eyes are open, and whether others find it again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.clip_samples import Side
from anonymizer.audit.photos import rotation_between_deg
from anonymizer.audit.seen import Seen, audit_finder, box_of, faces_of, same_place
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, RgbImage, Verdict
from anonymizer.perceive.clip import plan_still
from anonymizer.perceive.landmarks import region_of_landmarks
from anonymizer.persona.face_model import load_face_model
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import load_settings
from training.evaluation.findings import Finding, bootstrapped, finding, mean_finding
from training.evaluation.job import Job, Part
from training.measure.gaze import gaze_off_rad
from training.measure.openings import SecondLandmarks
from training.measure.others import Detects, other_detectors

FOLDERS = ("eval/identity_london", "eval/identity_congress", "eval/identity_openpeople", "validation")
LEAST_FACE_PX = 64.0
MOST_POSE_DEG, MOST_GAZE_RAD, LEAST_FOUND = 2.5, 0.15, 0.99


@dataclass(slots=True)
class Kept:
    """A row a photo. found: by detector, of those that it found raw. openings: raw and after, (mouth, eyes)."""

    verdicts: list[Verdict] = field(default_factory=list)
    pose_deg: list[float] = field(default_factory=list)
    gaze_rad: list[float] = field(default_factory=list)
    found: dict[str, list[float]] = field(default_factory=dict)
    openings: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)


def evaluate(job: Job) -> Part:
    kept, anonymizer = Kept(), job.anonymizer()
    second = SecondLandmarks(job.second_landmarks) if job.second_landmarks else None
    others = other_detectors()
    with audit_finder() as finder:
        for path in job.photos(*FOLDERS):
            rgb = read_image(path).rgb
            faces = plan_still(Frame(rgb), finder, load_face_model())
            seen = faces_of(finder, rgb)
            if len(faces) != 1 or not seen or box_of(seen[0]).width < LEAST_FACE_PX:
                continue
            after = _anonymized(anonymizer, Frame(rgb), faces, kept)
            if kept.verdicts[-1] is not Verdict.REPLACED:
                continue
            look(kept, rgb, after, seen[0], same_place(seen[0], faces_of(finder, after)), others, second)
    notes = [
        "Photos with one face of 64 px or more, a persona drawn for each. A photo's motion code is coarse on purpose "
        "(what is fine in it identifies), so gaze and expression are judged by clips; a photo's expression comes in "
        "quarters."
    ]
    if second is None:
        notes.append("Mouth and eyes by a second landmark network: not measured, give --second-landmarks.")
    return Part(findings_of(kept), {}, notes)


def _anonymized(anonymizer: Anonymizer, frame: Frame, faces: tuple[PlannedFace, ...], kept: Kept) -> RgbImage:
    anonymizer.reset()
    anonymizer.draw_persona = app.PersonaDrawer(secrets.token_bytes(32), load_settings())  # one's eyes are read aside
    safe = anonymizer.render(frame, faces)
    kept.verdicts.append(safe.verdict)
    return safe.rgb


def look(
    kept: Kept,
    raw: RgbImage,
    after: RgbImage,
    seen: Seen,
    again: Seen,
    others: dict[str, Detects],
    second: SecondLandmarks | None,
) -> None:
    """Add one photo. again: the face seen in `after`."""
    kept.found.setdefault("the product's own", []).append(float(again.found))
    for name, detector in others.items():
        if detector.sees(raw, box_of(seen)):
            kept.found.setdefault(name, []).append(float(detector.sees(after, box_of(seen))))
    sides = [Side.of(each) for each in (seen, again)] if again.found else []
    if len(sides) == 2 and sides[0] is not None and sides[1] is not None:
        kept.pose_deg.append(rotation_between_deg(sides[0].pose[3:], sides[1].pose[3:]))
        kept.gaze_rad.append(gaze_off_rad(sides[0].gaze, sides[1].gaze))
    if second is not None:
        region = region_of_landmarks(seen.landmarks_px)
        both = [second.openings(rgb, region) for rgb in (raw, after)]
        if both[0] is not None and both[1] is not None:
            kept.openings.append((both[0], both[1]))


def findings_of(kept: Kept) -> list[Finding]:
    replaced = [float(verdict is Verdict.REPLACED) for verdict in kept.verdicts]
    found = [
        mean_finding("REPLACED", replaced, "photos", at_least=0.98),
        mean_finding("head pose off, degrees", kept.pose_deg, "photos", at_most=MOST_POSE_DEG),
        mean_finding("gaze off, rad", kept.gaze_rad, "photos", at_most=MOST_GAZE_RAD),
    ]
    for name, again in kept.found.items():
        wanted: dict[str, Any] = {} if name.startswith("the product") else {"at_least": LEAST_FOUND}
        found.append(mean_finding(f"found again by {name}", again, "photos it found raw", **wanted))
    if len(kept.openings) > 2:
        raw, after = (np.array(side) for side in zip(*kept.openings, strict=True))
        for at, name in enumerate(("mouth", "eyes")):
            drawn = bootstrapped(len(raw), lambda rows, at=at: _correlation(raw[rows, at], after[rows, at]))  # type: ignore[misc]
            found.append(finding(f"opening of {name}, correlation, second network", drawn, len(raw), "photos"))
    return found


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else float("nan")
