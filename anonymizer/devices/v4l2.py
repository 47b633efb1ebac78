"""Linux video devices as the kernel tells of them: names, kinds, states. Reads /sys and asks the driver; no pictures.

Numbers are those of <linux/videodev2.h>. Facts about v4l2loopback were measured in a virtual machine with the real
drivers (tests/e2e/virtual_camera).
"""

from __future__ import annotations

import errno
import os
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys/class/video4linux")
MODULE = Path("/sys/module/v4l2loopback")
_QUERYCAP, _STREAMON = 0x80685600, 0x40045612
_CAPTURE, _OUTPUT = 0x1, 0x2
_BUFFER_OUTPUT = 2  # V4L2_BUF_TYPE_VIDEO_OUTPUT
QUIET_S, _LOOK_S = 1.5, 0.05  # a device without a new frame for so long has no writer; how often to look
_QUEUE = 32  # buffers of a device at most


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """path: /dev/videoN. name: its label. loopback: made by v4l2loopback. can: capture, output, as it is now."""

    path: str
    name: str
    loopback: bool
    can: frozenset[str]
    problem: str = ""


def video_devices(sys_folder: Path = SYS, dev_folder: Path = Path("/dev")) -> tuple[VideoDevice, ...]:
    """All of them, by number; none where the system has no such folder."""
    if not sys_folder.is_dir():
        return ()
    entries = [entry for entry in sys_folder.iterdir() if entry.name.startswith("video")]
    return tuple(_device(entry, dev_folder) for entry in sorted(entries, key=lambda e: (len(e.name), e.name)))


def loopbacks() -> tuple[VideoDevice, ...]:
    """The virtual cameras."""
    return tuple(device for device in video_devices() if device.loopback)


def loopback_version() -> str | None:
    """Of the loaded v4l2loopback module, None when it is not loaded."""
    try:
        return (MODULE / "version").read_text(encoding="ascii").strip()
    except OSError:
        return None


def set_format(path: str, sys_folder: Path = SYS) -> str | None:
    """What a loopback device is really set to, such as `YU12:1280x720@30`; None when it does not say."""
    try:
        return (sys_folder / Path(path).name / "format").read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def format_size_px(text: str) -> tuple[int, int] | None:
    """(width, height) in `YU12:1280x720@30`."""
    size = text.split(":")[-1].split("@")[0].lower().split("x")
    if len(size) == 2 and all(part.isdecimal() for part in size):
        return int(size[0]), int(size[1])
    return None


def wake(path: str, written_by_nobody: bool = False) -> None:
    """Give a v4l2loopback device back its output side.

    Up to 0.12.7 a writer that never asked for STREAMON, as pyvirtualcam does, leaves an exclusive device behind that is
    neither camera nor output, or, while a viewer holds it, a camera that nobody feeds; STREAMON and closing brings it
    back without loading the module anew. A camera is woken only if it is known that nobody writes to it
    (`written_by_nobody`): else that would let a second writer in. Newer drivers answer EINVAL, and nothing changes.
    """
    _, can, problem = _query(path)
    if sys.platform != "linux" or problem or "output" in can or (can and not written_by_nobody):
        return
    import fcntl

    with suppress(OSError):
        handle = os.open(path, os.O_RDWR)
        try:
            with suppress(OSError):
                fcntl.ioctl(handle, _STREAMON, struct.pack("i", _BUFFER_OUTPUT))
        finally:
            os.close(handle)


def is_fed(path: str, seconds: float = QUIET_S) -> bool:
    """Does a writer send frames to this device now? One byte of each is read. True where that cannot be told."""
    _, can, _ = _query(path)
    if "capture" not in can:
        return False
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        for _ in range(_QUEUE):  # those of before
            if not _frame_waits(handle):
                break
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            if _frame_waits(handle):
                return True
            time.sleep(_LOOK_S)
        return False
    except OSError:
        return True
    finally:
        os.close(handle)


def _frame_waits(handle: int) -> bool:
    try:
        return bool(os.read(handle, 1))
    except BlockingIOError:
        return False


def _device(entry: Path, dev_folder: Path) -> VideoDevice:
    path = dev_folder / entry.name
    try:
        name = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = entry.name
    driver, can, problem = _query(str(path))
    loopback = "loopback" in driver if driver else "/devices/virtual/" in str(entry.resolve())
    return VideoDevice(str(path), name, loopback, can, problem)


def _query(path: str) -> tuple[str, frozenset[str], str]:
    """Driver, abilities, and why they are not known."""
    if sys.platform != "linux":
        return "", frozenset(), ""
    import fcntl

    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return "", frozenset(), _in_words(error)
    try:
        answer = fcntl.ioctl(handle, _QUERYCAP, bytes(104))
    except OSError as error:
        return "", frozenset(), _in_words(error)
    finally:
        os.close(handle)
    driver = answer[:16].split(b"\0")[0].decode("ascii", "replace")
    abilities = int(struct.unpack("I", answer[88:92])[0])
    known = (("capture", _CAPTURE), ("output", _OUTPUT))
    return driver, frozenset(word for word, bit in known if abilities & bit), ""


def _in_words(error: OSError) -> str:
    words = {errno.EACCES: "no permission", errno.ENOENT: "not there", errno.EBUSY: "in use", errno.ENODEV: "unplugged"}
    return words.get(error.errno or 0, error.strerror or "not to be opened")
