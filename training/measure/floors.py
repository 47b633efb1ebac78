"""How low does a floor get when more of the head goes, and which part of what is left still tells people apart?

    python -m training measure-floors --data FOLDER --recogniser configs/recognisers/mobilefacenet.toml \\
        --models FOLDER --out out/floors

FOLDER as for measure-evaluation. Each photo gets the audit's floor, one finished face for everybody, in a hull: the
face's oval and 15 %, the hull of `head` coverage, that one grown; then the hull of `head` with all but one part of its
surroundings painted over as well. No persona is drawn and no network asked.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.baselines import GREY, pasted_face
from anonymizer.audit.metrics import Drawn, Scores, figure, measure, people_draws
from anonymizer.audit.photo_pairs import Photo, photos_in
from anonymizer.audit.recognisers import Recogniser, load_recognisers
from anonymizer.audit.seen import Seen, audit_finder, box_of, faces_of
from anonymizer.faces import Face, Floats, Mask, MotionCode
from anonymizer.frames import RgbImage
from anonymizer.guard.coverage import fill_hole, hull
from anonymizer.perceive.motion import fit_motion, reduce_still
from anonymizer.persona.face_model import load_face_model
from training.measure.evaluation import SETS, show_progress
from training.measure.report import print_table, write_json

GROWN = (1.0, 1.15, 1.3, 1.6, 2.0, 3.0)
NEAR = 1.6  # what lies within the hull of `head` times this is near the head


def head_mask(rgb: RgbImage, code: MotionCode, scale: float = 1.0) -> Mask:
    """(H, W), 255 in the hull of `head` coverage, grown about its middle."""
    outline = hull(code, "head", load_face_model())
    middle = (outline.min(0) + outline.max(0)) / 2
    mask = np.zeros(rgb.shape[:2], np.uint8)
    fill_hole(mask, (outline - middle) * scale + middle)
    return mask


def finished(rgb: RgbImage, face: Seen, mask: Mask) -> RgbImage:
    """One finished face for everybody, and its skin in the rest of the mask."""
    whole = pasted_face(rgb, face)
    skin = np.median(whole[(whole != rgb).any(2)], axis=0)
    out = np.where(mask[..., None] > 0, skin.astype(np.uint8), rgb)
    worn = (whole != rgb).any(2)
    out[worn] = whole[worn]
    return np.asarray(out, np.uint8)


def surroundings(rgb: RgbImage, code: MotionCode) -> dict[str, npt.NDArray[np.bool_]]:
    """Parts of what the hull of `head` leaves, (H, W) bool each."""
    head, near = head_mask(rgb, code) > 0, head_mask(rgb, code, NEAR) > 0
    rows, _ = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]]
    outline = hull(code, "head", load_face_model())
    top, bottom = outline[:, 1].min(), outline[:, 1].max()
    upper, lower = rows < top + 0.35 * (bottom - top), rows >= bottom - 0.15 * (bottom - top)
    left = ~head
    return {
        "above, near (hair)": left & near & upper,
        "beside, near (hair, background)": left & near & ~upper & ~lower,
        "below, near (neck, collar)": left & near & lower,
        "further away": left & ~near,
        "nothing": np.zeros_like(head),
    }


def versions(rgb: RgbImage, face: Seen, code: MotionCode) -> dict[str, RgbImage]:
    """Every floor of one photo."""
    out = {"face: oval + 15 %": pasted_face(rgb, face)}
    for scale in GROWN:
        name = "head" if scale == 1 else f"head × {scale:g}"
        out[name] = finished(rgb, face, head_mask(rgb, code, scale))
    base = out["head"]
    for name, kept in surroundings(rgb, code).items():
        shown = kept | (head_mask(rgb, code) > 0)
        out[f"head, kept: {name}"] = np.where(shown[..., None], base, np.uint8(GREY))
    return out


class Floors:
    """Vectors of every floor of every probe, and of everybody's raw other photo."""

    def __init__(self, data: Path, recognisers: list[Recogniser]) -> None:
        self.recognisers = recognisers
        self.vectors: dict[str, list[list[Floats]]] = {}
        gallery: list[tuple[Photo, list[Floats]]] = []
        probes: list[Photo] = []
        photos = [p for p in photos_in(data) if p.group in SETS and p.view]
        with audit_finder() as finder:
            for done, photo in enumerate(photos):
                rgb = read_image(photo.path).rgb
                faces = faces_of(finder, rgb)
                if not faces:
                    continue
                if photo.view != SETS[photo.group]:
                    gallery.append((photo, self._embedded(rgb, faces[0])))
                else:
                    probes.append(photo)
                    for name, picture in versions(rgb, faces[0], code_of(faces[0])).items():
                        self.vectors.setdefault(name, []).append(self._embedded(picture, faces[0]))
                show_progress(done + 1, len(photos))
        names = {person: i for i, person in enumerate(sorted({p.person for p in (*probes, *(q for q, _ in gallery))}))}
        self.people, self._draws = len(probes), people_draws(len(names))
        self._who = np.array([names[p.person] for p in probes])
        self._gallery_who = np.array([names[p.person] for p, _ in gallery])
        self._comparable = np.array([[p.group == q.group for q, _ in gallery] for p in probes])
        self._gallery = [vectors for _, vectors in gallery]

    def _embedded(self, rgb: RgbImage, face: Seen) -> list[Floats]:
        return [each.embed(each.chip(rgb, face.landmarks_px)) for each in self.recognisers]

    def area(self, name: str, which: int) -> npt.NDArray[np.float64]:
        probes = np.stack([own[which] for own in self.vectors[name]])
        gallery = np.stack([own[which] for own in self._gallery])
        similarity = self.recognisers[which].similarity(probes, gallery).astype(np.float64)
        drawn: Drawn = measure(Scores(similarity, self._who, self._gallery_who, self._comparable), self._draws)
        return np.asarray(drawn.auc)


