"""How real composites look, on photos that were not trained on: kernel distance, and the seam at the hole's edge.

    python -m training measure-realism --shard .shard/shard.npz --train FOLDER --more FOLDER --out FOLDER

Held-out photos of the shard and all of --more are split by name into halves A and B. Composites of A (network and
classic, the same personas) are held against real crops of B; real crops of A against B give the floor. Seam: mean
gradient at each distance from −8 to +8 px of the hole's edge, beside the same curve of the untouched photos.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.faces import MotionCode
from anonymizer.frames import Frame, Verdict
from anonymizer.generate.crop import crop_from_frame, warp_matrix
from anonymizer.guard.coverage import fill_hole, hull
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import load_settings
from training.measure.kernel_distance import features, with_interval
from training.measure.report import print_table, write_json

CROP_PX = 256
DISTANCES_PX = (*range(-8, 0), *range(1, 9))  # the edge runs between pixels
Picture = npt.NDArray[np.uint8]


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    photos = held_out_photos(args.shard, args.train) + sorted(p for f in args.more for p in f.iterdir())
    result = measure(photos[: args.limit], args.personas, args.generators)
    args.out.mkdir(parents=True, exist_ok=True)
    write_json(args.out / "realism.json", result)
    print_table(result["kernel distance"])
    print_table(result["seam"])
    return 0


def held_out_photos(shard: Path, train: Path) -> list[Path]:
    """The photos of a shard that were kept out of training; train: the folder it was prepared from."""
    with np.load(shard) as arrays:
        names = [str(n) for n, held in zip(arrays["names"], arrays["split"], strict=True) if held]
    return [train.parent / name for name in names]


@dataclass(slots=True)
class Composites:
    """halves: real crops (256, 256, 3) of A and B. made: by generator, `personas` crops of each photo of A, in order.

    curves: seam curves, of the untouched photos of A one each, of a generator one a composite. verdicts: likewise.
    """

    halves: dict[str, list[Picture]] = field(default_factory=lambda: {"A": [], "B": []})
    made: dict[str, list[Picture]] = field(default_factory=dict)
    curves: dict[str, list[npt.NDArray[np.float64]]] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)


def measure(photos: list[Path], personas: int, generators: list[str]) -> dict[str, Any]:
    """Tables of both measures; personas: composites made of each photo of half A."""
    settings = {name: load_settings(None, {"generator": name, "threads": 1}) for name in generators}
    found = collect(photos, personas, {name: app.build_anonymizer(chosen) for name, chosen in settings.items()})
    refused = sum(verdict is not Verdict.REPLACED for verdicts in found.verdicts.values() for verdict in verdicts)
    counts = {half: len(crops) for half, crops in found.halves.items()}
    return {"photos": counts, "refused": refused} | _tables(found.halves, found.made, found.curves)


def collect(photos: list[Path], personas: int, anonymizers: Mapping[str, Anonymizer]) -> Composites:
    """All pictures that are compared; photos without exactly one face are left out."""
    found, settings = Composites(), load_settings()
    found.curves["untouched"] = []
    with app.build_finder(settings) as finder:
        for path in tqdm(photos, disable=None):
            frame = Frame(read_image(path).rgb)
            faces = plan_still(frame, finder, load_face_model())
            if len(faces) != 1 or faces[0].code is None:
                continue
            code, half = faces[0].code, half_of(path)
            found.halves[half] += [head_crop(frame.rgb, code)]
            if half == "B":
                continue
            found.curves["untouched"].append(seam_curve(frame.rgb, code))
            for _ in range(personas):
                draw = app.PersonaDrawer(secrets.token_bytes(32), settings)
                for name, anonymizer in anonymizers.items():
                    anonymizer.reset()
                    anonymizer.draw_persona = draw
                    safe = anonymizer.render(frame, faces)
                    found.verdicts.setdefault(name, []).append(safe.verdict)
                    found.made.setdefault(name, []).append(head_crop(safe.rgb, code))
                    found.curves.setdefault(name, []).append(seam_curve(safe.rgb, code))
    return found


def half_of(path: Path) -> str:
    """A or B, by folder and person: what stands before a view or an expression in the name."""
    person = re.sub(r"(_emo\d+_\d+|_neutral|_smiling|_a|_b)$", "", path.stem)
    return "AB"[hashlib.sha256(f"{path.parent.name}/{person}".encode()).digest()[0] % 2]


def _tables(
    halves: dict[str, list[Picture]], made: dict[str, list[Picture]], curves: dict[str, list[npt.NDArray[np.float64]]]
) -> dict[str, Any]:
    real = features(halves["B"])
    rows = []
    for name, pictures in {"untouched": halves["A"], **made}.items():
        value, low, high = with_interval(features(pictures), real)
        rows.append(
            {
                "composites": name,
                "pictures": len(pictures),
                "KD × 1000": value * 1e3,
                "low": low * 1e3,
                "high": high * 1e3,
            }
        )
    means = {name: np.nanmean(values, 0) for name, values in curves.items()}
    seam = [
        {
            "px": px,
            **{name: float(mean[i] / means["untouched"][i]) for name, mean in means.items() if name != "untouched"},
        }
        for i, px in enumerate(DISTANCES_PX)
    ]
    return {"kernel distance": rows, "seam": seam}


def head_crop(rgb: Picture, code: MotionCode) -> Picture:
    """(256, 256, 3): what the generator looks at, at its own scale."""
    matrix = warp_matrix(crop_from_frame(code, CROP_PX))
    return np.asarray(
        cv2.warpAffine(rgb, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101),
        np.uint8,
    )


def seam_curve(rgb: Picture, code: MotionCode) -> npt.NDArray[np.float64]:
    """Mean gradient magnitude of luma at −8 (inside) to +8 px from the edge of the face hole."""
    hole = np.zeros(rgb.shape[:2], np.uint8)
    fill_hole(hole, hull(code, "face", load_face_model()))
    outside = cv2.distanceTransform(cv2.bitwise_not(hole), cv2.DIST_L2, 3)
    inside = cv2.distanceTransform(hole, cv2.DIST_L2, 3)
    distance = np.rint(outside - inside).astype(int)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)) / 8
    rings = [gradient[distance == px] for px in DISTANCES_PX]
    return np.array([ring.mean() if ring.size else np.nan for ring in rings])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-realism", description=__doc__)
    parser.add_argument("--shard", type=Path, default=Path(".shard/shard.npz"))
    parser.add_argument("--train", type=Path, required=True, help="the folder the shard was prepared from")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders of photos that were never trained on")
    parser.add_argument("--personas", type=int, default=2, help="composites of each photo")
    parser.add_argument("--generators", nargs="+", default=["network", "classic"])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, default=Path("out/measure/realism"))
    return parser
