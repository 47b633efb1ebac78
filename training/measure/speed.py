"""How fast a clip goes from decoding to encoding, stage by stage, beside PyPI's deface on the same clip.

    python -m training measure-speed --source CLIP --seconds 60 --deface COMMAND

The source is looped with a moving window to --seconds at 1280×720. Every preset runs in a process of its own, one after
the other, then deface: by its defaults, and looking at frames as small as ours.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from anonymizer import app, pipeline
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.adapters.video_writer import VideoWriter
from anonymizer.generate.classic import ClassicGenerator
from anonymizer.generate.onnx_generator import OnnxGenerator
from anonymizer.machine import machine
from anonymizer.perceive import clip as planning
from anonymizer.perceive.centerface import CenterFace
from anonymizer.perceive.fullrange import FullRange
from anonymizer.perceive.landmarks import Landmarker
from anonymizer.progress import Progress
from anonymizer.settings import Settings, load_settings
from training.measure.looped import write_looped
from training.measure.pictures import frames_at, moments_of, save_before_and_after
from training.measure.report import print_table, write_json
from training.measure.tap import OnCall, tapped

SIZE_PX = (1280, 720)
# Who does which stage. Stages in brackets are parts of the one before.
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("decode (both passes)", VideoReader, "read"),
    ("look", planning.ClipPlanner, "observe"),
    ("(detect, CenterFace)", CenterFace, "detect"),
    ("(detect, full range)", FullRange, "detect"),
    ("(landmarks)", Landmarker, "at_region"),
    ("(fit motion)", planning, "fit_motion"),
    ("plan, once a clip", planning.ClipPlanner, "plan"),
    ("render", pipeline.Anonymizer, "render"),
    ("(hole)", pipeline.Anonymizer, "_cut_hole"),
    ("(erase)", pipeline, "erase"),
    ("(guide, crop)", pipeline, "face_crop"),
    ("(guide, full size)", pipeline, "draw"),
    ("(blend ring)", pipeline, "blend_outside"),
    ("(generate, network)", OnnxGenerator, "generate"),
    ("(generate, classic)", ClassicGenerator, "generate"),
    ("(compose)", pipeline, "compose"),
    ("encode", VideoWriter, "send"),
)


def run_preset(clip: Path, target: Path, settings: Settings) -> dict[str, Any]:
    """Anonymize the clip in this process, listening to every stage."""
    spent_s: defaultdict[str, list[float]] = defaultdict(list)
    rss_mb: dict[str, list[float]] = {"look": [], "render": []}

    def on_progress(progress: Progress) -> None:
        rss_mb[progress.pass_name].append(resident_mb())

    cpu_s = cpu_seconds()
    with ExitStack() as stack:
        for stage, owner, name in STAGES:
            if hasattr(owner, name):
                stack.enter_context(tapped(owner, name, _noting(spent_s[stage])))
        report = app.run_video(clip, target, settings, True, on_progress)
    used_s = cpu_seconds() - cpu_s
    return {
        "frames": report.frames,
        "seconds": report.seconds.total_s,
        "frames a second": report.frames_per_s,
        "CPU s a frame": used_s / report.frames,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "growth MB, look": growth(rss_mb["look"]),
        "growth MB, render": growth(rss_mb["render"]),
        "verdicts": {verdict.value: count for verdict, count in report.verdicts.items() if count},
        "failures": report.failures,
        "stages": [stage_row(name, spent_s[name], report.frames) for name, *_ in STAGES if spent_s[name]],
    }


def _noting(seconds: list[float]) -> OnCall:
    return lambda _arguments, _result, call_s: seconds.append(call_s)


def stage_row(name: str, seconds: list[float], frames: int) -> dict[str, Any]:
    """p50 and p95 are of one call, wall time; so is the share of a frame, with all its calls."""
    ms = np.array(seconds) * 1000
    return {
        "stage": name,
        "calls": len(ms),
        "p50 ms": float(np.percentile(ms, 50)),
        "p95 ms": float(np.percentile(ms, 95)),
        "ms a frame": float(ms.sum() / frames),
    }


def growth(rss_mb: list[float]) -> float:
    """From the second tenth of a pass to its last."""
    tenth = max(1, len(rss_mb) // 10)
    return float(np.median(rss_mb[-tenth:]) - np.median(rss_mb[tenth : 2 * tenth] or rss_mb)) if rss_mb else 0.0


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_elsewhere(command: list[str], frames: int) -> dict[str, Any]:
    """Another program on the clip: its wall time, CPU time and peak memory."""
    started_s = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started_s
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "frames": frames,
        "seconds": seconds,
        "frames a second": frames / seconds,
        "CPU s a frame": (used.ru_utime + used.ru_stime) / frames,
        "peak MB": used.ru_maxrss / 1024,
        "exit code": process.returncode,
    }


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.one:
        settings = load_settings(None, {"preset": args.one, "generator": args.generator, "threads": args.threads})
        result = run_preset(args.source, args.out / f"{args.one}.mp4", settings)
        (args.out / f"{args.one}.json").write_text(json.dumps(result), encoding="utf-8")
        return 0
    clip = args.out / "looped.mp4"
    frames, cuts = write_looped(args.source, clip, args.seconds, SIZE_PX)
    results: dict[str, Any] = {}
    for preset in args.presets:
        results[preset] = _in_own_process(preset, clip, args)
    for name, more in (("deface", []), ("deface, 640 px", ["--scale", "640x360"])):
        if args.deface:
            command = [*args.deface.split(), str(clip), "-o", str(args.out / "deface.mp4"), *more]
            results[name] = run_elsewhere(command, frames)
    columns = (
        "frames",
        "seconds",
        "frames a second",
        "CPU s a frame",
        "peak MB",
        "growth MB, look",
        "growth MB, render",
    )
    print(f"{machine()}; {frames} frames of {SIZE_PX}, {len(cuts)} cuts, {args.threads} threads")
    print_table([{"run": name, **{key: result.get(key, "-") for key in columns}} for name, result in results.items()])
    for preset in args.presets:
        print(f"\n{preset}: {results[preset]['verdicts']}, failures {results[preset]['failures']}")
        print_table(results[preset]["stages"])
    write_json(args.out / "speed.json", {"cuts": cuts, "threads": args.threads, "results": results})
    chosen = moments_of(frames, 6)
    shown = [frames_at(path, chosen) for path in (clip, args.out / f"{args.presets[0]}.mp4")]
    save_before_and_after(args.out / "speed.png", [(shown[0][i], shown[1][i], None) for i in chosen])
    return 0


def _in_own_process(preset: str, clip: Path, args: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "training", "measure-speed", "--source", str(clip), "--one", preset]
    command += ["--out", str(args.out), "--threads", str(args.threads)]
    command += ["--generator", args.generator] if args.generator else []
    subprocess.run(command, check=True)
    result: dict[str, Any] = json.loads((args.out / f"{preset}.json").read_text(encoding="utf-8"))
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-speed", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="a clip with one face")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced"])
    parser.add_argument("--generator", choices=("network", "classic"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--deface", help="command that starts PyPI's deface")
    parser.add_argument("--out", type=Path, default=Path("out/measure/speed"))
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a preset, to be run in this very process
    return parser
