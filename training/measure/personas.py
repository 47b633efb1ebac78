"""Are personas different people, and is any of them recognisably one portrait of the bank?

    python -m training measure-personas --portraits FOLDER... --recogniser configs/recognisers/mobilefacenet.toml \\
        --models FOLDER

Three galleries: the personas themselves; the portraits' photos; and each portrait drawn by our own renderer alone
(its shape and skin, unmixed), which is the stricter: photos have hair and light that a render has not. The floor that
chance gives is one portrait against another. --sweep repeats it with other shares and regions in the mix.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.audit.recognisers import Recogniser, load_recognisers
from anonymizer.faces import Floats, MotionCode
from anonymizer.frames import RgbImage as Rgb
from anonymizer.generate.guide import draw, pose, texture_mips
from anonymizer.persona import persona as mixing
from anonymizer.persona.bank import PersonaBank, load_bank
from anonymizer.persona.face_model import FaceModel, load_face_model
from anonymizer.persona.persona import Persona, draw_persona
from anonymizer.sheet import BACKGROUND_RGB, grid, save_rgb
from training.build_personas import LIST, read_list
from training.landmark_photos import landmark_photos, read_rgb
from training.measure.report import print_table, write_json
from training.measure.tap import replaced

SIZE_PX = 256
WORST_SHOWN = 8
# Variants of the mix: names of constants of anonymizer.persona.persona and other values for them.
_NOWHERE = ((0, 0), (1, 0), (1, 1))
SWEEP: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "shape .4 .32 .28": {"SHAPE_WEIGHTS": (0.4, 0.32, 0.28)},
    "shape .34 .33 .33": {"SHAPE_WEIGHTS": (0.34, 0.33, 0.33)},
    "offset .6": {"OFFSET_SIGMA": 0.6},
    "offset .9": {"OFFSET_SIGMA": 0.9},
    "no eyes of another": {"EYE_OUTLINE": _NOWHERE},
}
UNMIXED: dict[str, Any] = {"SHAPE_WEIGHTS": (1.0, 0.0, 0.0), "SHAPE_GAIN": 1.0, "OFFSET_SIGMA": 0.0}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """What personas are compared with. photos, renders: (n, D) of the bank's portraits in its order."""

    recogniser: Recogniser
    photos: Floats
    renders: Floats


def portrait_with_points(persona: Persona, model: FaceModel) -> tuple[Rgb, Floats]:
    """(256, 256, 3) of a persona at rest, and where its mesh points (468, 3) are in it."""
    code = MotionCode(
        center_px=np.array([SIZE_PX / 2, SIZE_PX * 0.49], np.float32),
        scale_px_per_cm=SIZE_PX / 21.5,
        rotation=np.zeros(3, np.float32),
        expression=model.resting_expression,
        gaze=np.zeros((2, 2), np.float32),
    )
    posed = pose(code, persona, texture_mips(persona.texture_rgb), model)
    rgb, covered = draw(posed, code, slice(0, SIZE_PX), slice(0, SIZE_PX))
    rgb[covered == 0] = BACKGROUND_RGB
    return rgb, posed.vertices_px[:468]


def draw_many(count: int, seed: bytes, bank: PersonaBank, model: FaceModel, constants: dict[str, Any]) -> list[Persona]:
    """`count` personas of one secret at the six tones in turn, with other constants in the mix."""
    with ExitStack() as stack:
        for name, value in constants.items():
            stack.enter_context(replaced(mixing, name, value))
        return [draw_persona(seed, slot, slot % len(bank.tones), "any", bank, model) for slot in range(count)]


