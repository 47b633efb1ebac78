"""Writes a file beside its target and puts it in place only when it is complete.

Must never harm the input: a target that is the input under any name is refused.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from anonymizer.errors import SinkError

_PART_PREFIX = ".anonymizer-"


def check_target(target: Path, inputs: Sequence[Path] = (), overwrite: bool = False) -> Path:
    """The real path to write, links followed. Raises SinkError when it may not be written."""
    try:
        real = target.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        raise SinkError(f"cannot find out where {target} leads: {error}; choose another output") from error
    for source in inputs:
        if _same_file(real, source):
            raise SinkError(
                f"the output {target} is the input {source}; choose another output, the input is never touched"
            )
    if real.is_dir():
        raise SinkError(f"the output {target} is a folder; give a file name inside it")
    if not real.parent.is_dir():
        raise SinkError(f"the folder {real.parent} does not exist; create it first")
    if os.path.lexists(real):
        if not stat.S_ISREG(real.stat().st_mode):
            raise SinkError(f"the output {target} is not an ordinary file; choose another output")
        if not overwrite:
            raise SinkError(f"the output {target} exists; choose another name or allow it with --overwrite")
    return real


@contextmanager
def safe_target(target: Path, inputs: Sequence[Path] = (), overwrite: bool = False) -> Iterator[Path]:
    """Gives a hidden, private, empty file in the target's folder; moves it to `target` when the block ends well.

    On any exception, KeyboardInterrupt included, the hidden file is removed and the target is as it was.
    Close the file before the block ends. Raises SinkError.
    """
    real = check_target(target, inputs, overwrite)
    part = _make_part(real)
    try:
        yield part
        check_target(target, inputs, overwrite)  # the folder may have changed in the meantime
        _put_in_place(part, real)
    finally:
        part.unlink(missing_ok=True)


def _same_file(real: Path, source: Path) -> bool:
    try:
        return real.samefile(source)
    except OSError:
        return real == source.absolute()


def _make_part(real: Path) -> Path:
    try:
        handle, name = tempfile.mkstemp(prefix=_PART_PREFIX, suffix=real.suffix, dir=real.parent)
    except OSError as error:
        raise SinkError(f"cannot write into {real.parent}: {error.strerror}; choose another folder") from error
    os.close(handle)
    return Path(name)


def _put_in_place(part: Path, real: Path) -> None:
    try:
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(_final_mode(real))
        part.replace(real)
        _sync_folder(real.parent)
    except OSError as error:
        raise SinkError(f"cannot put {real} in place: {error.strerror}; nothing was changed") from error


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
