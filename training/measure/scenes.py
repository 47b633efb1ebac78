"""The network beside the classic composer on fixed scenes: sheets to look at.

    python -m training measure-scenes --photos FOLDER --list configs/scenes24.txt --out FOLDER
    python -m training measure-scenes --photos ../shared/data --list configs/scenes100.txt --weights FILE --out FOLDER

Every row: two scenes, each as photo, classic, network, with the same persona. Photos of real people stay private.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.frames import Frame, Verdict
from anonymizer.generate.onnx_generator import OnnxGenerator
from anonymizer.perceive.clip import plan_still
from anonymizer.perceive.finder import Finder
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.persona import Persona, draw_persona
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import load_settings
from anonymizer.sheet import grid, save_rgb
from training.curate import names_in

CELL_PX = 320
SCENES_A_SHEET = 8


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training measure-scenes", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--list", type=Path, default=Path("configs/scenes24.txt"))
    parser.add_argument("--weights", type=Path, help="an exported .onnx (default: what is shipped)")
    parser.add_argument("--out", type=Path, default=Path("out/measure/scenes"))
    args = parser.parse_args(argv)
    names = names_in(args.list)
    kinds = {kind: app.build_anonymizer(load_settings(None, {"generator": kind})) for kind in ("classic", "network")}
    if args.weights is not None:
        kinds["network"].generator = app.before_background(OnnxGenerator.from_file(args.weights))
    args.out.mkdir(parents=True, exist_ok=True)
    with app.build_finder(load_settings()) as finder:
        for start in range(0, len(names), SCENES_A_SHEET):
            some = names[start : start + SCENES_A_SHEET]
            cells = [cell for name in some for cell in scene(args.photos / name, finder, kinds)]
            save_rgb(args.out / f"scenes_{start // SCENES_A_SHEET:02d}.png", grid(cells, 6))
    print(f"{len(names)} scenes in {args.out}/scenes_*.png, {SCENES_A_SHEET} a sheet in the order of {args.list}")
    return 0


def scene(path: Path, finder: Finder, kinds: Mapping[str, Anonymizer]) -> list[npt.NDArray[np.uint8]]:
    """Photo, classic and network of one scene, (320, 320, 3) each, under one secret."""
    frame, secret = Frame(read_image(path).rgb), secrets.token_bytes(32)
    faces = plan_still(frame, finder, load_face_model())
    shown = [frame.rgb]

    def draw(slot: int, tone: int) -> Persona:
        return draw_persona(secret, slot, tone, "any", load_bank(), load_face_model())

    for generator, anonymizer in kinds.items():
        anonymizer.reset()
        anonymizer.draw_persona = draw
        safe = anonymizer.render(frame, faces)
        if safe.verdict is not Verdict.REPLACED:
            print(f"{path.name}: {safe.verdict.value} with {generator}")
        shown.append(safe.rgb)
    return [_square(rgb) for rgb in shown]


def _square(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = CELL_PX / max(height, width)
    small = cv2.resize(rgb, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    out = np.full((CELL_PX, CELL_PX, 3), 255, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    return out
