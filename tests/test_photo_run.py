"""Many photos: names, order, the ledger, processes of their own, and one broken file among them."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from anonymizer.errors import InputError, SinkError
from anonymizer.frames import Verdict
from anonymizer.ledger import NAME, Ledger
from anonymizer.photo_jobs import PhotoJob, photo_jobs, photos_of
from anonymizer.photo_run import PhotosReport, run_jobs
from anonymizer.photos import ImageReport
from anonymizer.progress import Progress
from anonymizer.refusals import refused
from anonymizer.workers import Crashed, in_processes


def folder_of(tmp_path: Path, names: Sequence[str]) -> Path:
    """A folder with a little file under each name."""
    folder = tmp_path / "in"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_folders_give_their_photos_by_name_and_files_come_as_given(tmp_path: Path) -> None:
    """Only photos of a folder, sorted, whatever the case of their suffix; files in the order of the command."""
    folder = folder_of(tmp_path, ["b.PNG", "a.jpg", "c.webp", "notes.txt", "d.heic", ".hidden.jpg", "below/e.tiff"])
    single = folder / "notes.txt"
    names = [path.relative_to(folder).as_posix() for path in photos_of([single, folder])]
    assert names == ["notes.txt", "a.jpg", "b.PNG", "below/e.tiff", "c.webp", "d.heic"]
    jobs = photo_jobs([folder], tmp_path / "out")
    assert jobs.left_out == 1
    assert [job.name for job in jobs.jobs] == ["a.jpg", "b.PNG", "below/e.tiff", "c.webp", "d.jpg"]


def test_a_folder_without_photos_is_told(tmp_path: Path) -> None:
    """The folder is named, and which files would be taken."""
    with pytest.raises(InputError, match=r"no photo in .*\.jpeg, \.jpg, .*\.png, .*\.webp"):
        photo_jobs([tmp_path], tmp_path / "out")


def test_what_lies_in_the_output_is_no_input(tmp_path: Path) -> None:
    """An output folder inside the input folder is not read."""
    folder = folder_of(tmp_path, ["a.jpg", "safe/a.jpg"])
    assert [job.name for job in photo_jobs([folder], folder / "safe").jobs] == ["a.jpg"]


def test_names_that_would_meet_are_told_apart_or_refused(tmp_path: Path) -> None:
    """A HEIC beside its JPEG keeps both; two photos of one name are refused, in another case too."""
    folder = folder_of(tmp_path, ["a.heic", "a.jpg", "b.heic"])
    assert [job.name for job in photo_jobs([folder], tmp_path / "out").jobs] == ["a.heic.jpg", "a.jpg", "b.jpg"]
    other = tmp_path / "A.JPG"
    other.touch()
    with pytest.raises(SinkError, match="would both become"):
        photo_jobs([folder, other], tmp_path / "out")


def test_several_photos_into_a_file_are_refused(tmp_path: Path) -> None:
    """The message says that a folder is needed, before anything is read."""
    folder = folder_of(tmp_path, ["a.jpg", "b.jpg"])
    (tmp_path / "out.jpg").touch()
    with pytest.raises(SinkError, match="need a folder"):
        photo_jobs([folder], tmp_path / "out.jpg")


class Desk:
    """Copies what it is given; refuses `bad`, is killed by `crash`, and has mistakes of its own for `mistake`."""

    def __call__(self, job: PhotoJob) -> ImageReport:
        if "bad" in job.name:
            raise refused("photo-damaged", path=job.source, reason="planned")
        if "mistake" in job.name:
            raise KeyError("planned")
        if "crash" in job.name:
            os.kill(os.getpid(), signal.SIGKILL)
        if job.target.exists() and not job.ours:
            raise refused("output-exists", target=job.target)
        job.target.write_bytes(job.source.read_bytes())
        return ImageReport(job.target, (1, 1), Verdict.REPLACED, 1, 0.0, None)

    def close(self) -> None:
        """Nothing to drop."""


@dataclass
class CountingDesk(Desk):
    """Remembers what it did."""

    done: list[str] = field(default_factory=list)

    def __call__(self, job: PhotoJob) -> ImageReport:
        report = super().__call__(job)
        self.done.append(job.name)
        return report


def run(
    source: Path, target: Path, desk: Callable[[], Desk] = Desk, *, processes: int = 1, fingerprint: str = "as usual"
) -> PhotosReport:
    seen: list[Progress] = []
    report = run_jobs(
        photo_jobs([source], target),
        desk,
        Desk,
        processes=processes,
        fingerprint=fingerprint,
        overwrite=False,
        on_progress=seen.append,
    )
    assert [progress.done for progress in seen] == list(range(1, len(report.images) + len(report.refused) + 1))
    return report


@pytest.mark.parametrize("processes", [1, 2])
def test_one_broken_photo_is_reported_and_the_rest_is_done(tmp_path: Path, processes: int) -> None:
    """Reports come in the order of the names, with code, words and exit code of what was refused."""
    names = [f"{number:02}.jpg" for number in range(9)] + ["03_bad.jpg", "05_mistake.jpg"]
    report = run(folder_of(tmp_path, names), tmp_path / "out", processes=processes)
    assert [image.output.name for image in report.images] == [f"{number:02}.jpg" for number in range(9)]
    assert [(photo.source.name, photo.code, photo.exit_code) for photo in report.refused] == [
        ("03_bad.jpg", "photo-damaged", 3),
        ("05_mistake.jpg", None, 70),
    ]
    assert "planned" in report.refused[0].error
    assert report.exit_code == 3
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [NAME, *(f"{number:02}.jpg" for number in range(9))]


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_photo_that_kills_its_process_costs_itself_alone(tmp_path: Path) -> None:
    """The others are done by a new process, and the crash is reported as one."""
    names = [f"{number:02}.jpg" for number in range(9)] + ["00_crash.jpg", "08_crash.jpg"]
    report = run(folder_of(tmp_path, names), tmp_path / "out", processes=2)
    assert len(report.images) == 9
    assert [photo.code for photo in report.refused] == ["photo-crashed"] * 2


def test_a_second_run_does_only_what_is_missing(tmp_path: Path) -> None:
    """What is done and unchanged stays; what changed, is gone or was made otherwise is made again."""
    folder, out = folder_of(tmp_path, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]), tmp_path / "out"
    run(folder, out)
    (out / "b.jpg").unlink()
    again = CountingDesk()
    assert run(folder, out, lambda: again).already_done == 3
    assert again.done == ["b.jpg"]
    (folder / "c.jpg").write_text("another picture")
    report = run(folder, out)
    assert [photo.code for photo in report.refused] == ["output-exists"]  # an old output is never replaced unasked
    assert (out / "c.jpg").read_text() == "c.jpg"
    assert run(folder, out, fingerprint="other settings").already_done == 0


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """A photo that was put in place when the run was killed, before the ledger knew, is made again, not refused."""
    folder, out = folder_of(tmp_path, ["a.jpg", "b.jpg", "c.jpg"]), tmp_path / "out"

    class Killed(Desk):
        def __call__(self, job: PhotoJob) -> ImageReport:
            report = super().__call__(job)
            if job.name == "b.jpg":
                raise KeyboardInterrupt
            return report

    with pytest.raises(KeyboardInterrupt):
        run(folder, out, Killed)
    with (out / NAME).open("ab") as ledger:
        ledger.write(b'\n{"name":"c.j')  # and it was writing a line
    again = CountingDesk()
    report = run(folder, out, lambda: again)
    assert (report.already_done, again.done, report.refused) == (1, ["b.jpg", "c.jpg"], ())
    assert run(folder, out).already_done == 3


def test_the_ledger_tells_no_dates_and_is_private(tmp_path: Path) -> None:
    """Only the owner reads it; sources' times and settings are in it as a keyed digest only."""
    folder, out = folder_of(tmp_path, ["a.jpg", "b.jpg"]), tmp_path / "out"
    os.utime(folder / "a.jpg", ns=(1_500_000_000_123_456_789, 1_500_000_000_123_456_789))
    run(folder, out, fingerprint="the settings")
    content = (out / NAME).read_text()
    assert "15000000" not in content
    assert "the settings" not in content
    lines = [json.loads(line) for line in content.splitlines()]
    assert lines[-1]["verdict"] == "replaced"
    assert lines[1]["source"] != lines[3]["source"]
    if os.name == "posix":
        assert stat.S_IMODE((out / NAME).stat().st_mode) == 0o600


