"""Runs in the guest, as root: `anonymizer live` between a loopback webcam and a virtual camera, seen by other programs.

Emulated processors are slow, so pictures are small and --max-age is long; what is asserted does not depend on speed.
"""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

OUT = Path("/out")
OLD = os.environ["DRIVER"].startswith("0.12")
CAMERA, WEBCAM, VIVID = "/dev/video10", "/dev/video11", "/dev/video0"
SIZE = (320, 240)
PATIENCE_S = 900.0
CLIP = "/share/anonymizer/sample/talking_head.mp4"
VIEW = "crop=iw:ih*3/4:0:ih/16,scale=320:240"
CHECKS: list[Callable[[], str]] = []


def check(act: Callable[[], str]) -> Callable[[], str]:
    CHECKS.append(act)
    return act


def said(*words: object) -> None:
    print(*words, flush=True)


def abilities(path: str) -> set[str]:
    """What VIDIOC_QUERYCAP says the device can do now."""
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = fcntl.ioctl(handle, 0x80685600, bytes(104))
    finally:
        os.close(handle)
    bits = struct.unpack("I", answer[88:92])[0]
    return {name for name, bit in (("capture", 1), ("output", 2)) if bits & bit}


def until(seen: Callable[[], object], seconds: float = PATIENCE_S, what: str = "") -> None:
    end_s = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end_s:
            raise AssertionError(f"{what or 'it'} did not come in {seconds:.0f} s")
        time.sleep(0.2)


def raw_frames() -> np.ndarray:
    """The clip as the webcam shows it, (N, 240, 320, 3) BGR."""
    command = ["ffmpeg", "-loglevel", "error", "-i", CLIP, "-vf", VIEW, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


@contextmanager
def webcam() -> Iterator[subprocess.Popen[bytes]]:
    """The clip on the loopback webcam, again and again."""
    wake(WEBCAM)
    command = ["ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", CLIP, "-vf", f"{VIEW},fps=5"]
    with subprocess.Popen([*command, "-pix_fmt", "yuyv422", "-f", "v4l2", WEBCAM]) as process:
        try:
            until(lambda: "capture" in abilities(WEBCAM), 120, "the webcam")
            yield process
        finally:
            process.kill()


def wake(path: str) -> None:
    from anonymizer.devices.v4l2 import wake as wake_device

    wake_device(path)


class Live:
    """`anonymizer live` as its own process; its lines."""

    def __init__(self, *arguments: str) -> None:
        self.log = OUT / f"live-{time.monotonic():.0f}.log"
        command = [sys.executable, "-m", "anonymizer", "live", "--camera", WEBCAM, "--device", CAMERA, "--fps", "5"]
        command += ["--size", f"{SIZE[0]}x{SIZE[1]}", "--preset", "fast", "--max-age", "30", *arguments]
        self.process = subprocess.Popen(command, stderr=self.log.open("wb"), stdout=subprocess.DEVNULL)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def reached(self, word: str, times: int = 1) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"live ended with {self.process.returncode}: {self.text()[-400:]}")
        return self.text().count(word) >= times

    def end(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(120)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def by_opencv(count: int) -> list[np.ndarray]:
    viewer = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
    assert viewer.isOpened(), "OpenCV cannot open the virtual camera"
    frames = []
    for _ in range(count):
        ok, frame = viewer.read()
        assert ok, "OpenCV reads nothing"
        frames.append(frame)
    viewer.release()
    return frames


def by_ffmpeg(count: int) -> list[np.ndarray]:
    command = ["ffmpeg", "-loglevel", "error", "-f", "v4l2", "-i", CAMERA, "-frames:v", str(count)]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-200:]
    return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3))


def is_blank(frame: np.ndarray) -> bool:
    return int(np.ptp(frame)) < 12


FACE = (slice(70, 170), slice(115, 205))  # eyes, nose and mouth of the clip, as the webcam shows it
AROUND = (slice(0, 40), slice(0, 80))


