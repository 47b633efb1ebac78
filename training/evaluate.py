"""Every measure of a generator's weights, with intervals: one JSON, one HTML page, runs side by side.

    python -m training evaluate --weights shipped --data ../shared/data --out out/evaluate/shipped
    python -m training evaluate --weights new.onnx --data ../shared/data --out out/evaluate/new \\
        --only realism still --limit 6 --beside out/evaluate/shipped/evaluation.json

Each measure writes its part as soon as it is done; started again, what is done is passed over. The pages of OUT show
no raw picture.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from anonymizer.audit.run import plain, write_text
from anonymizer.errors import InputError
from training.evaluation.job import Job, Part
from training.evaluation.page import as_page

MEASURES = ("realism", "photos", "clips", "still", "anonymity", "speed")
FILE_NAME = "evaluation.json"


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    weights = None if args.weights == "shipped" else Path(args.weights)
    shard = args.shard if args.shard is not None and args.shard.is_file() else None
    job = Job(weights, args.data, args.out, shard, args.limit, args.second_landmarks)
    others = [read_evaluation(path) for path in args.beside]
    content = begun(job)
    for name in args.only or MEASURES:
        if args.again or not is_done(content, name, job):
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            content["measures"][name] = measured(name, job)
            save(args.out, content)
    page = as_page(content, others)
    write_text(args.out / "evaluation.html", page)
    print_findings(content)
    return 0


def begun(job: Job) -> dict[str, Any]:
    """What OUT holds of these weights, or an empty evaluation. InputError when it is of other weights."""
    described = job.described()
    path = job.out / FILE_NAME
    if not path.is_file():
        job.out.mkdir(parents=True, exist_ok=True)
        return {**described, "measures": {}}
    content = read_evaluation(path)
    if content["sha256"] != described["sha256"]:
        raise InputError(f"{path} is of other weights ({content['name']}); give another --out")
    return content


def is_done(content: dict[str, Any], name: str, job: Job) -> bool:
    """Measured already, on as many pictures."""
    return name in content["measures"] and content["measures"][name]["limit"] == job.limit


def measured(name: str, job: Job) -> dict[str, Any]:
    started_s = time.perf_counter()
    part: Part = importlib.import_module(f"training.evaluation.{name}").evaluate(job)
    return {
        "limit": job.limit,
        "seconds": round(time.perf_counter() - started_s, 1),
        "findings": [found.table() for found in part.findings],
        "tables": part.tables,
        "notes": part.notes,
    }


def read_evaluation(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is no evaluation ({error}); `python -m training evaluate` writes {FILE_NAME}"
        ) from error
    if "measures" not in content or "sha256" not in content:
        raise InputError(f"{path} is no evaluation; `python -m training evaluate` writes {FILE_NAME}")
    return content


def save(out: Path, content: dict[str, Any]) -> None:
    text = json.dumps(plain(content), indent=1, default=str, allow_nan=False)
    write_text(out / FILE_NAME, text + "\n")


def print_findings(content: dict[str, Any]) -> None:
    for name, part in content["measures"].items():
        print(f"\n{name}" + (f" (limit {part['limit']})" if part["limit"] else ""))
        for found in part["findings"]:
            met = {True: "met", False: "NOT MET", None: ""}[found["met"]]
            print(f"  {found['name']}: {interval_text(found)}, {found['count']} {found['of']}  {met}")


def interval_text(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "not measured"
    bounds = "" if found["low"] is None else f" ({found['low']:.4g} to {found['high']:.4g})"
    return f"{found['value']:.4g}{bounds}"


def _parser() -> argparse.ArgumentParser:
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m training evaluate", description=__doc__, formatter_class=about)
    parser.add_argument(
        "--weights", default="shipped", help="an exported .onnx, or `shipped` (default: int8, the usual precision)"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with eval/, validation/ and recognisers/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=MEASURES, metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--limit", type=int, help="at most so many photos of a folder, people of a set, clips")
    parser.add_argument(
        "--shard", type=Path, default=Path(".shard/shard.npz"), help="its held-out photos are measured, too"
    )
    parser.add_argument(
        "--second-landmarks", type=Path, help="MediaPipe's older face_landmark.tflite, or the wheel it is in"
    )
    parser.add_argument("--beside", type=Path, nargs="*", default=[], metavar="JSON", help="other runs to show beside")
    parser.add_argument("--again", action="store_true", help="measure anew what is done")
    return parser
