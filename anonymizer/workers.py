"""Does jobs in processes of their own: one that crashes costs its job, not the run.

Who does what: the caller's thread hands one job to each idle process and takes answers. A process whose parent is
gone ends by itself. What blocks: waiting for answers. How it ends: leaving the generator ends all processes.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar, cast

_PARENT_LOOK_S = 0.5
_END_S = 5.0  # a process that hangs is killed after this

Job = TypeVar("Job")
Result = TypeVar("Result")


class Crashed(Exception):
    """The process that did the job ended without an answer."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Job, Result]):
    """What came of a job: a result, or an error that `work` raised, or Crashed."""

    job: Job
    result: Result | None
    error: Exception | None


def in_processes(
    jobs: Iterable[Job], make: Callable[[], Callable[[Job], Result]], count: int
) -> Generator[Answer[Job, Result], None, None]:
    """Answers as they come. make: picklable; called once in each process, gives what does a job there.

    Raises what `make` raises in a process.
    """
    context = multiprocessing.get_context("spawn")  # forking a process with threads may hang it
    desks: dict[Connection, _Desk[Job]] = {}
    waiting = iter(jobs)
    try:
        for job in waiting:
            desk: _Desk[Job] = _Desk(context, make, job)
            desks[desk.pipe] = desk
            if len(desks) == count:
                break
        while desks:
            for ready in wait(list(desks)):
                pipe = cast("Connection", ready)
                desk = desks.pop(pipe)
                job, (result, error) = desk.job, desk.answer()
                following = next(waiting, _NONE)
                if following is not _NONE:
                    following = cast("Job", following)
                    desk = desk if desk.given(following) else _Desk(context, make, following)
                    desks[desk.pipe] = desk
                else:
                    desk.end()
                yield Answer(job, result, error)
    finally:
        for desk in desks.values():
            desk.process.terminate()
        for desk in desks.values():
            desk.end()


_NONE = object()


class _Desk(Generic[Job]):
    """One process and the job it has."""

    def __init__(self, context: Any, make: Callable[[], Callable[[Job], Any]], job: Job) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, os.getpid()), daemon=True)
        self.process.start()
        theirs.close()
        self.job = job
        self.pipe.send(job)

    def answer(self) -> tuple[Any, Exception | None]:
        try:
            made, result, error = self.pipe.recv()
        except (EOFError, OSError):
            return None, Crashed()
        if not made:
            self.end()
            raise error
        return result, error

    def given(self, job: Job) -> bool:
        """Whether the process lives and took the job."""
        try:
            self.pipe.send(job)
        except OSError:
            self.end()
            return False
        self.job = job
        return True

    def end(self) -> None:
        self.pipe.close()
        self.process.join(_END_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(pipe: Connection, make: Callable[[], Callable[[Any], Any]], parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of every finally
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        try:
            work = make()
        except Exception as error:  # noqa: BLE001  it is raised in the parent
            pipe.send((False, None, error))
            return
        while True:
            job = pipe.recv()
            answer: tuple[bool, Any, Exception | None]
            try:
                answer = (True, work(job), None)
            except Exception as error:  # noqa: BLE001  it is the job's answer
                answer = (True, None, error)
            pipe.send(answer)


def _end_with(parent: int) -> None:
    """A killed parent cannot end us."""
    while os.name != "posix" or os.getppid() == parent:
        time.sleep(_PARENT_LOOK_S)
    os._exit(1)
