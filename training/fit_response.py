"""Fit what has to be drawn so that the landmark network reads what was meant, into the face model.

    python -m training fit-response --photos FOLDER --rounds 3 --out anonymizer/weights/face_model_v1.npz

Expressions of real photos are drawn on personas in those photos and read again. Of what is read, a linear map with
small crosstalk is fitted within the brows and within mouth and jaw, both sides alike, and turned around with a
ridge. Each round draws with the map so far, on further photos, and goes half way to the new one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.expression_names import EXPRESSION_NAMES
from anonymizer.audit.seen import audit_finder
from anonymizer.faces import EXPRESSION_COUNT, Floats
from anonymizer.frames import Frame
from anonymizer.perceive.clip import planned_alone
from anonymizer.perceive.landmarks import Landmarker
from anonymizer.persona.face_model import BLINKS, FaceModel, load_face_model
from anonymizer.settings import load_settings
from training.expression_regions import swapped
from training.measure.leaky import personas_of

log = logging.getLogger(__name__)

PERSONAS = 24  # each drawn in many photos, so that its own way of being read can be taken off
MOVES = 0.02  # standard deviation below which photos tell nothing of a coefficient
CROSSTALK = 0.15  # ridge on what one coefficient does to another's reading, against its own
RIDGE = 0.07  # against drawing far more than was meant
# Lids are not fitted: with squints and wide eyes in the map photos gained, but blinks of clips were read worse (.76 to
# .67). A squint is read as half of it and as a blink: so much more of it is drawn, and the lid lifted so far.
SQUINT_GAIN, SQUINT_LIFTS = 1.7, -0.2
SQUINTS = (19, 20)  # of the 52 coefficients, left and right
REGIONS = (("brow",), ("mouth", "jaw", "cheek", "nose"))
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """meant, drawn, read: (N, 52) coefficients; persona (N,) of each row."""

    meant: Array
    drawn: Array
    read: Array
    persona: npt.NDArray[np.int64]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training fit-response", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500, help="photos a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("anonymizer/weights/face_model_v1.npz"))
    args = parser.parse_args(argv)
    photos = sorted(args.photos.iterdir(), key=lambda p: hashlib.sha256(p.name.encode()).digest())
    model = replace(load_face_model(), response=np.eye(EXPRESSION_COUNT, dtype=np.float32))
    for turn in range(args.rounds):
        readings = read_back(photos[turn * args.count : (turn + 1) * args.count], model)
        print(json.dumps({"round": turn, "photos": len(readings.read), "correlation": round(kept(readings), 3)}))
        fitted = response_of(readings)
        share = 0.5 if turn else 1.0
        model = replace(model, response=(model.response + share * (fitted - model.response)).astype(np.float32))
    with np.load(args.out) as arrays:
        kept_arrays = {name: arrays[name] for name in arrays.files}
    np.savez_compressed(args.out, **(kept_arrays | {"response": model.response}))
    return 0


def read_back(photos: list[Path], model: FaceModel) -> Readings:
    """Each photo's expression on a persona, in the photo, and what is read there."""
    anonymizer = app.build_anonymizer(load_settings())
    anonymizer.generator = app.build_generator(load_settings())
    anonymizer.model = model
    usual, landmarker = load_face_model(), Landmarker()
    meant, read, who = [], [], []
    with audit_finder() as finder:
        for number, photo in enumerate(photos):
            frame = Frame(read_image(photo).rgb)
            faces = finder.find(frame)
            if len(faces) != 1 or faces[0].expression is None or faces[0].landmarks_px is None:
                continue
            planned = planned_alone(faces, usual)[0]
            if planned.code is None:
                continue
            anonymizer.reset()
            anonymizer.draw_persona = personas_of(hashlib.sha256(f"{number % PERSONAS}".encode()).digest())
            code = replace(planned.code, expression=faces[0].expression)
            made = anonymizer.render(frame, (replace(planned, code=code),)).rgb
            first = landmarker.at_landmarks(made, faces[0].landmarks_px)
            seen = first and landmarker.at_landmarks(made, first.landmarks_px)
            if seen:
                meant.append(code.expression)
                read.append(seen.expression)
                who.append(number % PERSONAS)
    asked = np.array(meant, np.float64)
    moved = (asked - model.resting_expression) @ model.response.T.astype(np.float64)
    return Readings(asked, model.resting_expression + moved, np.array(read, np.float64), np.array(who))


def response_of(readings: Readings) -> Floats:
    """(52, 52): meant offsets from rest -> offsets to draw."""
    read = readings.read.copy()
    for persona in set(readings.persona.tolist()):
        own = readings.persona == persona
        read[own] -= (read[own] - readings.drawn[own]).mean(0)
    meant, drawn, read = (np.concatenate([a, a[:, swapped()]]) for a in (readings.meant, readings.drawn, read))
    spread = np.maximum(meant.std(0), 0.03)
    x, y = ((a - a.mean(0)) / spread for a in (drawn, read))
    share = np.eye(EXPRESSION_COUNT)
    for region in REGIONS:
        some = [k for k, name in enumerate(EXPRESSION_NAMES) if name.startswith(region) and meant[:, k].std() > MOVES]
        share[np.ix_(some, some)] = _turned_around(x[:, some], y[:, some])
    response = np.asarray((np.diag(1 / spread) @ share @ np.diag(spread)).T, np.float32)
    response[SQUINTS, SQUINTS], response[BLINKS, SQUINTS] = SQUINT_GAIN, SQUINT_LIFTS
    return response


def _turned_around(drawn: Array, read: Array) -> Array:
    """(N, k) each, in standard deviations -> (k, k), meant @ it = what to draw."""
    own = np.clip((drawn * read).sum(0) / (drawn * drawn).sum(0), 0.1, 1.3)
    one = np.eye(len(own))
    crosstalk = np.linalg.solve(drawn.T @ drawn + CROSSTALK * len(drawn) * one, drawn.T @ (read - drawn * own))
    forward = np.diag(own) + crosstalk
    return np.asarray((forward.T + RIDGE * one) @ np.linalg.inv(forward @ forward.T + RIDGE * one))


def kept(readings: Readings) -> float:
    """Mean correlation of what was meant with what is read, over coefficients that move."""
    moving = [k for k in range(EXPRESSION_COUNT) if readings.meant[:, k].std() > 0.03]
    return float(np.mean([np.corrcoef(readings.meant[:, k], readings.read[:, k])[0, 1] for k in moving]))
