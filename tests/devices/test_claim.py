"""One writer a device, and what a writer that died leaves: by a process that holds a real lock and is really killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anonymizer.devices.claim import Claim
from anonymizer.errors import SinkError

HOLD = """
import sys, time
from pathlib import Path
from anonymizer.devices.claim import Claim
claim = Claim("/dev/video10", Path(sys.argv[1]))
claim.mark()
print("held", flush=True)
time.sleep(60)
"""


def test_a_device_is_claimed_once_and_free_again_after(tmp_path: Path) -> None:
    """Also within one process; other devices are not concerned."""
    first = Claim("/dev/video10", tmp_path)
    with pytest.raises(SinkError, match="another anonymizer writes to the virtual camera /dev/video10"):
        Claim("/dev/video10", tmp_path)
    Claim("/dev/video11", tmp_path).release()
    first.release()
    first.release()
    again = Claim("/dev/video10", tmp_path)
    assert not again.left_behind
    again.release()


def test_a_killed_writer_is_known_by_its_mark(tmp_path: Path) -> None:
    """Its lock is gone with it; the one after knows, and the one after that has forgotten."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(SinkError):
            Claim("/dev/video10", tmp_path)
    finally:
        process.kill()
        process.communicate()
    after = Claim("/dev/video10", tmp_path)
    assert after.left_behind
    after.release()
    later = Claim("/dev/video10", tmp_path)
    assert not later.left_behind
    later.release()


def test_who_never_wrote_leaves_no_mark(tmp_path: Path) -> None:
    """A start that was refused, for instance."""
    Claim("/dev/video10", tmp_path).release()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b""]


def test_without_a_place_for_the_lock_it_goes_on_without(tmp_path: Path) -> None:
    """Neither a missing folder nor somebody's link in its place may keep the camera from working, nor be followed."""
    missing = Claim("/dev/video10", tmp_path / "missing")
    missing.mark()
    missing.release()
    assert not missing.left_behind
    target = tmp_path / "target"
    target.write_bytes(b"keep")
    Claim("/dev/video10", tmp_path).release()
    (lock,) = tmp_path.glob("anonymizer-*")
    lock.unlink()
    lock.symlink_to(target)
    linked = Claim("/dev/video10", tmp_path)
    linked.mark()
    linked.release()
    assert target.read_bytes() == b"keep"
