"""`anonymizer inspect`: what the generator receives and gives, for whoever doubts that no face pixel goes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from anonymizer import cli
from anonymizer.commands.audit import CLIP_SUFFIXES

PATH = click.Path(path_type=Path)
EXIT_DIFFERENT = 8


@click.command(epilog="Exit codes: as ever, and 8 when pixels under a hole made a difference.")
@click.argument("source", metavar="IN", type=PATH)
@click.argument("target", metavar="OUT.png", type=PATH)
@click.option("--moments", type=click.IntRange(1, 24), default=3, show_default=True, help="Of a clip, spread evenly.")
@cli.with_flags((cli.OVERWRITE, *cli.RUN_FLAGS))
@click.pass_obj
def inspect(
    call: cli.Call, /, source: Path, target: Path, moments: int, overwrite: bool, config: Path | None, **flags: Any
) -> int:
    """Lay out hole, context, guide, geometry, colour grid, matte, inpainted layer and composite of each face.

    And put noise where the faces were: the output must stay the same, bit for bit.
    """
    from anonymizer import app
    from anonymizer.adapters.safe_write import check_target
    from anonymizer.inspection import inspect_frame, stacked_sheets
    from anonymizer.perceive.clip import plan_still
    from anonymizer.persona.face_model import load_face_model
    from anonymizer.sheet import save_rgb

    settings = cli.chosen_settings(config, flags)
    check_target(target, [source], overwrite)
    frames = _moments(source, moments) if source.suffix.lower() in CLIP_SUFFIXES else [_photo(source)]
    anonymizer, model = app.build_anonymizer(settings), load_face_model()
    with app.build_finder(settings) as finder:
        found = [inspect_frame(frame, plan_still(frame, finder, model), anonymizer) for frame in frames]
    save_rgb(target, stacked_sheets([each.sheet for each in found]))
    identical = all(each.identical for each in found)
    result = {
        "output": target,
        "verdicts": [each.verdict.value for each in found],
        "faces": sum(each.faces for each in found),
        "personas": sum(each.personas for each in found),
        "pixels_erased": sum(each.erased_px for each in found),
        "same_with_noise_under_the_holes": identical,
    }
    cli.show(call, result)
    return 0 if identical else EXIT_DIFFERENT


def _photo(source: Path) -> Any:
    from anonymizer.adapters.image_reader import read_image
    from anonymizer.frames import Frame

    return Frame(read_image(source).rgb)


def _moments(source: Path, count: int) -> list[Any]:
    """Frames spread evenly; the clip is read once to count and once to take them."""
    from anonymizer.adapters.video_reader import VideoReader

    def read(wanted: set[int] | None) -> tuple[list[Any], int]:
        reader, taken, total = VideoReader(source, 1), [], 0
        try:
            while (frame := reader.read()) is not None:
                if wanted is not None and frame.index in wanted:
                    taken.append(frame)
                total += 1
        finally:
            reader.close()
        return taken, total

    total = read(None)[1]
    return read({min(total - 1, int((i + 0.5) * total / count)) for i in range(count)})[0]
