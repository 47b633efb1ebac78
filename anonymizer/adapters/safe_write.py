"""Writes a file beside its target and puts it in place only when it is complete.

Must never harm the input: a target that is the input under any name is refused.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":  # there, what a killed run left behind stays
    import fcntl

from anonymizer.refusals import refused

_PART_PREFIX = ".anonymizer-"


def check_target(target: Path, inputs: Sequence[Path] = (), overwrite: bool = False) -> Path:
    """The real path to write, links followed. Raises SinkError when it may not be written."""
    try:
        real = target.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        raise refused("output-loop", target=target, reason=error) from error
    for source in inputs:
        if _same_file(real, source):
            raise refused("output-is-input", target=target, source=source)
    if real.is_dir():
        raise refused("output-folder", target=target)
    if not real.parent.is_dir():
        raise refused("output-no-folder", folder=real.parent)
    if os.path.lexists(real):
        if not stat.S_ISREG(real.stat().st_mode):
            raise refused("output-special", target=target)
        if not overwrite:
            raise refused("output-exists", target=target)
    return real


@contextmanager
def safe_target(target: Path, inputs: Sequence[Path] = (), overwrite: bool = False) -> Iterator[Path]:
    """Gives a hidden, private, empty file in the target's folder; moves it to `target` when the block ends well.

    On any exception, KeyboardInterrupt included, the hidden file is removed and the target is as it was.
    Close the file before the block ends. Raises SinkError.
    """
    real = check_target(target, inputs, overwrite)
    sweep(real.parent)
    handle, part = _make_part(real)
    try:
        yield part
        check_target(target, inputs, overwrite)  # the folder may have changed in the meantime
        _put_in_place(part, real)
    finally:
        part.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Remove the hidden files that killed runs left in `folder`; those of runs that live are locked and stay."""
    if sys.platform == "win32":
        return
    for part in folder.glob(f"{_PART_PREFIX}*"):
        with suppress(OSError):  # locked, or gone meanwhile
            handle = os.open(part, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
            finally:
                os.close(handle)


def _same_file(real: Path, source: Path) -> bool:
    try:
        return real.samefile(source)
    except OSError:
        return real == source.absolute()


def _make_part(real: Path) -> tuple[int | None, Path]:
    """The handle that locks a new file, if it can be locked, and the file."""
    try:
        while True:
            handle, name = tempfile.mkstemp(prefix=_PART_PREFIX, suffix=real.suffix, dir=real.parent)
            if sys.platform == "win32":
                os.close(handle)
                return None, Path(name)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.exists(name):  # noqa: PTH110  else another run swept it before it was locked
                return handle, Path(name)
            os.close(handle)
    except OSError as error:
        raise refused("output-unwritable", folder=real.parent, reason=error.strerror) from error


def _put_in_place(part: Path, real: Path) -> None:
    try:
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(_final_mode(real))
        part.replace(real)
        _sync_folder(real.parent)
    except OSError as error:
        raise refused("output-replace", target=real, reason=error.strerror) from error


def _final_mode(real: Path) -> int:
    """Permissions of the file that is replaced, else those that the umask gives to new files."""
    if real.exists():
        return stat.S_IMODE(real.stat().st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
