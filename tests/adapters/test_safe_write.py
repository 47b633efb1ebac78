"""Outputs appear whole or not at all, and never in place of the input."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from anonymizer.adapters.safe_write import check_target, safe_target
from anonymizer.errors import SinkError

posix_only = pytest.mark.skipif(os.name != "posix", reason="links and modes as on POSIX")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    path.write_bytes(b"input")
    return path


def test_a_file_that_is_written_appears_under_its_name(tmp_path: Path, source: Path) -> None:
    """The target holds what was written, and the folder holds nothing else."""
    target = tmp_path / "out.mp4"
    with safe_target(target, [source]) as part:
        part.write_bytes(b"done")
        assert not target.exists()
        assert part.parent == tmp_path
        assert part.name.startswith(".")
        assert part.suffix == ".mp4"
    assert target.read_bytes() == b"done"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


@posix_only
def test_the_part_is_private_and_the_target_is_like_other_new_files(tmp_path: Path) -> None:
    """Only the owner can read the part; the finished file follows the umask."""
    plain = tmp_path / "plain"
    plain.touch()
    with safe_target(tmp_path / "out.png") as part:
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert (tmp_path / "out.png").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_folder_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever ends the block, the old output stays and the part is gone."""
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with pytest.raises(error), safe_target(target, overwrite=True) as part:  # noqa: PT012  the block is the test
        part.write_bytes(b"half")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert target.read_bytes() == b"old"


@posix_only
@pytest.mark.parametrize("kind", ["same", "symlink", "hardlink", "dots"])
def test_the_input_is_refused_under_any_name(tmp_path: Path, source: Path, kind: str) -> None:
    """Links and detours to the input count as the input, even with overwrite."""
    target = {"same": source, "dots": tmp_path / "x" / ".." / "in.mp4"}.get(kind, tmp_path / "link.mp4")
    (tmp_path / "x").mkdir()
    if kind == "symlink":
        target.symlink_to(source)
    if kind == "hardlink":
        target.hardlink_to(source)
    with pytest.raises(SinkError, match="is the input"):
        check_target(target, [source], overwrite=True)
    assert source.read_bytes() == b"input"


def test_an_existing_output_needs_overwrite(tmp_path: Path) -> None:
    """Without the flag the message names it; with it the file is replaced."""
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with pytest.raises(SinkError, match="--overwrite"):
        check_target(target)
    with safe_target(target, overwrite=True) as part:
        part.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """What another program wrote in the meantime is kept."""
    target = tmp_path / "out.mp4"
    with pytest.raises(SinkError, match="exists"), safe_target(target) as part:  # noqa: PT012  the block is the test
        part.write_bytes(b"mine")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"


def test_folders_and_missing_folders_are_refused(tmp_path: Path) -> None:
    """Both are said in words."""
    with pytest.raises(SinkError, match="is a folder"):
        check_target(tmp_path, overwrite=True)
    with pytest.raises(SinkError, match="does not exist"):
        check_target(tmp_path / "no" / "out.mp4")


@posix_only
def test_devices_and_pipes_are_refused(tmp_path: Path) -> None:
    """Renaming over a device or a pipe would destroy it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SinkError, match="not an ordinary file"):
        check_target(pipe, overwrite=True)


@posix_only
def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    """The file behind it is the one that is written."""
    real, link = tmp_path / "real.mp4", tmp_path / "link.mp4"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with safe_target(link, overwrite=True) as part:
        part.write_bytes(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


@posix_only
def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    """It leads nowhere, which is said."""
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(SinkError):
        check_target(tmp_path / "a")
