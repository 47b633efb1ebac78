"""Anonymisers that leak on purpose, each in one way; the audit must name what was planted.

    python -m training measure-leaky --photos FOLDER --clip CLIP --out FOLDER \\
        --recogniser configs/recognisers/mobilefacenet.toml --models FOLDER

Photos: two of each person, named PERSON_VIEW. Planted: a cover of 60 %; a mouth left out; one seed for all; a persona
that follows the face. Clip: a cover of 60 %; every 50th frame raw; a mouth left out. And the product as it is.
What is written shows real people's true faces: it is deleted unless --keep.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.audit.photo_pairs import photos_in
from anonymizer.audit.photos import Sources
from anonymizer.audit.recognisers import Recogniser, load_recognisers
from anonymizer.audit.run import AuditResult, audit_clip, audit_photos
from anonymizer.audit.seen import Seen, audit_finder, faces_of
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.landmark_groups import LIPS_OUTER
from anonymizer.persona.persona import Persona, draw_persona
from anonymizer.pipeline import DrawPersona
from anonymizer.settings import load_settings
from training.measure.report import print_table, write_json

OPACITY = 0.6
RAW_EVERY = 50
PERSONAS_BY_FACE = 64
FIXED_TONE = 2
Spoil = Callable[[RgbImage, RgbImage, "Seen | None", int], RgbImage]
"""raw, anonymized, the raw face, frame number -> what a leaky tool would give."""


def as_it_is(_: RgbImage, after: RgbImage, __: Seen | None, ___: int) -> RgbImage:
    return after


def thin_cover(raw: RgbImage, after: RgbImage, _: Seen | None, __: int) -> RgbImage:
    return np.rint(OPACITY * after + (1 - OPACITY) * raw).astype(np.uint8)


def raw_now_and_then(raw: RgbImage, after: RgbImage, _: Seen | None, index: int) -> RgbImage:
    return raw if index % RAW_EVERY == 0 else after


def without_mouth(raw: RgbImage, after: RgbImage, face: Seen | None, _: int) -> RgbImage:
    if face is None:
        return after
    out, points = after.copy(), face.landmarks_px[list(LIPS_OUTER), :2]
    (x0, y0), (x1, y1) = np.floor(points.min(0)).astype(int) - 4, np.ceil(points.max(0)).astype(int) + 5
    rows, columns = slice(max(0, y0), max(0, y1)), slice(max(0, x0), max(0, x1))
    out[rows, columns] = raw[rows, columns]
    return out


def personas_of(seed: bytes, tone: int | None = None) -> DrawPersona:
    """tone: for everybody, None = as proposed."""

    def draw(slot: int, proposed: int) -> Persona:
        step = proposed if tone is None else tone
        return draw_persona(seed.ljust(32, b"."), slot, step, "any", load_bank(), load_face_model())

    return draw


def persona_by_face(recogniser: Recogniser) -> Callable[[RgbImage, Seen], DrawPersona]:
    """The nearest of 64 fixed directions to the face's own vector chooses the persona: it follows the person."""
    random = np.random.default_rng(7)

    def choose(rgb: RgbImage, face: Seen) -> DrawPersona:
        vector = recogniser.embed(recogniser.chip(rgb, face.landmarks_px))
        directions = random.normal(size=(PERSONAS_BY_FACE, len(vector))) if not known else known[0]
        known[:] = [directions]
        return personas_of(f"face {int((directions @ vector).argmax())}".encode())

    known: list[Any] = []
    return choose


def leaky_photos(photos: Path, out: Path, people: int, recogniser: Recogniser) -> None:
    """Every planted fault as a folder of its own in `out`, beside `honest` and `honest_again`."""
    anonymizer, model, finder = app.build_anonymizer(load_settings()), load_face_model(), audit_finder()
    by_face = persona_by_face(recogniser)
    chosen = sorted({p.person for p in photos_in(photos) if p.view})[:people]
    for photo in (p for p in photos_in(photos) if p.person in chosen):
        rgb = read_image(photo.path).rgb
        faces = faces_of(finder, rgb)
        if not faces:
            continue
        planned = plan_still(Frame(rgb), finder, model)

        def render(draw: DrawPersona, rgb: RgbImage = rgb, planned: Any = planned) -> RgbImage:
            anonymizer.reset()
            anonymizer.draw_persona = draw
            return anonymizer.render(Frame(rgb), planned).rgb

        honest = render(app.persona_drawer(load_settings()))
        made = {
            "honest": honest,
            "thin_cover": thin_cover(rgb, honest, faces[0], 0),
            "without_mouth": without_mouth(rgb, honest, faces[0], 0),
            "one_seed": render(personas_of(b"one seed for all", FIXED_TONE)),
            "by_face": render(by_face(rgb, faces[0])),
        }
        for name, picture in made.items():
            save(out / name / f"{photo.key}.png", picture)


