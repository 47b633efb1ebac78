"""Verbs and flags → Settings → one call of `anonymizer.app` → exit code. The only file that prints.

Results go to stdout, progress and errors to stderr. Nothing heavy is imported before a verb runs.
Exit codes: those of `anonymizer.errors`, 70 for a mistake of the program, 130 when interrupted.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, get_args

import click

from anonymizer import __version__
from anonymizer.choices import Audio, Codec, Coverage, Fallback, Generator, Look, Occluders, Preset
from anonymizer.commands.audit import audit
from anonymizer.commands.record import RECORD_FLAGS, Recording, verify
from anonymizer.errors import EXIT_OUR_MISTAKE, AnonymizerError, SinkError
from anonymizer.refusals import as_text, one_line

if TYPE_CHECKING:
    from anonymizer.progress import Progress
    from anonymizer.settings import Settings

EXIT_INTERRUPTED = 130  # 128 + SIGINT
EXIT_TERMINATED = 143  # 128 + SIGTERM
PASS_WORDS = {"look": "finding faces", "render": "replacing them"}
HELP_END = """\b
Exit codes: 0 done, 1 another explained error, 2 a wrong flag or setting,
3 input unreadable, 4 output not writable, 5 a model file missing or changed,
6 camera, 7 persona key, 9 live frames that fail, 70 a mistake of the program,
130 interrupted, 143 terminated."""

OnProgress = Callable[["Progress"], None]
Command = Callable[..., Any]


class App(Protocol):
    """What the verbs call; `anonymizer.app` is one. Reports are dataclasses, shown field by field."""

    def run_video(
        self, source: Path, target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
    ) -> object: ...
    def run_images(
        self, sources: Sequence[Path], target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
    ) -> object: ...
    def persona_sheet(self, target: Path, count: int, settings: Settings) -> None: ...
    def run_demo(self, out_dir: Path, settings: Settings, on_progress: OnProgress) -> object: ...


@dataclass
class Call:
    """One run of the program. app: None = the real one, imported by the first verb that needs it."""

    app: App | None = None
    debug: bool = False
    as_json: bool = False

    def loaded_app(self) -> App:
        if self.app is None:
            import importlib

            self.app = cast("App", importlib.import_module("anonymizer.app"))
        return self.app


def main() -> None:
    """The console command."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))  # by way of every finally
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], app: App | None = None) -> int:
    """Carry out the command line and return the exit code. app: for tests, instead of `anonymizer.app`."""
    call = Call(app)
    try:
        code = anonymizer.main(list(arguments), prog_name="anonymizer", obj=call, standalone_mode=False)
        return code if isinstance(code, int) else 0  # click returns the code of --help and --version
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted; the output was not finished", EXIT_INTERRUPTED, call.debug)
    except AnonymizerError as error:
        return _fail(str(error), error.exit_code, call.debug)
    except Exception as error:  # noqa: BLE001  the last line: one sentence instead of a traceback
        advice = "" if call.debug else "; --debug shows where"
        message = f"a mistake of the program ({type(error).__name__}), the output was not finished{advice}"
        return _fail(message, EXIT_OUR_MISTAKE, call.debug)


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    click.echo(f"anonymizer: {message}", err=True)
    return code