def test_a_ledger_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The folder is named."""
    (tmp_path / NAME).mkdir()
    with pytest.raises(SinkError, match="cannot write into"):
        Ledger(tmp_path, "")


def _failing() -> Desk:
    raise InputError("planned")


def test_a_process_that_cannot_begin_ends_the_run() -> None:
    """What setting up raises is raised here, with its words."""
    with pytest.raises(InputError, match="planned"):
        list(in_processes([PhotoJob(Path("a"), Path("b"), "b")], _failing, 2))


def _sleeper() -> Callable[[str], int]:
    return _sleep


def _sleep(path: str) -> int:
    if path:
        Path(path).write_text(str(os.getpid()))
        time.sleep(60)
    return os.getpid()


@pytest.mark.skipif(os.name != "posix", reason="asks for processes by signal 0")
def test_leaving_ends_the_processes(tmp_path: Path) -> None:
    """A run that is broken off leaves no process behind, a busy one neither."""
    note = tmp_path / "pid"
    answers = in_processes(["", str(note)], _sleeper, 2)
    first = next(answers)
    assert first.result is not None
    while not note.is_file() or not note.read_text():
        time.sleep(0.05)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_a_crash_is_an_answer() -> None:
    """A process that ends without a word gives Crashed for its job."""
    (answer,) = in_processes([9], partial(_ender), 1)
    assert isinstance(answer.error, Crashed)


def _ender() -> Callable[[int], None]:
    return os._exit
