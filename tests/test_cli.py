"""The command line: flags become settings, errors become sentences and exit codes, results go to stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from anonymizer import __version__, errors
from anonymizer.cli import EXIT_INTERRUPTED, App, run
from anonymizer.errors import EXIT_OUR_MISTAKE
from anonymizer.frames import Verdict
from anonymizer.progress import Progress, progress_after
from anonymizer.settings import Settings

OnProgress = Callable[[Progress], None]
VERDICTS: Mapping[Verdict, int] = MappingProxyType({Verdict.REPLACED: 11, Verdict.NO_FACE: 1})


@dataclass(frozen=True)
class Report:
    """A stand-in for the real reports: a dataclass like them."""

    output: Path
    frames: int = 12
    verdicts: Mapping[Verdict, int] = field(default_factory=lambda: VERDICTS)
    first_failure: str | None = None

    @property
    def frames_per_s(self) -> float:
        """As in the real report: computed, not stored."""
        return 23.456


@dataclass(frozen=True)
class Reports:
    """A stand-in for the report on several photos."""

    images: tuple[Report, ...]
    refused: tuple[dict[str, object], ...] = ()
    exit_code: int = 0


@dataclass
class RecordingApp:
    """An app that does nothing but remember how it was called, or raise."""

    error: BaseException | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error

    def run_video(
        self, source: Path, target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
    ) -> object:
        """As `anonymizer.app.run_video`."""
        for done in range(1, 13):
            on_progress(progress_after("look", done, None, 0.1))
            on_progress(progress_after("render", done, 12, 0.1))
        self._note("video", source, target, settings, overwrite)
        return Report(target)

    def run_images(
        self, sources: Sequence[Path], target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
    ) -> Reports:
        """As `anonymizer.app.run_images`."""
        self._note("image", tuple(sources), target, settings, overwrite)
        return Reports(tuple(Report(target / source.name) for source in sources))

    def persona_sheet(self, target: Path, count: int, settings: Settings) -> None:
        """As `anonymizer.app.persona_sheet`."""
        self._note("personas", target, count, settings)

    def run_demo(self, out_dir: Path, settings: Settings, on_progress: OnProgress) -> object:
        """As `anonymizer.app.run_demo`."""
        self._note("demo", out_dir, settings)
        return Report(out_dir / "demo.mp4")


def settings_of(app: RecordingApp) -> Settings:
    """The settings of the only call."""
    (call,) = app.calls
    (settings,) = (value for value in call if isinstance(value, Settings))
    return settings


def test_the_app_is_what_the_verbs_call() -> None:
    """`anonymizer.app` has every function the verbs need, with their types (mypy checks the types)."""
    from anonymizer import app

    real: App = app
    assert all(callable(getattr(real, verb)) for verb in ("run_video", "run_images", "persona_sheet", "run_demo"))


def test_video_flags_become_settings(tmp_path: Path) -> None:
    """Each flag of `video` arrives in its field, and `--overwrite` beside them."""
    app = RecordingApp()
    key = tmp_path / "p.key"
    flags = "--preset fast --coverage box --fallback solid --generator classic --tone 3 --look feminine --overwrite"
    assert run(["video", "a.mp4", "b.mp4", *flags.split(), "--persona-key", str(key)], app) == 0
    settings = settings_of(app)
    assert app.calls == [("video", Path("a.mp4"), Path("b.mp4"), settings, True)]
    assert (settings.preset, settings.coverage, settings.fallback) == ("fast", "box", "solid")
    assert (settings.generator, settings.tone, settings.look) == ("classic", 3, "feminine")
    assert settings.persona_key == key


def test_a_config_file_is_read_and_flags_beat_it(tmp_path: Path) -> None:
    """`--config` fills what no flag says."""
    config = tmp_path / "mine.toml"
    config.write_text('tone = 2\nlook = "feminine"\n')
    app = RecordingApp()
    assert run(["demo", "--config", str(config), "--look", "masculine"], app) == 0
    assert (settings_of(app).tone, settings_of(app).look) == (2, "masculine")


def test_images_take_many_inputs_and_one_output() -> None:
    """`image IN... -o OUT` hands all inputs over in one call, without overwriting unless told."""
    app = RecordingApp()
    assert run(["image", "a.jpg", "b.png", "-o", "safe"], app) == 0
    assert app.calls == [("image", (Path("a.jpg"), Path("b.png")), Path("safe"), settings_of(app), False)]


def test_personas_do_not_overwrite_unless_told(tmp_path: Path) -> None:
    """An existing sheet is refused with the output's exit code, and replaced with `--overwrite`."""
    sheet = tmp_path / "sheet.png"
    sheet.touch()
    app = RecordingApp()
    assert run(["personas", "--out", str(sheet)], app) == errors.SinkError.exit_code
    assert app.calls == []
    assert run(["personas", "--out", str(sheet), "--count", "9", "--overwrite"], app) == 0
    assert app.calls[0][1:3] == (sheet, 9)


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        (["video", "a.mp4", "b.mp4"], ["b.mp4"]),
        (["demo", "--out", "o"], ["o/demo.mp4"]),
        (["image", "a.jpg", "b.jpg", "-o", "o"], ["o/a.jpg", "o/b.jpg"]),
    ],
)
def test_json_is_one_object(capsys: pytest.CaptureFixture[str], arguments: list[str], targets: list[str]) -> None:
    """With `--json` stdout holds exactly one JSON object with the report's fields, unrounded."""
    assert run([*arguments, "--json"], RecordingApp()) == 0
    result = json.loads(capsys.readouterr().out)
    reports = result.get("images", [result])
    assert [Path(report["output"]).as_posix() for report in reports] == targets
    assert all(report["verdicts"] == {"replaced": 11, "no face": 1} for report in reports)
    assert "images" in result or result["frames_per_s"] == 23.456


