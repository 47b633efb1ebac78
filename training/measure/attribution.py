"""What is it that still tells people apart? The product with one thing after another made the same for everybody.

    python -m training measure-attribution --data FOLDER --recogniser configs/recognisers/mobilefacenet.toml \\
        --models FOLDER --out out/attribution

FOLDER as for measure-evaluation. Each version takes one more thing away from the one before: skin tone, persona,
expression, gaze, turn of the head. What a version loses against the one before, that thing told. The floor, one
finished face for all, is what lies around the face.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.photos import Sources
from anonymizer.audit.recognisers import load_recognisers
from anonymizer.audit.run import audit_photos, write_json
from anonymizer.faces import MotionCode, PlannedFace
from anonymizer.frames import Frame
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.pipeline import Anonymizer, DrawPersona
from anonymizer.settings import load_settings
from training.measure.evaluation import markdown, probes_of, show_progress
from training.measure.leaky import personas_of, save

Change = Callable[[MotionCode], MotionCode]
TONE = 3


def resting(code: MotionCode) -> MotionCode:
    return replace(code, expression=load_face_model().resting_expression.astype(np.float32))


def looking_ahead(code: MotionCode) -> MotionCode:
    return replace(resting(code), gaze=np.zeros((2, 2), np.float32))


def upright(code: MotionCode) -> MotionCode:
    """The turn in the image plane is kept, yaw and pitch are not."""
    from anonymizer.geometry import yaw_pitch_roll

    roll = yaw_pitch_roll(code.rotation)[2]
    return replace(looking_ahead(code), rotation=np.array([0, 0, roll], np.float32))


# name -> one tone for all, one persona for all, what is done to the motion code
VERSIONS: dict[str, tuple[bool, bool, Change | None]] = {
    "as shipped": (False, False, None),
    "as shipped, other personas": (False, False, None),
    "one tone": (True, False, None),
    "one tone and persona": (True, True, None),
    "… and expression": (True, True, resting),
    "… and gaze": (True, True, looking_ahead),
    "… and turn of the head": (True, True, upright),
    "one expression only": (False, False, resting),
}


def draw(folder: Path, data: Path) -> None:
    """Every version of every probe as a PNG in a folder of its name."""
    tinted, plainly = app.build_anonymizer(load_settings()), app.build_anonymizer(load_settings(None, {"tone": TONE}))
    model = load_face_model()
    with app.build_finder(load_settings()) as finder:
        photos = probes_of(data)
        for done, photo in enumerate(photos):
            frame = Frame(read_image(photo.path).rgb)
            planned = plan_still(frame, finder, model)
            for name, (one_tone, one_persona, change) in VERSIONS.items():
                anonymizer = plainly if one_tone else tinted
                fixed = personas_of(b"one persona for all") if one_persona else app.persona_drawer(load_settings())
                rgb = _rendered(anonymizer, frame, planned, fixed, change)
                save(folder / name / f"{photo.key}.png", rgb)
            show_progress(done + 1, len(photos))


def _rendered(
    anonymizer: Anonymizer, frame: Frame, planned: tuple[PlannedFace, ...], drawer: DrawPersona, change: Change | None
) -> np.ndarray:
    anonymizer.reset()
    anonymizer.draw_persona = drawer
    faces = tuple(
        replace(face, code=change(face.code)) if change is not None and face.code is not None else face
        for face in planned
    )
    return anonymizer.render(frame, faces).rgb


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training measure-attribution", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=Path("out/attribution"))
    args = parser.parse_args(argv)
    draw(args.out, args.data)
    also = {name: args.out / name for name in list(VERSIONS)[1:]}
    attackers = load_recognisers(args.recogniser, args.models, args.dlib)
    shipped = Sources(args.data, args.out / "as shipped", also)
    command = ["python", "-m", "training", "measure-attribution", *argv]
    result = audit_photos(shipped, attackers, args.out / "audit.html", command, show_progress)
    write_json(args.out / "audit.json", result.content)
    print(markdown(result.content), file=sys.stdout)
    return 0


__all__ = ["VERSIONS", "main"]
