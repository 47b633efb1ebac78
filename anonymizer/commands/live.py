"""`anonymizer live`: a camera in, a virtual camera, a window or a file out, until stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from anonymizer import cli
from anonymizer.errors import FramesFailedError

if TYPE_CHECKING:
    from anonymizer.live.states import LiveEvent
    from anonymizer.settings import Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))


class _Size(click.ParamType[Any]):
    name = "WIDTHxHEIGHT"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        parts = str(value).lower().replace("×", "x").split("x")
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            self.fail(f"{value!r} is not a size; wanted something like 1280x720", param, context)
        width, height = int(parts[0]), int(parts[1])
        if not (64 <= width <= 4096 and 64 <= height <= 4096 and width % 2 == 0 and height % 2 == 0):
            self.fail(f"{value!r} is out of range; wanted even numbers from 64 to 4096", param, context)
        return width, height


@click.command(epilog=cli.HELP_END)
@click.option("--camera", default="0", show_default=True, help="Name, number, URL, or a video file in its place.")
@click.option(
    "--output", default="virtual", show_default=True, help="virtual, window, both, none, or a file *.mp4 or *.mkv."
)
@click.option("--device", help="The virtual camera to use, by its name; needed when there are several.")
@click.option("--size", "size_px", type=_Size(), help="Of the picture.  [default: 1280x720; a file's own]")
@click.option("--fps", "fps_hz", type=click.FloatRange(1, 120), default=30.0, show_default=True, help="Sent at most.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop by itself after so long.")
@click.option("--loop", is_flag=True, help="Begin a file anew at its end.")
@click.option("--moving-crop", is_flag=True, help="Let the view of a file wander, so that a loop is not still.")
@click.option(
    "--max-age",
    "max_age_s",
    type=click.FloatRange(0.1, 30),
    default=0.3,
    show_default=True,
    help="Seconds after which a picture is blanked; raise it on a slow machine.",
)
@cli.OVERWRITE
@cli.with_flags(cli.RUN_FLAGS)
@click.pass_obj
def live(
    call: cli.Call,
    /,
    camera: str,
    output: str,
    device: str | None,
    size_px: tuple[int, int] | None,
    fps_hz: float,
    seconds: float | None,
    loop: bool,
    moving_crop: bool,
    max_age_s: float,
    overwrite: bool,
    config: Path | None,
    **flags: Any,
) -> int:
    """Anonymize a camera, live. Ctrl-C ends it and leaves a blank picture behind.

    The picture is blank until the first frame was checked, and whenever something fails or stalls.
    """
    from anonymizer.live.choices import LiveChoices

    settings = cli.chosen_settings(config, flags)
    choices = LiveChoices(camera, output, device, size_px, fps_hz, seconds, loop, moving_crop, overwrite, max_age_s)
    with until_signal() as asked_to_end:
        if output in ("window", "both"):
            from anonymizer.window_app import run_window

            def choose(changed: Mapping[str, Any]) -> Settings:
                return cli.chosen_settings(config, {**flags, **changed})

            return run_window(choose, choices, lambda words: click.echo(words, err=True), asked_to_end.is_set)
        from anonymizer.live_app import run_live

        report = run_live(settings, choices, event_line, asked_to_end.is_set)
    cli.show(call, report)
    if report.left_behind:
        sys.stdout.flush()
        click.echo(f"anonymizer: these parts did not end: {', '.join(report.left_behind)}", err=True)
        sys.stderr.flush()
        os._exit(FramesFailedError.exit_code)  # a thread that hangs in a driver would keep the process
    return 0


def event_line(event: LiveEvent) -> None:
    """One line on stderr for every change of what is on screen."""
    click.echo(event.line(), err=True)


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, in place of what they usually do."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {each: signal.signal(each, ask) for each in SIGNALS}
    try:
        yield asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
