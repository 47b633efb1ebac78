"""Looked at in pairs: which of two versions would a stranger sooner take for a photo, not knowing which is which?

    python -m training measure-pairs --photos DATA --clips CLIPS --key pairs.key --pictures out/before
    python -m training measure-pairs --photos DATA --clips CLIPS --key pairs.key --pictures out/after
    python -m training measure-pairs --before out/before --after out/after --out out/pairs
    python -m training measure-pairs --out out/pairs --answers answers.txt

The first two calls, each by its own version, draw the same persona on the same scene (the first 48 of the list, three
frames of each clip); the key file is made when it is missing. The third shuffles sides and order and writes sheets of
six pairs, OUT/sheets, and OUT/key.json, which the one who looks must not see. An answer is a line `7 L`, `7 R` or,
where no difference is seen, `7 =`. The fourth counts, with the odds of so many by chance (sign test). A judge who
saw 47 scenes twice alike said = to 38 and chose 5 and 4.
"""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Iterator
from math import comb
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.errors import InputError
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.secret import KEY_BYTES, derive, load_or_create_key
from anonymizer.settings import load_settings
from anonymizer.sheet import grid, save_rgb
from training.curate import names_in
from training.measure.blind import SCENES, check_all_answered, crop, read_answers, read_key
from training.measure.pictures import frames_at, moments_of
from training.measure.report import write_json

SIDE_PX, PAIRS_A_SHEET, MOMENTS = 480, 6, 3
GREEN_RGB = (0, 255, 0)
SIDES = ("L", "R", "=")
Picture = npt.NDArray[np.uint8]


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    if args.pictures is not None:
        print(f"{draw(_frames(args), args.key, args.pictures)} pictures in {args.pictures}")
    elif args.answers is not None:
        print(json.dumps(score(read_key(args.out, "pairs"), read_answers(args.answers, SIDES))))
    elif args.before is not None and args.after is not None:
        print(f"{pair(args.before, args.after, args.out)} pairs in {args.out / 'sheets'}")
    else:
        raise InputError("nothing to do: give --pictures, or --before and --after, or --answers")
    return 0


def draw(frames: Iterator[tuple[str, Frame]], key: Path, out: Path) -> int:
    """The largest face of each frame with a persona of that key, as OUT/NAME.png; how many had one."""
    secret, model, settings = load_or_create_key(key), load_face_model(), load_settings()
    anonymizer = app.build_anonymizer(settings)
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with app.build_finder(settings) as finder:
        for slot, (name, frame) in enumerate(frames):
            face = _largest(plan_still(frame, finder, model))
            if face is not None:
                anonymizer.reset()
                anonymizer.draw_persona = app.PersonaDrawer(derive(secret, slot, "pairs", KEY_BYTES), settings)
                save_rgb(out / f"{name}.png", crop(anonymizer.render(frame, (face,)).rgb, (face,)))
                count += 1
    return count


def pair(before: Path, after: Path, out: Path) -> int:
    """Shuffled sheets of the pictures that both folders have, and the key; how many. InputError where a key lies."""
    if (out / "key.json").exists():
        raise InputError(f"{out} has pairs already, and their key would be lost; choose another --out")
    names = sorted({p.name for p in before.glob("*.png")} & {p.name for p in after.glob("*.png")})
    if not names:
        raise InputError(f"{before} and {after} have no picture of the same name; draw both with --pictures first")
    chance = secrets.SystemRandom()
    chance.shuffle(names)
    key, rows = {}, []
    for number, name in enumerate(names):
        swapped = chance.random() < 0.5
        key[str(number)] = {"name": name, "left": "after" if swapped else "before"}
        pictures = [read_image(folder / name).rgb for folder in ((after, before) if swapped else (before, after))]
        rows.append([_labelled(rgb, f"{number}{side}") for rgb, side in zip(pictures, SIDES[:2], strict=True)])
    (out / "sheets").mkdir(parents=True, exist_ok=True)
    for first in range(0, len(rows), PAIRS_A_SHEET):
        tiles = [tile for row in rows[first : first + PAIRS_A_SHEET] for tile in row]
        save_rgb(out / "sheets" / f"{first // PAIRS_A_SHEET:02d}.png", grid(tiles, 4))
    write_json(out / "key.json", {"pairs": key})
    return len(key)


def score(key: dict[str, dict[str, str]], answers: dict[str, str]) -> dict[str, object]:
    """How often each version was chosen, and by chance as unevenly or more; InputError where an answer is missing."""
    check_all_answered(key, answers)
    chosen: dict[str, list[str]] = {"before": [], "after": []}
    for number, each in key.items():
        if answers[number] != "=":
            other = "before" if each["left"] == "after" else "after"
            chosen[each["left"] if answers[number] == "L" else other].append(each["name"])
    before, after = (len(chosen[version]) for version in ("before", "after"))
    return {
        "before": before,
        "after": after,
        "no difference": len(key) - before - after,
        "by chance": float(f"{by_chance(before, after):.2g}"),
        "before better": sorted(chosen["before"]),
    }


def by_chance(one: int, other: int) -> float:
    """The two-sided sign test's p: how often a coin falls as unevenly."""
    total, least = one + other, min(one, other)
    return float(min(1, 2 * sum(comb(total, k) for k in range(least + 1)) / 2**total))


def _frames(args: argparse.Namespace) -> Iterator[tuple[str, Frame]]:
    if args.photos is not None:
        for number, name in enumerate(names_in(args.list)[:SCENES]):
            yield f"scene-{number:02d}", Frame(read_image(args.photos / name).rgb)
    for clip in sorted(args.clips.iterdir()) if args.clips is not None else ():
        at = moments_of(args.frames, MOMENTS)
        for number, rgb in sorted(frames_at(clip, at).items()):
            yield f"{clip.stem}-{number:03d}", Frame(rgb)


def _largest(faces: tuple[PlannedFace, ...]) -> PlannedFace | None:
    followed = [face for face in faces if face.code is not None]
    return max(followed, key=lambda face: face.code.scale_px_per_cm if face.code else 0, default=None)


def _labelled(rgb: Picture, label: str) -> Picture:
    tile = cv2.resize(rgb, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.putText(tile, label, (6, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, GREEN_RGB, 2), np.uint8)


def _parser() -> argparse.ArgumentParser:
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m training measure-pairs", description=__doc__, formatter_class=about
    )
    parser.add_argument("--photos", type=Path, help="the folder that the list's names are in")
    parser.add_argument("--list", type=Path, default=Path("configs/scenes100.txt"))
    parser.add_argument("--clips", type=Path, help="a folder of clips; their largest face is followed")
    parser.add_argument("--frames", type=int, default=90, help="of each clip, from which three are taken")
    parser.add_argument("--key", type=Path, default=Path("out/pairs.key"), help="persona key of both versions")
    parser.add_argument("--pictures", type=Path, help="where this version's pictures go")
    parser.add_argument("--before", type=Path, help="pictures of one version")
    parser.add_argument("--after", type=Path, help="pictures of the other")
    parser.add_argument("--out", type=Path, default=Path("out/pairs"))
    parser.add_argument("--answers", type=Path, help="what was said of each pair")
    return parser
