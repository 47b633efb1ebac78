"""Run whole clips and photos through the product and say what became of every frame.

    python -m training measure-clips --clips FOLDER --photos FOLDER --out FOLDER [--generator classic] [--preset fast]

Beside the verdicts stands what an onlooker saw in the raw frames: where exactly one plain face of 64 px or more was in
view, the share of frames REPLACED, and the share in which that face itself got a persona (a frame is OBSCURED when a
second, less plain face in it is covered, too: a badge's photo, a print, half a neighbour); and how often eyes, nose or
mouth, jaw or forehead of any plain face lay outside the hole.
The sheets show real people: keep them to yourself.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer import app, pipeline
from anonymizer.adapters.image_reader import read_image
from anonymizer.errors import AnonymizerError
from anonymizer.faces import Box, Mask, PlannedFace
from anonymizer.frames import SafeFrame, Verdict
from anonymizer.guard.coverage import hull
from anonymizer.settings import Settings, load_settings
from training.measure.pictures import frames_at, moments_of, save_before_and_after
from training.measure.report import print_table, write_json
from training.measure.tap import tapped
from training.measure.witness import SeenFace, Witness

CLIP_SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif"}
OUT_BY_MORE = 0.02  # of a face's width; landmarks of one frame tremble by about this much
HEAD_CM = (16.0, 21.0)  # what the close pictures show of a planned face


@dataclass(slots=True)
class Record:
    """What happened to the frames of one file, in order. personas: hulls of the faces that got one.
    looked_at: frame index -> plain faces seen in it."""

    verdicts: list[Verdict] = field(default_factory=list)
    boxes: list[Box | None] = field(default_factory=list)
    personas: list[list[npt.NDArray[np.float64]]] = field(default_factory=list)
    looked_at: dict[int, list[SeenFace]] = field(default_factory=dict)


@contextmanager
def recorded(record: Record, witness: Witness, every: int) -> Iterator[None]:
    """Fill `record` from all that is rendered inside the block."""
    holes: list[Mask] = []

    def on_render(args: tuple[Any, ...], safe: SafeFrame, _: float) -> None:
        frame, faces = args[1], args[2]
        index = len(record.verdicts)
        record.verdicts.append(safe.verdict)
        record.boxes.append(largest_box(faces))
        record.personas.append(personas_of(args[0], faces) if safe.verdict is not Verdict.BLANKED else [])
        hole = holes.pop() if holes else np.zeros(frame.rgb.shape[:2], np.uint8)
        holes.clear()
        if index % every == 0:
            record.looked_at[index] = witness.plain_faces(frame.rgb, hole)

    def on_erase(args: tuple[Any, ...], _: Any, __: float) -> None:
        holes.append(args[1])

    with tapped(pipeline.Anonymizer, "render", on_render), tapped(pipeline, "erase", on_erase):
        yield


def personas_of(anonymizer: pipeline.Anonymizer, faces: tuple[PlannedFace, ...]) -> list[npt.NDArray[np.float64]]:
    """Outlines of the faces that get a persona and no cover."""
    codes = [face.code for face in faces if face.code is not None and pipeline.fit_for_persona(face.code)]
    largest = sorted(codes, key=lambda code: -code.scale_px_per_cm)[: anonymizer.max_personas]
    return [hull(code, "face", anonymizer.model) for code in largest]


def is_replaced(face: SeenFace, personas: list[npt.NDArray[np.float64]]) -> bool:
    """Does the face's middle lie in one of these outlines?"""
    import cv2

    x, y = face.box.center
    return any(cv2.pointPolygonTest(outline.astype(np.float32), (x, y), False) >= 0 for outline in personas)


def largest_box(faces: tuple[PlannedFace, ...]) -> Box | None:
    boxes = [_box_of(face) for face in faces]
    return max(boxes, key=lambda box: box.width, default=None)


def _box_of(face: PlannedFace) -> Box:
    if face.code is None:
        assert face.cover_box is not None
        return face.cover_box
    (x, y), scale = face.code.center_px, face.code.scale_px_per_cm
    width, height = (side * scale for side in HEAD_CM)
    return Box(float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2))


