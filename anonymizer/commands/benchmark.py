"""`anonymizer benchmark`: how fast is it here?"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, get_args

import click

from anonymizer import cli
from anonymizer.choices import Preset

PATH = click.Path(path_type=Path)
USUAL = ("fast", "balanced")


@click.command()
@click.argument("source", metavar="[CLIP]", type=PATH, required=False)
@click.option(
    "-o", "--out", type=PATH, default="benchmark", show_default=True, help="Folder for benchmark.json, .html."
)
@click.option(
    "--preset", "presets", type=click.Choice(get_args(Preset)), multiple=True, help="Default: fast, balanced."
)
@click.option("--threads", type=click.IntRange(0, 256), help="For the networks; 0 = as many as there are cores.")
@click.option("--json", "as_json", is_flag=True, help="All figures on stdout as one JSON object.")
def benchmark(source: Path | None, out: Path, presets: tuple[str, ...], threads: int | None, as_json: bool) -> None:
    """Send CLIP, or the sample inside the package, through every preset and back end, one after the other.

    Beside it stands what face blurring takes, measured in the same run. Other programs make the figures worse: close
    them, and compare only figures of one run.
    """
    import msgspec

    from anonymizer import app
    from anonymizer.audit.run import plain, write_json, write_text
    from anonymizer.benchmark import Run, run_clip, run_reference
    from anonymizer.benchmark_report import as_page
    from anonymizer.machine import build, machine
    from anonymizer.perceive.clip import ClipPlanner

    out.mkdir(parents=True, exist_ok=True)
    clip, runs = source or app.SAMPLE, []
    for preset in presets or USUAL:
        for name, flags in back_ends().items():
            chosen = flags | {"preset": preset, "threads": threads}
            settings = cli.chosen_settings(None, chosen)
            with app.build_finder(settings) as finder:

                def planner(finder: Any = finder, settings: Any = settings) -> ClipPlanner:
                    return app.build_planner(settings, finder, _fps_hz(clip))

                anonymizer, options = app.build_anonymizer(settings), app.video_options(settings, True)
                runs.append(_said(run_clip(f"{preset}, {name}", clip, anonymizer, planner, options)))
    runs.append(_said(run_reference(clip, threads or 2)))
    rows: list[Run] = runs
    content = {
        "runs": [dataclasses.asdict(run) | {"frames_a_second": run.frames_a_second} for run in rows],
        "threads": threads or 0,
        "build": build(),
        "machine": machine(),
    }
    write_json(out / "benchmark.json", content)
    write_text(out / "benchmark.html", as_page(rows, content))
    if as_json:
        click.echo(msgspec.json.encode(plain(content)).decode())


def back_ends() -> dict[str, dict[str, Any]]:
    """What there is to generate with here, by name, as settings."""
    from anonymizer.app import GENERATORS

    found = {f"{name} {px} px": {"precision": name, "network_px": px} for name, px in sorted(GENERATORS, reverse=True)}
    return found | {"classic": {"generator": "classic"}}


def _fps_hz(clip: Path) -> float:
    from anonymizer.adapters.video_reader import VideoReader

    reader = VideoReader(clip, 1, exact_colour=False)
    reader.close()
    return reader.fps_hz


def _said(run: Any) -> Any:
    """One line a run, as soon as it is known."""
    memory = f", {run.peak_mb:.0f} MB" if run.peak_mb is not None else ""
    speed = f"{run.frames_a_second:6.1f} frames a second, {1000 * run.cpu_s_a_frame:6.1f} ms of CPU a frame"
    click.echo(f"{run.name:30} {speed}{memory}", err=True)
    return run


__all__ = ["back_ends", "benchmark"]