def draw_unmixed(bank: PersonaBank, model: FaceModel) -> list[Persona]:
    """Each portrait by itself, at the tone nearest its own if the bank knows it."""
    tones = np.full(len(bank), len(bank.tones) // 2)
    if hasattr(bank, "brightness"):
        tones = np.abs(np.log(bank.tones).mean(1)[None] - bank.brightness[:, None]).argmin(1)
    out = []
    for index in range(len(bank)):
        with ExitStack() as stack:
            for name, value in {**UNMIXED, "_choose": lambda *_, i=index: (i, i, i)}.items():
                stack.enter_context(replaced(mixing, name, value))
            out.append(draw_persona(bytes(32), 0, int(tones[index]), "any", bank, model))
    return out


def embed_all(recogniser: Recogniser, faces: Sequence[tuple[Rgb, Floats]]) -> Floats:
    return np.stack([recogniser.embed(recogniser.chip(rgb, points)) for rgb, points in faces])


def judge(personas: Sequence[Persona], embedded: Floats, gallery: Gallery) -> dict[str, Any]:
    """The figures of one recogniser for one set of personas."""
    own = [p.portraits[0] for p in personas]
    own_faces = [len(personas), *map(len, (gallery.photos, gallery.renders))]
    row: dict[str, Any] = {"recogniser": gallery.recogniser.name, "personas": own_faces[0], "portraits": own_faces[1]}
    alike = gallery.recogniser.similarity
    row |= figures("between personas", _pairs(alike(embedded, embedded)), gallery.recogniser.thresholds)
    for kind, others in (("photos", gallery.photos), ("renders", gallery.renders)):
        likeness = alike(embedded, others)
        thresholds = gallery.recogniser.thresholds
        row |= figures(f"to {kind}", likeness.ravel(), thresholds)
        row |= figures(f"to own {kind}", likeness[np.arange(len(own)), own], thresholds)
        row |= figures(f"floor {kind}", _pairs(alike(others, others)), thresholds)
        ranks = [int((line > line[i]).sum()) + 1 for line, i in zip(likeness, own, strict=True)]
        row[f"own is nearest of {kind}"] = float(np.mean([rank == 1 for rank in ranks]))
        row[f"median rank of own {kind}"] = float(np.median(ranks))
    return row


def _pairs(likeness: Floats) -> npt.NDArray[np.float32]:
    """Each pair of two different faces once."""
    return np.asarray(likeness[np.triu_indices(len(likeness), 1)], np.float32)


def figures(what: str, likeness: npt.NDArray[np.float32], thresholds: dict[str, float]) -> dict[str, Any]:
    """Highest, median, 95th percentile, and the share at or above each threshold."""
    out: dict[str, Any] = {f"{what}: highest": float(likeness.max()), f"{what}: median": float(np.median(likeness))}
    out[f"{what}: p95"] = float(np.percentile(likeness, 95))
    return out | {f"{what}: share over {name}": float((likeness >= at).mean()) for name, at in thresholds.items()}


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    model, bank = load_face_model(), load_bank()
    recognisers = load_recognisers(args.recogniser, args.models, args.dlib)
    photos = bank_photos(args.portraits, args.list)
    if len(photos) != len(bank):
        print(f"note: {len(photos)} portraits found, {len(bank)} in the bank; own portraits may be misnamed")
    renders = [portrait_with_points(p, model) for p in draw_unmixed(bank, model)]
    galleries = [
        Gallery(r, embed_all(r, [(read_rgb(path), points) for path, points in photos]), embed_all(r, renders))
        for r in recognisers
    ]
    variants = SWEEP if args.sweep else {"as shipped": SWEEP["as shipped"]}
    rows = []
    for name, constants in variants.items():
        personas = draw_many(args.count, args.seed.encode().ljust(32, b"\0"), bank, model, constants)
        faces = [portrait_with_points(p, model) for p in personas]
        for gallery in galleries:
            embedded = embed_all(gallery.recogniser, faces)
            rows.append({"mix": name, **judge(personas, embedded, gallery)})
            if name == "as shipped":
                label = gallery.recogniser.name.split()[0].lower()
                save_rgb(args.out / f"nearest_{label}.png", nearest_sheet(personas, faces, embedded, gallery, photos))
        if name == "as shipped":
            save_rgb(args.out / "personas.png", grid([rgb for rgb, _ in faces], 8))
        write_json(args.out / "personas.json", {"rows": rows})  # after each mix: a long sweep may be broken off
    print_rows(rows)
    return 0


def bank_photos(folders: Sequence[Path], names: Path) -> list[tuple[Path, Floats]]:
    """The bank's portraits in its order: folder after folder by name, those listed, one face each."""
    listed = read_list(names)
    return [(p.path, p.landmarks_px) for p in landmark_photos(folders) if p.path.name in listed and p.faces == 1]


def nearest_sheet(
    personas: Sequence[Persona],
    faces: Sequence[tuple[Rgb, Floats]],
    embedded: Floats,
    gallery: Gallery,
    photos: Sequence[tuple[Path, Floats]],
) -> Rgb:
    """The personas most like some portrait; columns: persona, nearest photo, its own dominating portrait's."""
    likeness = gallery.recogniser.similarity(embedded, gallery.photos)
    worst = np.argsort(-likeness.max(1))[:WORST_SHOWN]
    cells = []
    for i in worst:
        shown = (int(likeness[i].argmax()), min(personas[i].portraits[0], len(photos) - 1))
        cells += [faces[i][0], *(_cell(*photos[at]) for at in shown)]
    return grid(cells, 6)


def _cell(path: Path, points: Floats) -> Rgb:
    """A photo, its face as large and in the same place as in the renders."""
    import cv2

    low, high = points[:, :2].min(0), points[:, :2].max(0)
    scale = SIZE_PX * 0.72 / float(high[0] - low[0])
    (x, y) = (low + high) / 2 * scale
    matrix = np.array([[scale, 0, SIZE_PX / 2 - x], [0, scale, SIZE_PX / 2 - y]])
    return np.asarray(cv2.warpAffine(read_rgb(path), matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_AREA), np.uint8)


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """One table of figures for each recogniser, a column a mix."""
    for name in dict.fromkeys(row["recogniser"] for row in rows):
        some = [row for row in rows if row["recogniser"] == name]
        keys = [key for key in some[0] if key not in ("mix", "recogniser")]
        print(f"\n{name}")
        print_table([{"figure": key, **{row["mix"]: row[key] for row in some}} for key in keys])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-personas", description=__doc__)
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[], help="TOML files, as for anonymizer audit")
    parser.add_argument("--models", type=Path, help="folder of their ONNX files")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument(
        "--seed", default="measured personas", help="stands for the secret, so that runs can be repeated"
    )
    parser.add_argument("--sweep", action="store_true", help="also other mixes")
    parser.add_argument("--out", type=Path, default=Path("out/measure/personas"))
    return parser
