"""The figures of docs/evaluation.md: the product on photos of real people, attacked, beside baselines and floors.

    python -m training measure-evaluation --data FOLDER --recogniser configs/recognisers/mobilefacenet.toml \\
        --models FOLDER --out out/evaluation

FOLDER/identity_london and FOLDER/identity_congress: two photos a person, PERSON_VIEW. Anonymized through the very path
of `anonymizer image`: `face`, `face` again, the other coverages, and one persona of one tone for all (a key).
OUT/audit.json and OUT/audit.html have everything; OUT/table.md what the document shows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from anonymizer import app
from anonymizer.audit.photo_pairs import Photo, photos_in
from anonymizer.audit.photos import Sources
from anonymizer.audit.recognisers import load_recognisers
from anonymizer.audit.run import audit_photos, write_json
from anonymizer.choices import Coverage
from anonymizer.machine import build
from anonymizer.settings import load_settings

SETS = {"identity_london": "smiling", "identity_congress": "b"}
ONE_TONE = 3


def versions(key: Path) -> dict[str, dict[str, Any]]:
    """Settings of each version by name; every coverage there is to choose."""
    coverages = [name for name in get_args(Coverage) if name != "face"]
    return {
        "face": {},
        "again": {},
        **{name: {"coverage": name} for name in coverages},
        "one persona": {"persona_key": key, "tone": ONE_TONE},
    }


def anonymize(data: Path, out: Path, flags: dict[str, Any]) -> None:
    """The probes' photos of every set; for `again` the other photos."""
    for name, view in SETS.items():
        photos = [p for p in photos_in(data / name) if p.view and (p.view == view) != (out.name == "again")]
        settings = load_settings(None, flags)
        app.run_images([p.path for p in photos], _folder(out / name), settings, True, lambda _: None)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def markdown(content: dict[str, Any]) -> str:
    """One table a recogniser."""
    lines = [f"Weights: `{build()['weights'][app.GENERATOR][:16]}`, {content['people']} people"]
    for recogniser in dict.fromkeys(row["recogniser"] for row in content["rows"]):
        lines += ["", f"| {recogniser} | rank-1 | AUC | TAR at FAR 1 % | AUC over floor |", "|---|---|---|---|---|"]
        some = [row for row in (*content["rows"], *content["links"]) if row["recogniser"] == recogniser]
        lines += [
            f"| {row['method']} | {' | '.join(_figure(row[name]) for name in ('rank1', 'auc', 'tar', 'above_floor'))} |"
            for row in some
        ]
    return "\n".join(lines) + "\n"


def _figure(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def sources(data: Path, out: Path) -> Sources:
    also = [name for name in versions(out / "one.key") if name not in ("face", "again")]
    return Sources(data, out / "face", {name: out / name for name in also}, out / "again")


def probes_of(data: Path) -> list[Photo]:
    """Photos that are anonymized and attacked."""
    return [p for p in photos_in(data) if SETS.get(p.group) == p.view]


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, flags in () if args.drawn else versions(args.out / "one.key").items():
        print(f"anonymizing: {name}", file=sys.stderr, flush=True)
        anonymize(args.data, args.out / name, flags)
    attackers = load_recognisers(args.recogniser, args.models, args.dlib)
    command = ["python", "-m", "training", "measure-evaluation", *argv]
    result = audit_photos(sources(args.data, args.out), attackers, args.out / "audit.html", command, show_progress)
    write_json(args.out / "audit.json", result.content)
    table = markdown(result.content)
    (args.out / "table.md").write_text(table, encoding="utf-8")
    print(result.answer, table, sep="\n\n")
    return 0


def show_progress(done: int, total: int) -> None:
    print(f"\rlooking: {done} of {total}", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-evaluation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=Path("out/evaluation"))
    parser.add_argument("--drawn", action="store_true", help="attack the photos that a run before left in OUT")
    return parser
