"""What has been done of a folder, so that a broken-off run goes on where it stopped.

One line of JSON for each photo, in a hidden file of the output folder that only its owner can read. A source is known
again by a keyed digest of its size, time and settings: the ledger tells no dates, and no names but the outputs'.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import IO, Any

import msgspec

from anonymizer.photo_jobs import PhotoJob
from anonymizer.refusals import refused

NAME = ".anonymizer.jsonl"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One photo. verdict: None while it is being made."""

    name: str
    source: str
    verdict: str | None = None
    faces: int = 0


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    salt: str


class Ledger:
    """Of one output folder. settings: words that name how photos are made; another choice makes them anew.

    Raises SinkError when it cannot be written. Used by one process.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self._path, self._settings = folder / NAME, settings
        self._lines: dict[str, Line] = {}
        self._salt = ""
        try:
            self._read()
            self._file = self._opened()
        except OSError as error:
            raise refused("output-unwritable", folder=folder, reason=error.strerror) from error

    def is_done(self, job: PhotoJob) -> bool:
        """Whether it lies finished in the folder and was made from this very source."""
        line = self._lines.get(job.name)
        return line is not None and line.verdict is not None and job.target.is_file() and self._made_from(line, job)

    def is_ours(self, job: PhotoJob) -> bool:
        """Whether what lies under the photo's name was put there by a run that was killed before it said so."""
        line = self._lines.get(job.name)
        return line is not None and line.verdict is None

    def begin(self, job: PhotoJob) -> None:
        """Note a photo that is going to be made where nothing lies yet."""
        self._write(Line(name=job.name, source=self._digest(job.source)))

    def finish(self, job: PhotoJob, verdict: str, faces: int) -> None:
        """Note a finished photo."""
        self._write(Line(name=job.name, source=self._digest(job.source), verdict=verdict, faces=faces))

    def close(self) -> None:
        self._file.close()

    def _read(self) -> None:
        if not self._path.is_file():
            return
        for number, text in enumerate(self._path.read_bytes().splitlines()):
            try:
                if number == 0:
                    self._salt = msgspec.json.decode(text, type=_Head).salt
                else:
                    line = msgspec.json.decode(text, type=Line)
                    self._lines[line.name] = line
            except msgspec.MsgspecError:  # a line that a killed run did not finish
                continue

    def _opened(self) -> IO[bytes]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        if not self._salt:
            self._lines.clear()
            flags |= os.O_TRUNC
        file = os.fdopen(os.open(self._path, flags, 0o600), "ab")
        if not self._salt:
            self._salt = secrets.token_hex(16)
            self._append(file, _Head(salt=self._salt))
        return file

    def _write(self, line: Line) -> None:
        self._lines[line.name] = line
        try:
            self._append(self._file, line)
        except OSError as error:
            raise refused("output-unwritable", folder=self._path.parent, reason=error.strerror) from error

    @staticmethod
    def _append(file: IO[bytes], entry: Any) -> None:
        file.write(b"\n" + msgspec.json.encode(entry) if file.tell() else msgspec.json.encode(entry))
        file.flush()  # to the system: it outlives this process, and a photo lost with the power is made again

    def _made_from(self, line: Line, job: PhotoJob) -> bool:
        return job.source.is_file() and line.source == self._digest(job.source)

    def _digest(self, source: Path) -> str:
        status = source.stat()
        told = f"{status.st_size}/{status.st_mtime_ns}/{self._settings}/{source.name}".encode(
            "utf-8", "surrogateescape"
        )
        return hashlib.blake2b(told, key=bytes.fromhex(self._salt), digest_size=16).hexdigest()