def judged(frames: list[np.ndarray], raw: np.ndarray) -> str:
    """No frame shows the raw face, and some show the scene with another one; distances in grey levels."""
    faces, around = raw[(slice(None), *FACE)].astype(np.int16), raw[(slice(None), *AROUND)].astype(np.int16)
    nearest, scene = [], []
    for number, frame in enumerate(frames):
        if is_blank(frame):
            continue
        nearest.append(float(np.abs(faces - frame[FACE]).mean((1, 2, 3)).min()))
        scene.append(float(np.abs(around - frame[AROUND]).mean((1, 2, 3)).min()))
        cv2.imwrite(str(OUT / f"seen-{number}.png"), frame)
    assert nearest, "all frames are blank"
    assert min(nearest) > 6, f"a frame is as near to the raw face as {min(nearest):.1f}"
    assert min(scene) < 8, f"the scene is not there: {min(scene):.1f}"
    return f"{len(nearest)} frames, nearest raw face {min(nearest):.1f}, scene {min(scene):.1f}"


def writing(size: tuple[int, int], seconds: float) -> subprocess.Popen[bytes]:
    """A process that sends blank frames through our own adapter; prints OPEN, or the error."""
    code = f"""
import sys, time, numpy as np
from anonymizer.adapters.virtual_camera import VirtualCamera
from anonymizer.errors import SinkError
from anonymizer.frames import Frame
try:
    camera = VirtualCamera({CAMERA!r}, {size!r}, 5)
except SinkError as error:
    print("REFUSED", error, flush=True); sys.exit(4)
print("OPEN", flush=True)
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    camera._camera.send(np.full(({size[1]}, {size[0]}, 3), 24, np.uint8)); time.sleep(0.2)
camera.close(True)
"""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


@check
def devices_are_listed() -> str:
    """By their labels, with their states."""
    out = subprocess.run([sys.executable, "-m", "anonymizer", "devices"], capture_output=True, text=True).stdout
    assert re.search(r"Anonymizer  \[/dev/video10\]  ready", out), out
    assert "vivid" in out.split("virtual cameras")[0], out
    return "Anonymizer is ready, vivid is a camera"


@check
def a_second_and_third_start_work() -> str:
    """On 0.12.7 pyvirtualcam alone fails the second time."""
    for number in range(3):
        with writing(SIZE, 1.5) as process:
            line = first_line(process)
            assert line == "OPEN", f"start {number + 1}: {line}"
    return "three processes one after the other"


@check
def a_second_writer_is_refused_with_a_sentence() -> str:
    """While another one writes."""
    with writing(SIZE, 60) as first:
        assert first_line(first) == "OPEN"
        time.sleep(1)
        with writing(SIZE, 1) as second:
            line = first_line(second)
        first.kill()
    assert line.startswith("REFUSED"), line
    assert "another program" in line, line
    return line


@check
def a_viewer_that_holds_another_size_is_told() -> str:
    """Instead of being shown old pictures."""
    wake(CAMERA)
    with writing(SIZE, 8) as first:
        assert first_line(first) == "OPEN"
        viewer = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
        assert viewer.isOpened()
        assert viewer.read()[0]
    with writing((640, 480), 1) as second:
        line = first_line(second)
    viewer.release()
    assert line.startswith("REFUSED"), line
    with writing((640, 480), 1) as third:
        after = first_line(third)
    assert after == "OPEN", after
    return line


@check
def a_killed_writer_leaves_the_device_usable() -> str:
    """The viewer gets nothing more, and the next start works."""
    wake(CAMERA)
    writer = writing(SIZE, 300)
    assert first_line(writer) == "OPEN"
    viewer = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
    assert viewer.read()[0]
    writer.kill()
    writer.wait()
    seen = [viewer.read() for _ in range(3)]
    assert all(not ok or is_blank(frame) for ok, frame in seen)
    viewer.release()
    with writing(SIZE, 1) as after:
        line = first_line(after)
    assert line == "OPEN", line
    return f"frames after the kill: {sum(ok for ok, _ in seen)} of 3, all blank"