def leaky_clip(source: Path, anonymized: Path, target: Path, spoil: Spoil) -> None:
    """`anonymized`, spoiled, as H.264."""
    finder = audit_finder()
    with av.open(str(target), "w") as container:
        stream = None
        for raw, after in zip(_frames(source), _frames(anonymized), strict=True):
            if stream is None:
                reader = VideoReader(source, 1)
                stream = container.add_stream("libx264", rate=Fraction(reader.fps_hz).limit_denominator(1001))
                reader.close()
                stream.height, stream.width = raw.rgb.shape[:2]
                stream.pix_fmt, stream.options = "yuv420p", {"crf": "18", "preset": "veryfast"}
            found = [f for f in finder.find_tracked(raw, witness=False) if f.landmarks_px is not None]
            face = max(found, key=lambda f: f.box_px.width, default=None)
            seen = None
            if face is not None and face.landmarks_px is not None and face.expression is not None:
                seen = Seen(face.landmarks_px, face.expression)
            picture = np.ascontiguousarray(spoil(raw.rgb, after.rgb, seen, raw.index))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode(None))


def _frames(path: Path) -> Iterator[Frame]:
    reader = VideoReader(path, 1)
    try:
        while (frame := reader.read()) is not None:
            yield frame
    finally:
        reader.close()


def save(path: Path, rgb: RgbImage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def row(planted: str, result: AuditResult) -> dict[str, Any]:
    faults = result.content["faults"]
    where = next((", ".join(f["where"][:8]) for f in faults if f["where"]), "")
    return {"planted": planted, "named": "; ".join(f["kind"] for f in faults) or "nothing", "first places": where}


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    attackers = load_recognisers(args.recogniser, args.models, args.dlib)
    rows: list[dict[str, Any]] = []
    if args.photos:
        leaky_photos(args.photos, args.out, args.people, attackers[-1])
        for name in ("honest", "thin_cover", "without_mouth", "one_seed", "by_face"):
            sources, page = Sources(args.photos, args.out / name), args.out / f"{name}.html"
            rows.append(row(f"photos: {name}", audit_photos(sources, attackers, page, ["leaky", name], _quiet)))
            print(rows[-1], file=sys.stderr, flush=True)
    if args.clip:
        rows += clip_rows(args.clip, args.out, attackers[-1])
    print_table(rows)
    write_json(args.out / "leaky.json", {"rows": rows})
    if not args.keep:
        for folder in (p for p in args.out.iterdir() if p.is_dir()):
            shutil.rmtree(folder)
        for path in [*args.out.glob("*.mp4"), *args.out.glob("*.html")]:
            path.unlink()
    return 0


def clip_rows(clip: Path, out: Path, recogniser: Recogniser) -> list[dict[str, Any]]:
    honest, rows = out / "clip_honest.mp4", []
    app.run_video(clip, honest, load_settings(), True, lambda _: None)
    for spoil in (as_it_is, thin_cover, raw_now_and_then, without_mouth):
        made = honest if spoil is as_it_is else out / f"clip_{spoil.__name__}.mp4"
        if made is not honest:
            leaky_clip(clip, honest, made, spoil)
        page = out / f"clip_{spoil.__name__}.html"
        rows.append(row(f"clip: {spoil.__name__}", audit_clip(clip, made, recogniser, page, ["leaky"], _quiet)))
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def _quiet(_: int, __: int) -> None:
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-leaky", description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder with two photos of each person")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--keep", action="store_true", help="leave the leaky pictures where they were made")
    parser.add_argument("--out", type=Path, default=Path("out/measure/leaky"))
    return parser
