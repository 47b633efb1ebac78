"""The secret that personas are drawn from: never from a face, never a constant, never shown or logged.

Without a key file it is new at every start, so two runs cannot be linked by their personas. A key file keeps the
personas from run to run, and so links the runs it is used in.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from anonymizer.errors import PersonaKeyError

KEY_BYTES = 32
_MAX_KEY_BYTES = 4096
_INFO = b"anonymizer/v1/"


def session_secret() -> bytes:
    """32 fresh bytes from the system's random source."""
    return secrets.token_bytes(KEY_BYTES)


def load_or_create_key(path: Path) -> bytes:
    """The key in `path`; a missing file is made with 32 random bytes, readable by its owner only."""
    try:
        return _create(path)
    except FileExistsError:
        return _load(path)
    except OSError as error:
        raise PersonaKeyError(
            f"cannot create the persona key {path}: {error.strerror}; choose a folder that exists and is writable"
        ) from error


def derive(secret: bytes, slot: int, purpose: str, length: int) -> bytes:
    """`length` bytes for persona `slot` and `purpose`: HKDF-SHA256, independent for each of both."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(secret) < KEY_BYTES:
        raise ValueError(f"the secret must have at least {KEY_BYTES} bytes, got {len(secret)}")
    info = _INFO + purpose.encode() + slot.to_bytes(8, "big")
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def _create(path: Path) -> bytes:
    key = session_secret()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)  # a half-written key would be refused for ever
        raise
    return key


def _load(path: Path) -> bytes:
    try:
        # O_NONBLOCK: opening a named pipe must be refused below, not waited for
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise PersonaKeyError(f"cannot read the persona key {path}: {error.strerror}") from error
    try:
        _check_file(path, os.fstat(descriptor))
        key = os.read(descriptor, _MAX_KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if not KEY_BYTES <= len(key) <= _MAX_KEY_BYTES:
        size = f"more than {_MAX_KEY_BYTES}" if len(key) > _MAX_KEY_BYTES else str(len(key))
        raise PersonaKeyError(
            f"the persona key {path} has {size} bytes, wanted {KEY_BYTES} to {_MAX_KEY_BYTES} random ones; "
            "name a file that does not exist yet and it is made for you"
        )
    return key


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PersonaKeyError(f"the persona key {path} is not a regular file; name a file")
    mode = stat.S_IMODE(status.st_mode)
    if os.name == "posix" and mode & 0o077:  # Windows has no such bits
        raise PersonaKeyError(
            f"the persona key {path} can be read or changed by others (mode {mode:04o}, wanted 0600); "
            f"run: chmod 600 '{path}', or better, make a new key"
        )