def row_of(name: str, record: Record, seconds: float, failures: int, problem: str | None) -> dict[str, Any]:
    """One line of the table."""
    counts = Counter(record.verdicts)
    one_plain = [i for i, seen in record.looked_at.items() if len(seen) == 1]
    replaced_there = sum(record.verdicts[i] is Verdict.REPLACED for i in one_plain)
    itself = sum(is_replaced(record.looked_at[i][0], record.personas[i]) for i in one_plain)
    seen = [face for faces in record.looked_at.values() for face in faces]
    return {
        "file": name,
        "frames": len(record.verdicts),
        **{verdict.value: counts[verdict] for verdict in Verdict},
        "seconds": round(seconds, 1),
        "failures": failures,
        "looked at": len(record.looked_at),
        "one plain face": len(one_plain),
        "of them replaced": replaced_there / len(one_plain) if one_plain else "-",
        "that face replaced": itself / len(one_plain) if one_plain else "-",
        "plain faces": len(seen),
        "inner out": sum(face.inner_out > OUT_BY_MORE for face in seen),
        "jaw out": sum(face.jaw_out > OUT_BY_MORE for face in seen),
        "forehead out": sum(face.forehead_out > OUT_BY_MORE for face in seen),
        "worst inner": max((face.inner_out for face in seen), default=0.0),
        "worst jaw": max((face.jaw_out for face in seen), default=0.0),
        "problem": problem or "-",
    }


def measure_clip(
    source: Path, out: Path, settings: Settings, witness: Witness, every: int, moments: int
) -> dict[str, Any]:
    record = Record()
    target = out / f"{source.stem}.mp4"
    try:
        with recorded(record, witness, every):
            report = app.run_video(source, target, settings, True, lambda _: None)
    except AnonymizerError as error:
        return row_of(source.name, record, 0.0, 0, f"{type(error).__name__}: {error}")
    chosen = moments_of(report.frames, moments)
    before, after = frames_at(source, chosen), frames_at(target, chosen)
    save_before_and_after(out / f"{source.stem}.png", [(before[i], after[i], record.boxes[i]) for i in chosen])
    print(f"{source.name}: sheet shows frames {chosen}; not in plain view: {_not_replaced(record)}", flush=True)
    return row_of(source.name, record, report.seconds.total_s, report.failures, report.first_failure)


def _not_replaced(record: Record) -> list[int]:
    """Frames with one plain face and another verdict."""
    return [i for i, seen in record.looked_at.items() if len(seen) == 1 and record.verdicts[i] is not Verdict.REPLACED]


def measure_photo(source: Path, out: Path, settings: Settings, witness: Witness) -> tuple[dict[str, Any], Any]:
    record = Record()
    target = out / f"{source.stem}.png"
    try:
        with recorded(record, witness, 1):
            (report,) = app.run_images([source], target, settings, True, lambda _: None).images
    except AnonymizerError as error:
        return row_of(source.name, record, 0.0, 0, f"{type(error).__name__}: {error}"), None
    pair = (read_image(source).rgb, read_image(target).rgb, record.boxes[0] if record.boxes else None)
    return row_of(source.name, record, report.seconds, int(report.failure is not None), report.failure), pair


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    flags = {"generator": args.generator, "preset": args.preset, "coverage": args.coverage}
    settings = load_settings(args.config, flags)
    (args.out / "photos").mkdir(parents=True, exist_ok=True)
    witness = Witness(threads=settings.threads or 1)
    rows, pairs = [], []
    for clip in sorted(p for p in args.clips.iterdir() if p.suffix in CLIP_SUFFIXES) if args.clips else []:
        if not args.only or clip.stem in args.only:
            rows.append(measure_clip(clip, args.out, settings, witness, args.look_every, args.moments))
            write_rows(args.out, settings, rows)  # after each: a long run may be broken off
    for photo in app.photos_of([args.photos]) if args.photos else []:
        row, pair = measure_photo(photo, args.out / "photos", settings, witness)
        rows.append(row)
        pairs += [pair] if pair is not None else []
    for start in range(0, len(pairs), args.moments):
        save_before_and_after(args.out / f"photos_{start // args.moments}.png", pairs[start : start + args.moments])
    print_table(rows)
    write_rows(args.out, settings, rows)
    return 0


def write_rows(out: Path, settings: Settings, rows: list[dict[str, Any]]) -> None:
    chosen = {"generator": settings.generator, "preset": settings.preset, "coverage": settings.coverage}
    write_json(out / "clips.json", {"settings": chosen, "rows": rows})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-clips", description=__doc__)
    parser.add_argument("--clips", type=Path, help="folder of videos")
    parser.add_argument("--photos", type=Path, help="folder of photos")
    parser.add_argument("--only", nargs="*", default=[], help="names of clips, without their endings")
    parser.add_argument("--out", type=Path, default=Path("out/measure/clips"))
    parser.add_argument("--config", type=Path)
    parser.add_argument("--generator", choices=("network", "classic"))
    parser.add_argument("--preset", choices=("fast", "balanced", "quality", "strict"))
    parser.add_argument("--coverage", choices=("face", "head", "box"))
    parser.add_argument("--look-every", type=int, default=1, help="the onlooker sees every so many frames")
    parser.add_argument("--moments", type=int, default=6)
    return parser
