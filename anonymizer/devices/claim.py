"""Who of us writes to a virtual camera: one lock file a device, which also tells whether the last writer ended well.

Old drivers let two writers in, and cannot tell a writer from what a killed one left behind while a viewer looks on.
The kernel frees the lock of a process that dies; the mark in the file stays.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from anonymizer.errors import SinkError

_MARK = b"writing"


class Claim:
    """Held from the start. SinkError when another anonymizer of this user holds it. Linux and other POSIX systems.

    left_behind: the writer before died before it could close the device. Where no lock file can be made, none is.
    """

    def __init__(self, device: str, folder: Path | None = None) -> None:
        import fcntl

        self.left_behind = False
        place = (folder or _runtime_folder()) / f"anonymizer-{os.getuid()}-{Path(device).name}.lock"
        try:
            self._handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            self._handle = -1
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise SinkError(f"another anonymizer writes to the virtual camera {device}; end it first") from error
        self.left_behind = os.pread(self._handle, len(_MARK), 0) == _MARK

    def mark(self) -> None:
        """From now on the device is written to."""
        if self._handle >= 0:
            os.pwrite(self._handle, _MARK, 0)

    def release(self) -> None:
        """The device was left as it should be. Harmless when done twice."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
        self._handle = -1


def _runtime_folder() -> Path:
    """Emptied at every start of the machine, where there is one."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())


__all__ = ["Claim"]
