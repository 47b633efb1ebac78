"""The slow proofs, each a command of its own.

python -m tests.scenes recall [--data FOLDER] [--faces 60] [--preset balanced] [--out FILE.json]
python -m tests.scenes crowds --out FOLDER [--data FOLDER] [--crowds 4]
python -m tests.scenes speed [--frames 40]
python -m tests.scenes leaks [--data FOLDER] [--frames 10000] [--preset balanced] [--faults none|all|NAME]
                            [--seed 0] [--log FILE.jsonl]
python -m tests.scenes clips --data FOLDER [--preset balanced] [CLIP ...]
python -m tests.scenes hands [--data FOLDER] [--frames 400] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.frames import Frame
from anonymizer.perceive.clip import plan_still
from anonymizer.perceive.hands import HandFinder
from anonymizer.persona.face_model import load_face_model
from anonymizer.settings import load_settings
from anonymizer.sheet import grid, save_rgb
from tests.scenes import ours, rivals
from tests.scenes.clips import ClipReport, Judges, run_clip
from tests.scenes.crowds import crowd, faces_in_a_row
from tests.scenes.cutouts import cutouts, photos, yaws_of
from tests.scenes.hand_cutouts import hand_cutouts
from tests.scenes.hands import HandReport, hand_frame, sure_pixels
from tests.scenes.leaks import LeakReport, outside_hole
from tests.scenes.proof_log import ProofLog
from tests.scenes.recall import Cast, Cell, Condition, conditions, measure
from tests.scenes.run import FAULTS, run, run_frames
from tests.scenes.scene import film, made_frame
from tests.scenes.stories import COUNT, STORIES, mannequins, story

YAW_BINS = {0: (0, 12), 30: (22, 38), 60: (48, 75)}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scenes", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("recall", help="faces covered whole, beside deface and one detector alone")
    command.add_argument("--data", type=Path, help="folder with train/ and manifest.csv; without it made heads only")
    command.add_argument("--faces", type=int, default=60, help="of each condition and kind of head")
    command.add_argument("--people", type=int, default=40, help="of each yaw, cut out of photos")
    command.add_argument("--preset", default="balanced")
    command.add_argument("--table", help="only this one")
    command.add_argument("--match", default="", help="only conditions whose name has this in it")
    command.add_argument("--no-rivals", action="store_true")
    command.add_argument("--out", type=Path)
    command.set_defaults(run=recall)
    command = commands.add_parser("leaks", help="leak frames over made scenes, with and without faults")
    command.add_argument("--data", type=Path, help="folder with train/: every second round shows people out of photos")
    command.add_argument("--frames", type=int, default=10_000)
    command.add_argument("--people", type=int, default=60)
    command.add_argument("--preset", default="balanced")
    command.add_argument("--faults", default="none", choices=["none", "all", *FAULTS])
    command.add_argument("--story", choices=STORIES)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--scene-frames", type=int, default=COUNT, help="of each scene")
    command.add_argument("--log", type=Path, help="a line a scene; a run that was stopped goes on where this ends")
    command.add_argument("--generator", default="classic", help="paints; what is erased does not depend on it")
    command.set_defaults(run=leaks)
    _add_clips(commands)
    _add_hands(commands)
    command = commands.add_parser("crowds", help="made crowds of thirty, and photos of groups")
    command.add_argument("--data", type=Path)
    command.add_argument("--crowds", type=int, default=4)
    command.add_argument("--preset", default="balanced")
    command.add_argument("--out", type=Path, required=True, help="folder for sheets; they may show real people")
    command.set_defaults(run=crowds)
    command = commands.add_parser("speed", help="a 720p clip with 1, 2, 4 and 8 faces: frames a second and memory")
    command.add_argument("--frames", type=int, default=40)
    command.add_argument("--preset", default="balanced")
    command.set_defaults(run=speed)
    args = parser.parse_args(argv)
    args.run(args)
    return 0


def _add_clips(commands: Any) -> None:
    command = commands.add_parser("clips", help="leak frames of filmed clips, where dlib sees faces")
    command.add_argument("clips", nargs="*", type=Path, help="these only")
    command.add_argument("--data", type=Path, required=True, help="folder with eval/video/")
    command.add_argument("--preset", default="balanced")
    command.set_defaults(run=clips)


def _add_hands(commands: Any) -> None:
    command = commands.add_parser("hands", help="pixels of faces that were taken for a hand before or behind them")
    command.add_argument("--data", type=Path, help="folder with train/ and eval/; without it flat hands, made heads")
    command.add_argument("--frames", type=int, default=400, help="of each kind of head, before and behind")
    command.add_argument("--people", type=int, default=60)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, help="folder for a sheet of what went wrong")
    command.set_defaults(run=hands_in_front)


def recall(args: argparse.Namespace) -> None:
    """One line a condition; then what the promise asks."""
    settings = load_settings(None, {"preset": args.preset})
    casts = photo_casts(args.data, args.people) if args.data else {}
    rows: dict[tuple[str, str, float, str], Cell] = {}
    with app.build_finder(settings) as finder:
        coverers: dict[str, rivals.Coverer] = {}
        if not args.no_rivals:
            coverers = {"deface": rivals.deface(), "full range": rivals.full_range_alone()}
        coverers |= {"later": ours.as_later_frame(settings, finder), "first": ours.as_first_frame(settings, finder)}
        names = list(coverers)
        print(f"{'':34}{'':8}{'faces':>7}" + "".join(f"{name:>12}" for name in names))
        for condition in conditions():
            if (args.table and condition.table != args.table) or args.match not in condition.name:
                continue
            for kind, cast in (("made", mannequins), *_photos_for(condition, casts)):
                cell = measure(condition, cast, args.faces, coverers)
                rows[condition.table, condition.name, condition.width_px, kind] = cell
                name = f"{condition.table}: {condition.name} ({condition.width_px:g})"
                shares = "".join(f"{100 * cell.share(each):>12.1f}" for each in names)
                print(f"{name:34}{kind:>8}{cell.faces:>7}{shares}", flush=True)
    _promise(rows, names)
    if args.out:
        args.out.write_text(json.dumps([_row(key, cell) for key, cell in rows.items()], indent=1))


def leaks(args: argparse.Namespace) -> None:
    """Every leak as it comes, and the sums after every round of stories."""
    settings = load_settings(None, {"preset": args.preset, "generator": args.generator})
    casts: dict[str, Cast] = {"made heads": mannequins}
    if args.data:
        casts["photos"] = cutouts(photos([args.data / "train"]), args.people, args.seed)
    names = [args.story] if args.story else list(STORIES)
    injected: list[str | None] = [*FAULTS] if args.faults == "all" else [None if args.faults == "none" else args.faults]
    log = ProofLog(args.log, {"preset": args.preset, "faults": args.faults, "seed": args.seed})
    total, number, started_s = LeakReport(), 0, time.perf_counter()
    by_story: dict[str, LeakReport] = defaultdict(LeakReport)
    while total.frames < args.frames:
        turn = number // len(names)
        name, kind = names[number % len(names)], list(casts)[(number + turn * (len(names) + 1)) % len(casts)]
        fault = injected[(number + turn) % len(injected)]
        report = log.known(number)
        if report is None:
            scene = story(name, args.seed * 10_000 + number, casts[kind], args.scene_frames)
            with app.build_finder(settings) as finder:
                report = run(scene, settings, finder, FAULTS[fault] if fault else None, number)
            log.add(number, {"story": name, "cast": kind, "fault": fault}, report)
        for leak in report.leaks:
            print(f"LEAK {name} {args.seed * 10_000 + number}, {kind}, {fault}: {leak}", flush=True)
        for each in (total, by_story[name]):
            each.take(report)
        number += 1
        if number % len(names) == 0:
            print(f"{total} {time.perf_counter() - started_s:.0f} s", flush=True)
    for name, report in by_story.items():
        print(f"{name:12} {report}")
    print(f"{args.preset}, faults {args.faults}: {total}")


def clips(args: argparse.Namespace) -> None:
    """One line a clip, and every leak."""
    settings = load_settings(None, {"preset": args.preset, "generator": "classic"})
    judges, total = Judges(), ClipReport()
    for path in args.clips or sorted((args.data / "eval" / "video").iterdir()):
        report = run_clip(path, settings, judges)
        for leak in report.leaks:
            print(f"LEAK {path.name} {leak}", flush=True)
        print(f"{path.name:44} {report}", flush=True)
        total.take(report)
    print(f"{args.preset}: {total}")


def hands_in_front(args: argparse.Namespace) -> None:
    """One line a kind of head and side; with --out the frames in which something else was taken for a hand."""
    casts: dict[str, Cast] = {"made heads": mannequins}
    if args.data:
        casts["photos"] = cutouts(photos([args.data / "train"]), args.people, args.seed)
    cut = hand_cutouts(args.data) if args.data else []
    print(f"{len(cut)} hands were cut out")
    finder, wrong = HandFinder(), []
    for kind, cast in casts.items():
        for behind in (False, True):
            report = HandReport()
            for number in range(args.seed * 100_000, args.seed * 100_000 + args.frames):
                made, hand = hand_frame(number, cast, cut, behind)
                sure = sure_pixels(made, finder)
                report.add(number, made, hand, sure)
                if number in report.bad:
                    marked = np.array(made.frame.rgb)
                    marked[sure & hand], marked[sure & ~hand] = (0, 255, 0), (255, 0, 0)
                    wrong.append(np.concatenate([made.frame.rgb, marked], 1))
            print(f"{kind}, hand {'behind' if behind else 'before'}: {report}", flush=True)
    if args.out and wrong:
        args.out.mkdir(parents=True, exist_ok=True)
        save_rgb(args.out / "hands.png", grid(wrong[:16], 2))


def crowds(args: argparse.Namespace) -> None:
    """How many of each crowd are covered whole; sheets of crowds and group photos after."""
    settings = load_settings(None, {"preset": args.preset})
    model, renderer = load_face_model(), app.build_anonymizer(settings)
    casts: list[Cast] = [mannequins]
    if args.data:
        casts.append(cutouts(photos([args.data / "train"]), 40))
    args.out.mkdir(parents=True, exist_ok=True)
    with app.build_finder(settings) as finder:
        for number in range(args.crowds):
            made = made_frame(crowd(number, casts[number % len(casts)]), 0)
            planned = plan_still(made.frame, finder, model)
            hole = renderer.hole(planned, made.frame.rgb.shape)
            whole = sum(outside_hole(hole, face) == 0 for face in made.visible)
            report = LeakReport()
            renderer.reset()
            safe = renderer.render(made.frame, planned)
            report.add(safe, made, hole)
            print(f"crowd {number}: {whole} of {len(made.visible)} covered whole, {len(planned)} planned; {report}")
            save_rgb(args.out / f"crowd{number}.png", np.array(safe.rgb))
        for path in photos([args.data / "eval" / "groups"]) if args.data else []:
            frame = Frame(read_image(path).rgb)
            planned = plan_still(frame, finder, model)
            renderer.reset()
            safe = renderer.render(frame, planned)
            print(f"{path.name}: {len(planned)} faces, {safe.verdict.value}")
            save_rgb(args.out / f"{path.stem}.png", np.concatenate([frame.rgb, safe.rgb], 1))


def speed(args: argparse.Namespace) -> None:
    """Looking and rendering, without decoding and encoding."""
    settings = load_settings(None, {"preset": args.preset})
    for count in (1, 2, 4, 8):
        frames = list(film(faces_in_a_row(count, mannequins, args.frames)))
        with app.build_finder(settings) as finder:
            run_frames(frames[:4], 25.0, settings, finder)  # compilers and caches
            started_s, worked_s = time.perf_counter(), time.process_time()
            report = run_frames(frames, 25.0, settings, finder)
        took_s, worked_s = time.perf_counter() - started_s, time.process_time() - worked_s
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{count} faces: {len(frames) / took_s:.1f} frames/s, {1000 * worked_s / len(frames):.0f} ms of processor "
            f"a frame, at most {memory_mb:.0f} MB; {report}",
            flush=True,
        )


def photo_casts(data: Path, people: int) -> dict[int, Cast]:
    """People cut out of training photos, by yaw."""
    yaws = yaws_of(data / "manifest.csv")
    files = photos([data / "train"])
    chosen = {
        yaw: [path for path in files if low <= abs(yaws.get(path.name, -1)) <= high]
        for yaw, (low, high) in YAW_BINS.items()
    }
    return {yaw: cutouts(paths, people) for yaw, paths in chosen.items()}


def _photos_for(condition: Condition, casts: dict[int, Cast]) -> list[tuple[str, Cast]]:
    cast = casts.get(round(condition.yaw))
    return [("photo", cast)] if cast is not None else []


def _promise(rows: dict[tuple[str, str, float, str], Cell], names: list[str]) -> None:
    pooled: dict[str, Cell] = defaultdict(Cell)
    for (table, name, size, kind), cell in rows.items():
        if table == "size and yaw" and size >= 24 and not name.endswith(" 90°"):
            for group in ("24 px and more, up to 60°", f"24 px and more, up to 60°, {kind}"):
                pooled[group].faces += cell.faces
                for each in names:
                    pooled[group].covered[each] += cell.covered[each]
    for group, cell in pooled.items():
        print(f"{group:42}{cell.faces:>7}" + "".join(f"{100 * cell.share(each):>12.2f}" for each in names))
    for (table, name, size, kind), cell in rows.items():
        for each in ("later", "first"):
            ours_, theirs = cell.covered[each], cell.covered["deface"]
            if ours_ < theirs:
                print(f"below deface: {table}: {name} ({size:g}) {kind}, {each}: {ours_} to {theirs} of {cell.faces}")


def _row(key: tuple[str, str, float, str], cell: Cell) -> dict[str, Any]:
    table, name, size, kind = key
    return {"table": table, "name": name, "px": size, "kind": kind, "faces": cell.faces, "covered": dict(cell.covered)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
