"""The secret: fresh without a key, kept safely with one, and split into independent streams."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import PersonaKeyError
from anonymizer.secret import KEY_BYTES, derive, load_or_create_key, session_secret

SECRET = bytes(range(32))
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes and pipes are POSIX")


def test_two_runs_without_a_key_differ() -> None:
    """A session secret is 32 bytes and never the same twice."""
    assert len({session_secret() for _ in range(64)}) == 64
    assert len(session_secret()) == KEY_BYTES


def test_a_key_is_made_once_and_then_kept(tmp_path: Path) -> None:
    """A missing key file is created, and read back unchanged afterwards."""
    path = tmp_path / "persona.key"
    key = load_or_create_key(path)
    assert len(key) == KEY_BYTES
    assert load_or_create_key(path) == key == path.read_bytes()


@posix_only
def test_a_new_key_is_for_its_owner_only(tmp_path: Path) -> None:
    """The created file has mode 0600 whatever the umask allows."""
    before = os.umask(0)
    try:
        load_or_create_key(tmp_path / "persona.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "persona.key").stat().st_mode) == 0o600


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that group or others may read or change is refused, with the command that mends it."""
    path = tmp_path / "persona.key"
    path.write_bytes(SECRET)
    path.chmod(mode)
    with pytest.raises(PersonaKeyError, match="chmod 600"):
        load_or_create_key(path)


@pytest.mark.parametrize("size", [0, 1, 31, 4097])
def test_a_key_of_wrong_size_is_refused(tmp_path: Path, size: int) -> None:
    """A short or huge file is no key, and is left as it was."""
    path = tmp_path / "persona.key"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)
    with pytest.raises(PersonaKeyError, match="bytes, wanted 32"):
        load_or_create_key(path)
    assert path.stat().st_size == size


@posix_only
def test_a_folder_or_pipe_is_no_key(tmp_path: Path) -> None:
    """What is not a regular file is refused at once, without waiting for a writer."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe):
        with pytest.raises(PersonaKeyError, match="persona key"):
            load_or_create_key(path)


@posix_only
def test_a_dangling_link_makes_no_key_elsewhere(tmp_path: Path) -> None:
    """A symbolic link to nothing is refused; no key appears where it points."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PersonaKeyError):
        load_or_create_key(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_in_a_missing_folder_is_explained(tmp_path: Path) -> None:
    """The message says to choose a folder that exists."""
    with pytest.raises(PersonaKeyError, match="choose a folder"):
        load_or_create_key(tmp_path / "no" / "persona.key")


def test_messages_hold_nothing_of_the_key(tmp_path: Path) -> None:
    """A refused key is not quoted."""
    path = tmp_path / "persona.key"
    path.write_bytes(b"topsecret")
    path.chmod(0o600)
    with pytest.raises(PersonaKeyError) as caught:
        load_or_create_key(path)
    assert "topsecret" not in str(caught.value)


def test_derivation_matches_rfc_5869() -> None:
    """`derive` is HKDF-SHA256 with no salt, written out here from its two HMAC steps."""
    import hashlib
    import hmac

    extracted = hmac.new(bytes(32), SECRET, hashlib.sha256).digest()
    info = b"anonymizer/v1/shape" + (3).to_bytes(8, "big")
    first = hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
    second = hmac.new(extracted, first + info + b"\x02", hashlib.sha256).digest()
    assert derive(SECRET, 3, "shape", 40) == (first + second)[:40]


@given(
    st.lists(
        st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**64 - 1), st.text(max_size=20)),
        min_size=2,
        max_size=5,
        unique=True,
    )
)
def test_streams_are_repeatable_and_differ(keys: list[tuple[bytes, int, str]]) -> None:
    """The same secret, slot and purpose give the same bytes; any difference gives others."""
    streams = [derive(*key, 16) for key in keys]
    assert len(set(streams)) == len(keys)
    assert streams == [derive(*key, 16) for key in keys]


def test_a_short_secret_is_our_own_mistake() -> None:
    """Deriving from fewer than 32 bytes raises ValueError."""
    with pytest.raises(ValueError, match="at least 32"):
        derive(b"short", 0, "shape", 16)