@check
def an_unplugged_webcam_is_lost_and_found() -> str:
    """vivid pulls its plug; our adapter says so and opens it again."""
    from anonymizer.adapters.camera import Camera
    from anonymizer.errors import CameraError

    camera = Camera(VIVID, SIZE, 5)
    assert camera.read() is not None
    subprocess.run(["v4l2-ctl", "-d", VIVID, "-c", "disconnect=1"], check=True)
    try:
        for _ in range(10):
            camera.read()
        raise AssertionError("an unplugged camera gives frames")
    except CameraError as error:
        words = str(error)
    camera.close()
    time.sleep(0.5)
    again = Camera(VIVID, SIZE, 5)
    assert again.read() is not None
    again.close()
    return words


@check
def persona_is_seen_and_the_raw_face_never() -> str:
    """From the webcam through `live` to OpenCV and ffmpeg; webcam pulled and back; stopped by SIGTERM; then again."""
    raw = raw_frames()
    results = []
    idle = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
    assert not idle.isOpened(), "a viewer could open the idle exclusive device"
    idle.release()
    with webcam() as feed, Live() as live:
        until(lambda: live.reached("COVERED"), what="COVERED")
        results.append("OpenCV: " + judged(by_opencv(12), raw))
        results.append("ffmpeg: " + judged(by_ffmpeg(6), raw))
        feed.kill()
        feed.wait()
        until(lambda: live.reached("NO CAMERA") or live.reached("STALLED"), what="the loss of the webcam")
        viewer = cv2.VideoCapture(CAMERA, cv2.CAP_V4L2)
        until(lambda: is_blank(viewer.read()[1]), 120, "a blank picture")
        viewer.release()
        results.append("webcam gone: blank")
        before = live.text().count("COVERED")
        with webcam():
            until(lambda: live.reached("COVERED", before + 1), what="COVERED again")
            results.append("webcam back: covered")
            assert live.end() == 0, live.text()[-300:]
    results.append("SIGTERM: exit 0")
    with webcam(), Live("--seconds", "600") as live:
        until(lambda: live.reached("COVERED"), what="COVERED in a second run")
        results.append("second run: " + judged(by_opencv(6), raw))
        live.end(signal.SIGKILL)
    return "; ".join(results)


@check
def chromium_sees_the_persona() -> str:
    """getUserMedia in a real browser."""
    raw = raw_frames()
    with webcam(), Live() as live:
        until(lambda: live.reached("COVERED"), what="COVERED")
        done = subprocess.run([sys.executable, "/share/guest/browser.py", "Anonymizer", str(OUT)], capture_output=True)
        assert done.returncode == 0, done.stdout.decode()[-300:] + done.stderr.decode()[-300:]
        frames = [
            cv2.resize(np.asarray(cv2.imread(str(path)), np.uint8), SIZE) for path in sorted(OUT.glob("browser-*.png"))
        ]
        live.end()
    return judged(frames, raw)


def load_drivers() -> None:
    for command in (
        "modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=0 num_inputs=1 input_types=0x0 no_error_inj=0",
        f"insmod /opt/modules/v4l2loopback-{os.environ['DRIVER']}.ko devices=2 video_nr=10,11 "
        "card_label=Anonymizer,Webcam exclusive_caps=1,1 max_buffers=8",
    ):
        subprocess.run(command.split(), check=False)
    until(lambda: all(Path(path).exists() for path in (VIVID, CAMERA, WEBCAM)), 60, "the devices")


def main() -> int:
    load_drivers()
    said("INFO v4l2loopback", os.environ["DRIVER"], "cores", os.cpu_count())
    failed = passed = 0
    for act in CHECKS:
        if os.environ.get("ONLY", "") not in act.__name__:
            continue
        started_s = time.monotonic()
        try:
            words, mark = act(), "PASS"
            passed += 1
        except Exception as error:  # noqa: BLE001  the next check has a right to run
            traceback.print_exc()
            words, mark = f"{type(error).__name__}: {error}", "FAIL"
            failed += 1
        said(mark, act.__name__, f"{time.monotonic() - started_s:.0f}s", " ".join(words.split()))
        wake(CAMERA)
        wake(WEBCAM)
    said(f"SUMMARY {passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