def _to_call(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """A click callback that notes a flag in `Call` before the verb runs."""

    def note(context: click.Context, _: click.Parameter, value: bool) -> None:
        setattr(context.find_object(Call), name, value)

    return note


def _choice(flag: str, literal: object, text: str) -> Command:
    return click.option(flag, type=click.Choice(get_args(literal)), help=text)


class _Tone(click.ParamType[Any]):
    name = "[auto|1-6]"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        return int(value) if str(value).isdecimal() else value  # the range is checked with the other settings


PATH = click.Path(path_type=Path)
PERSONA_FLAGS: tuple[Command, ...] = (
    click.option("--persona-key", type=PATH, help="File with the secret of your personas; links the runs that use it."),
    click.option("--tone", type=_Tone(), help="Skin tone step of the personas; what you pick is disclosed."),
    _choice("--look", Look, "Which portraits personas are mixed from; what you pick is disclosed."),
    click.option("--config", type=PATH, help="Settings as a TOML file; flags go over it."),
    click.option(
        "--json", is_flag=True, expose_value=False, callback=_to_call("as_json"), help="The result as one JSON object."
    ),
    click.option(
        "--debug", is_flag=True, is_eager=True, expose_value=False, callback=_to_call("debug"), help="Tracebacks."
    ),
)
RUN_FLAGS: tuple[Command, ...] = (
    _choice("--preset", Preset, "How much time a frame gets; strict hides most.  [default: balanced]"),
    _choice("--coverage", Coverage, "What is erased around a face."),
    _choice("--fallback", Fallback, "Cover for a face too small or unsure for a persona."),
    _choice("--generator", Generator, "What paints the persona in; classic needs no network and is cruder."),
    *PERSONA_FLAGS,
)
FILE_FLAGS: tuple[Command, ...] = (
    _choice("--occluders", Occluders, "What stays in front of a new face; else it is painted over."),
    click.option("--mark/--no-mark", default=None, help="Say in the file that faces were replaced.  [default: mark]"),
    click.option("--badge/--no-badge", default=None, help="Say it visibly in a corner of the picture."),
    click.option("--keep-dates/--drop-dates", default=None, help="Keep when it was taken.  [default: drop]"),
    click.option("--sign-with", type=PATH, help="PEM file with key and certificates, for a C2PA signature."),
    *RECORD_FLAGS,
)
VIDEO_FLAGS: tuple[Command, ...] = (
    _choice("--codec", Codec, "Of the picture.  [default: auto, H.264, or HEVC for 10 bits and HDR]"),
    _choice("--audio", Audio, "keep copies it; pitch deepens voices, which does not anonymize.  [default: keep]"),
)
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")


def _with(flags: Sequence[Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for flag in reversed(flags):
            command = flag(command)
        return command

    return decorate


@click.group(epilog=HELP_END)
@click.version_option(__version__)
def anonymizer() -> None:
    """Replaces every face by a person who does not exist, on this machine alone.

    Voice, body, hair, clothes and room are not changed. Look at the result before you show it.
    """


@anonymizer.command(epilog=HELP_END)
@click.argument("source", metavar="IN", type=PATH)
@click.argument("target", metavar="OUT", type=PATH)
@_with((OVERWRITE, *RUN_FLAGS, *FILE_FLAGS, *VIDEO_FLAGS))
@click.pass_obj
def video(call: Call, /, source: Path, target: Path, overwrite: bool, config: Path | None, **flags: Any) -> None:
    """Anonymize a video. Sound and text subtitles are copied, metadata is dropped; a killed run goes on by itself."""
    recording, settings = Recording.taken_from(flags), _settings(config, flags)
    with _bars("frame") as on_progress:
        report = call.loaded_app().run_video(source, target, settings, overwrite, on_progress)
    recording(settings, [report])
    _show(call, report)


@anonymizer.command(epilog=HELP_END)
@click.argument("sources", metavar="IN...", type=PATH, nargs=-1, required=True)
@click.option("-o", "--out", "target", type=PATH, required=True, help="A file for one photo, a folder for several.")
@_with((OVERWRITE, *RUN_FLAGS, *FILE_FLAGS))
@click.pass_obj
def image(
    call: Call, /, sources: tuple[Path, ...], target: Path, overwrite: bool, config: Path | None, **flags: Any
) -> int:
    """Anonymize photos, single or in folders: JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC, AVIF. Metadata is dropped.

    Several are done side by side, and a broken-off run goes on where it stopped. HEIC becomes JPEG.
    """
    recording, settings = Recording.taken_from(flags), _settings(config, flags)
    with _bars("photo") as on_progress:
        report = call.loaded_app().run_images(sources, target, settings, overwrite, on_progress)
    recording(settings, getattr(report, "images", ()))
    _show(call, report)
    return int(getattr(report, "exit_code", 0))


@anonymizer.command(epilog=HELP_END)
@click.option("--out", "target", type=PATH, default="personas.png", show_default=True, help="The PNG to write.")
@click.option("--count", type=click.IntRange(1, 1024), default=64, show_default=True, help="How many.")
@_with((OVERWRITE, *PERSONA_FLAGS))
@click.pass_obj
def personas(call: Call, /, target: Path, count: int, overwrite: bool, config: Path | None, **flags: Any) -> None:
    """Draw a sheet of personas."""
    settings = _settings(config, flags)
    if target.exists() and not overwrite:
        raise SinkError(f"the output {target} exists; choose another name or allow it with --overwrite")
    call.loaded_app().persona_sheet(target, count, settings)
    _show(call, {"target": target, "personas": count})


@anonymizer.command(epilog=HELP_END)
@click.option("--out", "out_dir", type=PATH, default="out", show_default=True, help="Folder for the results.")
@_with(RUN_FLAGS)
@click.pass_obj
def demo(call: Call, /, out_dir: Path, config: Path | None, **flags: Any) -> None:
    """Anonymize the sample clip inside the package: OUT/demo.mp4 and OUT/demo.png."""
    settings = _settings(config, flags)
    with _bars("frame") as on_progress:
        report = call.loaded_app().run_demo(out_dir, settings, on_progress)
    _show(call, report)


def _settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    from anonymizer.settings import load_settings

    return load_settings(config, flags)


@contextmanager
def _bars(unit: str) -> Iterator[OnProgress]:
    """One bar on stderr for each pass, with the rate and the time left; none where stderr is no terminal."""
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def on_progress(progress: Progress) -> None:
        name = progress.pass_name
        if name not in bars:
            bars[name] = tqdm(desc=PASS_WORDS[name], unit=f" {unit}s", disable=None, dynamic_ncols=True)
        bars[name].total = progress.total
        bars[name].update(progress.done - bars[name].n)

    try:
        yield on_progress
    finally:
        for bar in bars.values():
            bar.close()


def _show(call: Call, result: object) -> None:
    """The result on stdout: one JSON object, or a line for each field."""
    import msgspec

    table = msgspec.to_builtins(result, enc_hook=_plain, str_keys=True)
    speed = getattr(result, "frames_per_s", None)
    if speed is not None:
        table["frames_per_s"] = speed
    if call.as_json:
        click.echo(msgspec.json.encode(table).decode())
        return
    for block in [*table.pop("images", []), *table.pop("refused", []), table]:
        for name, value in block.items():
            if value is not None:
                click.echo(f"{name.replace('_', ' ')}: {_words(value)}")


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else as_text(str(value))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list):
        return ", ".join(_words(inner) for inner in value)
    return one_line(str(value))


AS_JSON = click.option(
    "--json", is_flag=True, expose_value=False, callback=_to_call("as_json"), help="The result as one JSON object."
)
with_flags, chosen_settings, show = _with, _settings, _show  # for the verbs that have a module of their own


def _add_verbs() -> None:
    from anonymizer.commands.benchmark import benchmark  # they use what stands above
    from anonymizer.commands.devices import devices, doctor
    from anonymizer.commands.inspect import inspect
    from anonymizer.commands.live import live

    for verb in (live, devices, doctor, audit, inspect, verify, benchmark):
        anonymizer.add_command(verb)


_add_verbs()
