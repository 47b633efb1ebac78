"""Fit what an expression does to the brightness of skin, into the face model: folds, furrows, lifted cheeks.

    python -m training fit-folds --photos FOLDER [FOLDER ...] --out anonymizer/weights/face_model_v1.npz

Photos are unwrapped; the log brightness of their detail, and mirrored, is ridge-regressed texel by texel on the 52
coefficients, each held to its part of the face as the expression basis is. Every tenth photo is held out to say how
much is explained there: little, since most of a face's detail is whose face it is. Lips are left to the mesh: with
folds of theirs, mouths of photos were read worse (.77 against .78), rolled lips of clips most (.83 and .93).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.persona import atlas
from anonymizer.persona.face_model import FaceModel, load_face_model
from anonymizer.persona.folds import FOLD_COLUMNS, FOLD_ROWS, FOLD_STEP
from anonymizer.persona.persona import region
from anonymizer.persona.rasterise import rasterise
from training.build_personas import LIPS, low_frequencies
from training.expression_regions import ridge_growth, swapped
from training.fit_face_model import read_canonical_mesh, task_bundle
from training.landmark_photos import landmark_photos, read_rgb
from training.unwrap import unwrap

RIDGE = 6.0
MOST_DETAIL = 0.8  # log brightness; beyond it are hair and glasses
SIZE_PX = (FOLD_COLUMNS, FOLD_ROWS)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training fit-folds", description=__doc__)
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("anonymizer/weights/face_model_v1.npz"))
    args = parser.parse_args(argv)
    model = load_face_model()
    expression, detail, sure = unwrapped(args.photos, model)
    held_out = np.arange(len(detail)) % 10 == 9
    ridge = RIDGE * growth(model)
    tried = fit(expression[~held_out], detail[~held_out], sure[~held_out], ridge)
    report = {"photos": len(detail), "explained": round(explained(tried, expression, detail, sure, held_out), 3)}
    folds = fit(expression, detail, sure, ridge) * (1 - _small(region(*LIPS)))
    with np.load(args.out) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    steps = np.rint(np.clip(folds / FOLD_STEP, -127, 127)).astype(np.int8)
    np.savez_compressed(args.out, **(kept | {"folds": steps}))
    print(json.dumps(report))
    return 0


def unwrapped(folders: list[Path], model: FaceModel) -> tuple[Floats, Floats, Floats]:
    """Photos of one face each -> expression (N, 52); log brightness of the detail (N, 110, 128), its mean taken off;
    (N, 110, 128) how surely it was seen, [0, 1]."""
    expression, detail, sure = [], [], []
    for photo in landmark_photos(folders):
        if photo.faces != 1:
            continue
        texture, seen = unwrap(read_rgb(photo.path), photo.landmarks_px, model)
        log = np.log(np.maximum(texture[: atlas.FACE_ROWS], 0.02))
        expression.append(photo.expression)
        detail.append(_small((log - low_frequencies(log)).mean(2)))
        sure.append(_small(seen[: atlas.FACE_ROWS]) ** 2)
    details, weights = np.clip(np.array(detail), -MOST_DETAIL, MOST_DETAIL), np.array(sure)
    mean = (weights * details).sum(0) / np.maximum(weights.sum(0), 1e-3)
    mean = (mean + mean[:, ::-1]) / 2
    return np.array(expression), np.asarray(details - mean, np.float32), weights


def growth(model: FaceModel) -> Floats:
    """(52, 110, 128): by how much the ridge is larger at each texel; beyond the mesh nothing moves."""
    at_vertices = ridge_growth(read_canonical_mesh(task_bundle())["vertices_cm"]).T
    at_vertices = np.concatenate([np.ones((len(at_vertices), 1)), at_vertices], 1).astype(np.float32)
    size = FOLD_COLUMNS, FOLD_ROWS * atlas.HEIGHT_PX / atlas.FACE_ROWS
    flat = np.concatenate([model.uv * size, at_vertices[:, :1]], 1)
    skin = model.triangles[(model.triangles < len(at_vertices)).all(1)]
    drawn, which = rasterise(flat.astype(np.float32), skin, np.asarray(at_vertices, np.float32), SIZE_PX)
    drawn[which < 0] = 1e6
    return np.asarray(np.moveaxis(drawn, 2, 0), np.float32)


def fit(expression: Floats, detail: Floats, sure: Floats, ridge: Floats) -> Floats:
    """(52, 110, 128) log brightness a unit: weighted ridge regression of every texel, photos and their mirror images.

    expression (N, 52); detail, sure (N, 110, 128); ridge (52, 110, 128).
    """
    x = np.concatenate([expression, expression[:, swapped()]])
    x = (x - x.mean(0)).astype(np.float32)
    y, weight = (np.concatenate([a, a[:, :, ::-1]]).reshape(len(x), -1) for a in (detail, sure))
    rows, columns = np.triu_indices(x.shape[1])
    square = np.empty((y.shape[1], x.shape[1], x.shape[1]), np.float32)
    square[:, rows, columns] = square[:, columns, rows] = ((x[:, rows] * x[:, columns]).T @ weight).T
    each = np.arange(x.shape[1])
    square[:, each, each] += ridge.reshape(len(ridge), -1).T
    solved = np.linalg.solve(square, (x.T @ (weight * y)).T[..., None])
    return np.asarray(solved[..., 0].T.reshape(ridge.shape), np.float32)


def explained(folds: Floats, expression: Floats, detail: Floats, sure: Floats, some: npt.NDArray[np.bool_]) -> float:
    """Share of the detail's variance in some (N,) of the photos."""
    moved = np.tensordot(expression[some] - expression[~some].mean(0), folds, 1)
    left, before = ((sure[some] * np.square(d)).sum() for d in (detail[some] - moved, detail[some]))
    return float(1 - left / before)


def _small(image: Floats) -> Floats:
    return np.asarray(cv2.resize(image, SIZE_PX, interpolation=cv2.INTER_AREA), np.float32)
