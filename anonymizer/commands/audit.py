"""`anonymizer audit`: can the people still be recognised?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)
NAMED = "NAME=PATH"
EXIT_FAULTS = 8
CLIP_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".ts", ".mpg", ".mpeg"}


def _named(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    table = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise click.BadParameter(f"got {value!r}, wanted {NAMED}", param=parameter)
        table[name] = Path(path)
    return table


@click.command(epilog="Exit codes: as ever, and 8 when a fault was found.")
@click.argument("before", metavar="BEFORE", type=PATH)
@click.argument("after", metavar="AFTER", type=PATH)
@click.option("-o", "--out", type=PATH, default="audit", show_default=True, help="Folder for audit.html and .json.")
@click.option("--also", multiple=True, callback=_named, metavar=NAMED, help="A further version, a row in the tables.")
@click.option("--again", type=PATH, help="AFTER made again with another secret: can the two runs be linked?")
@click.option("--recogniser", "recognisers", multiple=True, type=PATH, help="A further recogniser, as a TOML file.")
@click.option("--models", type=PATH, help="Folder of the recognisers' ONNX files; default: beside their TOML files.")
@click.option("--dlib/--no-dlib", "with_dlib", default=True, help="Attack with dlib's recogniser.  [default: dlib]")
@click.option("--json", "as_json", is_flag=True, help="All figures on stdout as one JSON object.")
def audit(
    before: Path, after: Path, out: Path, also: dict[str, Path], again: Path | None, as_json: bool, **choice: Any
) -> int:
    """Ask face recognisers whether people can still be known.

    BEFORE and AFTER are two photos, two videos, or two folders of photos with the same names. In folders, photos whose
    names share what stands before the last _ are of one person: then people are looked for by their OTHER photo.
    OUT shows pictures of AFTER only. Needs the extra `audit`. A clip is shown to one recogniser, the last one named.
    """
    from anonymizer.audit.photos import Sources
    from anonymizer.audit.recognisers import load_recognisers
    from anonymizer.audit.run import audit_clip, audit_photos, plain, write_json

    attackers = load_recognisers(choice["recognisers"], choice["models"], choice["with_dlib"])
    out.mkdir(parents=True, exist_ok=True)
    command = ["anonymizer", *sys.argv[1:]]
    with _bar() as on_step:
        if before.suffix.lower() in CLIP_SUFFIXES:
            result = audit_clip(before, after, attackers[-1], out / "audit.html", command, on_step)
        else:
            result = audit_photos(Sources(before, after, also, again), attackers, out / "audit.html", command, on_step)
    write_json(out / "audit.json", result.content)
    if as_json:
        import json

        click.echo(json.dumps(plain(result.content), default=str))
    else:
        click.echo(result.answer)
        click.echo(f"report: {out / 'audit.html'}")
    return 0 if result.safe else EXIT_FAULTS


class _bar:
    """A bar on stderr; none where stderr is no terminal."""

    def __enter__(self) -> Any:
        from tqdm import tqdm

        self._bar: Any = tqdm(desc="looking", disable=None, dynamic_ncols=True)
        return self._step

    def _step(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: object) -> None:
        self._bar.close()