def test_the_result_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--json` each field that says something is a line of plain words."""
    assert run(["video", "a.mp4", "b.mp4"], RecordingApp()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["output: b.mp4", "frames: 12", "verdicts: replaced 11, no face 1", "frames per s: 23.5"]


def test_the_real_reports_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Verdicts, seconds, sizes and paths of a real video report all reach the JSON object."""
    from anonymizer.offline import VideoReport
    from anonymizer.two_passes import StageSeconds

    class OneReport(RecordingApp):
        def run_demo(self, out_dir: Path, settings: Settings, on_progress: OnProgress) -> object:
            seconds = StageSeconds(1.0, 2.0, 3.0, 4.0, 5.0)
            return VideoReport(out_dir / "d.mp4", 12, (64, 48), 25.0, VERDICTS, seconds, 1, False, 0, 0, None)

    assert run(["demo", "--json"], OneReport()) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["size_px"], result["verdicts"]) == ([64, 48], {"replaced": 11, "no face": 1})
    assert (result["seconds"]["total_s"], result["frames_per_s"]) == (5.0, 2.4)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AnonymizerError("what and why"), 1),
        (errors.ConfigError("what and why"), 2),
        (errors.InputError("what and why"), 3),
        (errors.SinkError("what and why"), 4),
        (errors.WeightsError("what and why"), 5),
        (errors.CameraError("what and why"), 6),
        (errors.PersonaKeyError("what and why"), 7),
        (KeyboardInterrupt(), EXIT_INTERRUPTED),
    ],
)
def test_errors_become_exit_codes(capsys: pytest.CaptureFixture[str], error: BaseException, code: int) -> None:
    """Each explained error prints its sentence alone on stderr and ends with its own code."""
    assert run(["video", "a.mp4", "b.mp4", "--json"], RecordingApp(error)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    message = captured.err.splitlines()[-1]
    assert message == f"anonymizer: {error}" if str(error) else "interrupted" in message
    assert "Traceback" not in captured.err


def test_photos_that_were_refused_are_shown_and_end_with_their_code(capsys: pytest.CaptureFixture[str]) -> None:
    """What was done comes first, then what was not and why, and the exit code says so; control characters are shown."""

    class OneRefused(RecordingApp):
        def run_images(
            self, sources: Sequence[Path], target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
        ) -> Reports:
            return Reports((Report(target / "a.jpg"),), ({"source": "in/b\n\x1b[2J.jpg", "code": "photo-damaged"},), 3)

    assert run(["image", "in", "-o", "out"], OneRefused()) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "output: out/a.jpg"
    assert lines[-3:-1] == [r"source: in/b\n\x1b[2J.jpg", "code: photo-damaged"]
    assert run(["image", "in", "-o", "out", "--json"], OneRefused()) == 3
    assert json.loads(capsys.readouterr().out)["refused"][0]["code"] == "photo-damaged"


def test_file_flags_become_settings() -> None:
    """The mark is on, badge and dates are off, unless told otherwise."""
    app = RecordingApp()
    assert run(["image", "a.jpg", "-o", "b.jpg"], app) == 0
    assert (settings_of(app).mark, settings_of(app).badge, settings_of(app).keep_dates) == (True, False, False)
    app = RecordingApp()
    assert run(["video", "a.mp4", "b.mp4", "--no-mark", "--badge", "--keep-dates"], app) == 0
    assert (settings_of(app).mark, settings_of(app).badge, settings_of(app).keep_dates) == (False, True, True)


def test_our_own_mistake_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception ends with 70, names its kind and shows neither its text nor a traceback."""
    app = RecordingApp(RuntimeError("[[12 34 56]]"))
    assert run(["demo"], app) == EXIT_OUR_MISTAKE
    captured = capsys.readouterr().err
    assert "RuntimeError" in captured
    assert "12 34" not in captured
    assert "Traceback" not in captured
    assert run(["demo", "--debug"], app) == EXIT_OUR_MISTAKE
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["video"],
        ["video", "a.mp4", "b.mp4", "--coverage", "all"],
        ["video", "a.mp4", "b.mp4", "--tone", "9"],
        ["video", "a.mp4", "b.mp4", "--preset", "strict", "--fallback", "blur"],
        ["image", "-o", "x"],
        ["personas", "--count", "0"],
        ["demo", "--seed", "1"],
        ["nonsense"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    """A wrong flag or setting is refused before the app is called; there is no `--seed`."""
    app = RecordingApp()
    assert run(arguments, app) == errors.ConfigError.exit_code
    assert app.calls == []


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` and `--help` end well, and the help lists verbs and exit codes."""
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("video", "image", "personas", "demo", "Exit codes", "130 interrupted"))


@pytest.mark.skipif(sys.platform == "win32", reason="measures with os.wait4")
def test_help_is_quick() -> None:
    """`--help` takes less than 0.3 s of processor time, the best of three."""
    import os

    def cpu_s() -> float:
        with subprocess.Popen(
            [sys.executable, "-m", "anonymizer", "video", "--help"], stdout=subprocess.DEVNULL
        ) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        return used.ru_utime + used.ru_stime

    assert min(cpu_s() for _ in range(3)) < 0.3