def code_of(face: Seen) -> MotionCode:
    model = load_face_model()
    motion = fit_motion(Face(box_of(face), 1.0, face.landmarks_px, face.expression), model)
    return reduce_still(motion, model)


def rows_of(floors: Floors) -> list[dict[str, Any]]:
    rows = []
    for which, recogniser in enumerate(floors.recognisers):
        first = floors.area(next(iter(floors.vectors)), which)
        for name in floors.vectors:
            area = floors.area(name, which)
            own, less = figure(area), figure(area - first)
            rows.append(
                {
                    "floor": name,
                    "recogniser": recogniser.name,
                    "AUC": f"{own.value:.3f} ({own.low:.3f} to {own.high:.3f})",
                    "against face": f"{less.value:+.3f} ({less.low:+.3f} to {less.high:+.3f})",
                }
            )
    return rows


def sheet(data: Path, path: Path) -> None:
    """Every floor of one photo."""
    from anonymizer.sheet import grid, save_rgb

    photo = next(p for p in photos_in(data) if p.group in SETS and p.view == SETS[p.group])
    rgb = read_image(photo.path).rgb
    with audit_finder() as finder:
        face = faces_of(finder, rgb)[0]
    pictures = versions(rgb, face, code_of(face)).values()
    save_rgb(
        path, grid([np.asarray(cv2.resize(each, (256, 256 * rgb.shape[0] // rgb.shape[1]))) for each in pictures], 6)
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training measure-floors", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=Path("out/floors"))
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    sheet(args.data, args.out / "floors.png")
    floors = Floors(args.data, load_recognisers(args.recogniser, args.models, args.dlib))
    rows = rows_of(floors)
    print(f"{floors.people} people")
    print_table(rows)
    write_json(args.out / "floors.json", {"rows": rows, "people": floors.people})
    return 0


__all__ = ["Floors", "main"]
