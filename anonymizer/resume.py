"""The folder beside the output in which a video is made, and what is kept there to go on after a kill.

`.anonymizer-…/`, for its owner only: the growing film, `plan` (times, motion codes, cover boxes, the secret) and
`progress` (how many frames of the film count, and the renderer's memory there). Locked while a run uses it. Removed
when the run ends, well or not; only a kill leaves it behind, for the next run with the same input and settings.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from anonymizer.faces import PlannedFace
from anonymizer.plan_state import FaceState, RenderState, pack_faces, unpack_faces
from anonymizer.refusals import refused
from anonymizer.two_passes import Seen

if sys.platform != "win32":
    import fcntl

_KEPT = 2  # checkpoints: the last one may be ahead of what a kill left of the film


class Plan(msgspec.Struct, frozen=True):
    """Everything that was found in the first pass. secret: None when a key file has it. times: float64 seconds."""

    fingerprint: str
    secret: bytes | None
    times: bytes
    faces: list[tuple[FaceState, ...] | None]

    def seen(self) -> Seen:
        plans: list[tuple[PlannedFace, ...] | None] = [unpack_faces(faces) for faces in self.faces]
        return Seen(np.frombuffer(self.times, "<f8").tolist(), plans)


class Checkpoint(msgspec.Struct, frozen=True):
    """The renderer's memory after `frames` frames."""

    frames: int
    state: RenderState


class Progress(msgspec.Struct, frozen=True):
    """film: name of the file that holds them. verdicts: a letter for each frame that is done. ranks: of each of the
    film's packets, which frame of its segment it is, as uint16."""

    film: str
    checkpoints: list[Checkpoint]
    verdicts: bytes
    ranks: bytes


class WorkFolder:
    """Of one output. Raises SinkError when it cannot be made or another run uses it.

    plan, progress: what an earlier run with the same fingerprint left, or None.
    """

    def __init__(self, target: Path, fingerprint: str | None = None) -> None:
        name = hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()
        self.path = target.parent / f".anonymizer-{name}"
        self._fingerprint = fingerprint
        self._lock: int | None = None
        self._removed = False
        try:
            self._make()
        except OSError as error:
            raise refused("output-unwritable", folder=target.parent, reason=error.strerror) from error
        self.plan: Plan | None = self._read("plan", Plan)
        if self.plan is None or self.plan.fingerprint != fingerprint:
            self.plan = None
            self._empty()
        self.progress: Progress | None = self._read("progress", Progress) if self.plan else None

    def keep_plan(self, seen: Seen, secret: bytes | None) -> None:
        """Remember what was found, if this run can be gone on with."""
        if self._fingerprint is None:
            return
        times = np.array(seen.times_s, "<f8").tobytes()
        plan = Plan(self._fingerprint, secret, times, [pack_faces(faces) for faces in seen.plans])
        self._write("plan", plan)

    def keep_progress(
        self, film: Path, checkpoints: Sequence[Checkpoint], verdicts: bytes, ranks: Sequence[int]
    ) -> None:
        """Remember how far the film is."""
        if self._fingerprint is not None:
            packed = np.array(ranks, "<u2").tobytes()
            self._write("progress", Progress(film.name, list(checkpoints[-_KEPT:]), verdicts, packed))

    def new_film(self) -> Path:
        """A name that is not the earlier film's."""
        before = self.progress.film if self.progress else ""
        return self.path / ("film-b.mp4" if before == "film-a.mp4" else "film-a.mp4")

    def remove(self) -> None:
        """Leave nothing behind. Once is enough, twice does no harm."""
        if self._removed:
            return
        self._removed = True
        self._empty()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        with suppress(OSError):
            self.path.rmdir()

    def _make(self) -> None:
        with suppress(FileExistsError):
            self.path.mkdir(mode=0o700)
        if not stat.S_ISDIR(self.path.lstat().st_mode):
            raise FileExistsError(17, f"{self.path.name} is in the way")
        if sys.platform == "win32":
            return
        self._lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise refused("output-busy", folder=self.path) from None

    def _empty(self) -> None:
        for file in self.path.iterdir():
            with suppress(OSError):
                file.unlink()

    def _read(self, name: str, kind: type[Any]) -> Any:
        try:
            return msgspec.msgpack.decode((self.path / name).read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError):
            return None

    def _write(self, name: str, value: Any) -> None:
        new = self.path / f"{name}.new"
        try:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.msgpack.encode(value))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path / name)
        except OSError as error:
            raise refused("output-unwritable", folder=self.path.parent, reason=error.strerror) from error


def fingerprint_of(source: Path, words: str, key: bytes | None) -> str:
    """Of an input, the choices of a run and the persona key: what must be the same for a run to be gone on with."""
    status = source.stat()
    digest = hashlib.blake2b(key=hashlib.sha256(key or b"").digest())
    digest.update(f"{status.st_size}/{status.st_mtime_ns}/{os.cpu_count()}/{words}".encode("utf-8", "surrogateescape"))
    with source.open("rb") as file:
        digest.update(file.read(1 << 20))
        file.seek(max(0, status.st_size - (1 << 20)))
        digest.update(file.read(1 << 20))
    return digest.hexdigest()
