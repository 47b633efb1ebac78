"""Many photos: in processes side by side, with a ledger; what is refused is reported and the rest is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from anonymizer.errors import EXIT_OUR_MISTAKE, AnonymizerError
from anonymizer.ledger import Ledger
from anonymizer.photo_jobs import PhotoJob, PhotoJobs
from anonymizer.photos import ImageReport
from anonymizer.progress import progress_after
from anonymizer.refusals import refused
from anonymizer.two_passes import OnProgress
from anonymizer.workers import Answer, Crashed, in_processes

WORTH_PROCESSES = 8  # photos; below, starting a process takes longer than it saves


class Desk(Protocol):
    """Does one photo after the other. Raises AnonymizerError."""

    def __call__(self, job: PhotoJob) -> ImageReport: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class RefusedPhoto:
    """A photo among several that was not written. code: of `anonymizer.refusals`."""

    source: Path
    code: str | None
    error: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class PhotosReport:
    """images, refused: in the order of the sources. already_done: by an earlier run. left_out: files that are no
    photos. seconds: from the start to the last photo, loading the networks included."""

    images: tuple[ImageReport, ...]
    refused: tuple[RefusedPhoto, ...]
    already_done: int
    left_out: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """0, or that of the first refusal."""
        return self.refused[0].exit_code if self.refused else 0


def run_jobs(
    todo: PhotoJobs,
    make_desk: Callable[[], Desk],
    make_desk_in_process: Callable[[], Desk],
    *,
    processes: int,
    fingerprint: str,
    overwrite: bool,
    on_progress: OnProgress,
) -> PhotosReport:
    """Do all photos. One alone is done here and its refusal is raised; of several it is reported."""
    started_s = time.perf_counter()
    if todo.folder is None or len(todo.jobs) == 1:
        (answer,) = _here((_in_folder(job, todo) for job in todo.jobs), make_desk)
        if answer.error is not None:
            raise answer.error
        on_progress(progress_after("render", 1, 1, time.perf_counter() - started_s))
        return _report(todo, [answer], 0, started_s)
    _make_folder(todo.folder)
    ledger = Ledger(todo.folder, fingerprint)
    try:
        waiting = [job for job in todo.jobs if overwrite or not ledger.is_done(job)]
        begun = (_begun(_in_folder(job, todo), ledger) for job in waiting)
        many = processes > 1 and len(waiting) >= WORTH_PROCESSES
        coming = in_processes(begun, make_desk_in_process, processes) if many else _here(begun, make_desk)
        answers: list[Answer[PhotoJob, ImageReport]] = []
        for answer in coming:
            answers.append(answer)
            if answer.result is not None:
                ledger.finish(answer.job, answer.result.verdict.value, answer.result.faces)
            on_progress(progress_after("render", len(answers), len(waiting), time.perf_counter() - started_s))
    finally:
        ledger.close()
    return _report(todo, answers, len(todo.jobs) - len(waiting), started_s)


def _begun(job: PhotoJob, ledger: Ledger) -> PhotoJob:
    if job.target.exists():
        return replace(job, ours=ledger.is_ours(job))
    if job.source.is_file():
        ledger.begin(job)
    return job


def _in_folder(job: PhotoJob, todo: PhotoJobs) -> PhotoJob:
    """The job, whose folder exists; that of a file is up to the user."""
    if todo.folder is not None:
        _make_folder(job.target.parent)
    return job


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused("output-unwritable", folder=folder, reason=error.strerror) from error


def _here(jobs: Iterable[PhotoJob], make: Callable[[], Desk]) -> Iterator[Answer[PhotoJob, ImageReport]]:
    desk = make()
    try:
        for job in jobs:
            try:
                yield Answer(job, desk(job), None)
            except Exception as error:  # noqa: BLE001  it is reported, and raised where the photo is the only one
                yield Answer(job, None, error)
    finally:
        desk.close()


def _report(todo: PhotoJobs, answers: list[Answer[PhotoJob, ImageReport]], done: int, started_s: float) -> PhotosReport:
    order = {job.name: place for place, job in enumerate(todo.jobs)}
    answers = sorted(answers, key=lambda answer: order[answer.job.name])
    return PhotosReport(
        images=tuple(answer.result for answer in answers if answer.result is not None),
        refused=tuple(_refusal(answer.job, answer.error) for answer in answers if answer.error is not None),
        already_done=done,
        left_out=todo.left_out,
        seconds=time.perf_counter() - started_s,
    )


def _refusal(job: PhotoJob, error: Exception) -> RefusedPhoto:
    if isinstance(error, Crashed):
        error = refused("photo-crashed", path=job.source)
    if not isinstance(error, AnonymizerError):
        return RefusedPhoto(job.source, None, f"a mistake of the program ({type(error).__name__})", EXIT_OUR_MISTAKE)
    return RefusedPhoto(job.source, error.code, str(error), error.exit_code)
