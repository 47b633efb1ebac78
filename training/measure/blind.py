"""The blind look: are composites told from untouched photos by somebody who does not know which is which?

    python -m training measure-blind --photos ../shared/data --out out/blind
    python -m training measure-blind --out out/blind --answers answers.txt

The first call shuffles the composites of the first 48 scenes of the list with untouched crops of 48 others and writes
them as OUT/pictures/000.png and so on, and OUT/key.json, which the one who looks must not see. An answer is a line
`000 real` or `000 made`; the second call counts both errors. Photos of people stay private.
"""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.errors import InputError
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, Verdict
from anonymizer.generate.crop import CROP_CM
from anonymizer.generate.onnx_generator import OnnxGenerator
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import load_settings
from anonymizer.sheet import save_rgb
from training.curate import names_in
from training.measure.report import write_json

SCENES = 48
SIDE_PX = 320
SHOWN = 1.2  # of the generator's crop
WORDS = ("real", "made")
Picture = npt.NDArray[np.uint8]


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    if args.answers is not None:
        print(json.dumps(score(read_key(args.out), read_answers(args.answers))))
        return 0
    if args.photos is None:
        raise InputError("nothing to show: give --photos, the folder of all, or --answers to count what was said")
    names = names_in(args.list)
    if len(names) < 2 * SCENES:
        raise InputError(f"{args.list} has {len(names)} scenes, wanted {2 * SCENES} or more")
    anonymizer = app.build_anonymizer(load_settings())
    if args.weights is not None:
        anonymizer.generator = app.before_background(OnnxGenerator.from_file(args.weights))
    shown = [("made", name) for name in names[:SCENES]] + [("real", name) for name in names[SCENES : 2 * SCENES]]
    secrets.SystemRandom().shuffle(shown)
    (args.out / "pictures").mkdir(parents=True, exist_ok=True)
    key = {}
    with app.build_finder(load_settings()) as finder:
        for number, (kind, name) in enumerate(shown):
            frame = Frame(read_image(args.photos / name).rgb)
            faces = plan_still(frame, finder, load_face_model())
            rgb, verdict = (frame.rgb, None) if kind == "real" else composed(anonymizer, frame, faces)
            save_rgb(args.out / "pictures" / f"{number:03d}.png", crop(rgb, faces))
            key[f"{number:03d}"] = {"kind": kind, "name": name, "verdict": verdict}
    write_json(args.out / "key.json", {"pictures": key})
    print(f"{len(key)} pictures in {args.out / 'pictures'}; {args.out / 'key.json'} says what they are")
    return 0


def composed(anonymizer: Anonymizer, frame: Frame, faces: tuple[PlannedFace, ...]) -> tuple[Picture, str]:
    anonymizer.reset()
    anonymizer.draw_persona = app.PersonaDrawer(secrets.token_bytes(32), load_settings())
    safe = anonymizer.render(frame, faces)
    return safe.rgb, safe.verdict.value


def crop(rgb: Picture, faces: tuple[PlannedFace, ...]) -> Picture:
    """(320, 320, 3) around the largest face that was followed; without one the whole photo."""
    codes = sorted((f.code for f in faces if f.code is not None), key=lambda code: -code.scale_px_per_cm)
    height, width = rgb.shape[:2]
    half = SHOWN * CROP_CM / 2 * codes[0].scale_px_per_cm if codes else max(height, width) / 2
    x, y = codes[0].center_px if codes else (width / 2, height / 2)
    half = min(half, width / 2, height / 2)
    x, y = float(np.clip(x, half, width - half)), float(np.clip(y, half, height - half))
    part = rgb[round(y - half) : round(y + half), round(x - half) : round(x + half)]
    smaller = part.shape[0] > SIDE_PX
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (SIDE_PX, SIDE_PX), interpolation=way), np.uint8)


def read_key(out: Path, of: str = "pictures") -> dict[str, dict[str, str]]:
    """Number -> what it is."""
    try:
        key: dict[str, dict[str, str]] = json.loads((out / "key.json").read_text(encoding="utf-8"))[of]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{out} has no readable key.json ({error}); make the {of} first") from error
    return key


def read_answers(path: Path, wanted: Sequence[str] = WORDS) -> dict[str, str]:
    """Number -> what was said of it, one of those words. InputError for a line that is no answer."""
    answers = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) < 2 or words[1] not in wanted:
            raise InputError(f"{path}: {line!r} is no answer; wanted a number and one of {', '.join(wanted)}")
        answers[words[0]] = words[1]
    return answers


def score(key: dict[str, dict[str, str]], answers: dict[str, str]) -> dict[str, object]:
    """Both error rates; InputError where an answer is missing. A composite that is no REPLACED is never real."""
    check_all_answered(key, answers)
    made = [number for number in key if key[number]["kind"] == "made"]
    real = [number for number in key if key[number]["kind"] == "real"]
    passed = [n for n in made if answers[n] == "real" and key[n]["verdict"] == Verdict.REPLACED.value]
    doubted = [n for n in real if answers[n] == "made"]
    return {
        "composites": len(made),
        "called real": len(passed),
        "share called real": round(len(passed) / len(made), 3),
        "not REPLACED": sum(key[n]["verdict"] != Verdict.REPLACED.value for n in made),
        "untouched": len(real),
        "untouched called made": len(doubted),
        "passed": passed,
    }


def check_all_answered(key: Mapping[str, object], answers: Mapping[str, str]) -> None:
    if missing := sorted(set(key) - set(answers)):
        raise InputError(f"{len(missing)} of {len(key)} pictures have no answer: {', '.join(missing[:8])} …")


def _parser() -> argparse.ArgumentParser:
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m training measure-blind", description=__doc__, formatter_class=about
    )
    parser.add_argument("--photos", type=Path, help="the folder that the list's names are in")
    parser.add_argument("--list", type=Path, default=Path("configs/scenes100.txt"))
    parser.add_argument("--weights", type=Path, help="an exported .onnx (default: what is shipped)")
    parser.add_argument("--out", type=Path, default=Path("out/blind"))
    parser.add_argument("--answers", type=Path, help="what was said of each picture")
    return parser
