"""Runs in the guest, as root: `anonymizer live` between a loopback webcam and a virtual camera, seen by other programs.

Emulated processors are slow, so pictures are small and --max-age is long; what is asserted does not depend on speed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from anonymizer.devices.v4l2 import wake
from tests.e2e.virtual_camera.guest.guest_tools import (
    CAMERA,
    OUT,
    PATIENCE_S,
    SIZE,
    VIVID,
    WEBCAM,
    Live,
    Viewer,
    Writer,
    by_ffmpeg,
    is_blank,
    is_camera,
    played,
    said,
    until,
)
from tests.e2e.virtual_camera.guest.pictures import DIFFERENT, FILM, RAW_FACE, film, judged, number_of, raw_distance

LARGER = (640, 480)
CHECKS: list[Callable[[], str]] = []


def check(act: Callable[[], str]) -> Callable[[], str]:
    CHECKS.append(act)
    return act


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
        with Writer(level=40 + number, seconds=1.5) as writer:
            assert writer.said == "OPEN", f"start {number + 1}: {writer.said}"
            assert writer.process.wait(60) == 0
    return "three processes one after the other"


@check
def a_second_writer_is_refused_with_a_sentence() -> str:
    """Ours beside ours, ours beside a foreign one, a foreign one beside ours."""
    with Writer(), Writer() as second:
        ours = second.said
    assert ours.startswith("REFUSED another anonymizer"), ours
    wake(CAMERA, written_by_nobody=True)
    film()
    with played(FILM, CAMERA) as foreign:
        with Writer() as second:
            beside_foreign = second.said
        assert foreign.poll() is None, "the writer that was there first was disturbed"
    assert beside_foreign.startswith("REFUSED"), beside_foreign
    assert "another program" in beside_foreign, beside_foreign
    return f"{ours}; {beside_foreign}"


@check
def a_viewer_before_the_writer_hinders_nothing() -> str:
    """It is told that this is no camera yet; a program that holds the device changes neither start nor size."""
    with Viewer() as early:
        assert not early.is_open, "an idle exclusive device opened as a camera"
    handle = os.open(CAMERA, os.O_RDWR | os.O_NONBLOCK)
    try:
        with Writer(LARGER, 90) as writer, Viewer() as viewer:
            assert writer.said == "OPEN", writer.said
            frame = viewer.look()
            assert frame is not None
            assert frame.shape[:2] == LARGER[::-1], f"a frame of {frame.shape}"
            assert viewer.sees(90)
    finally:
        os.close(handle)
    return "no camera before, the right picture after"


@check
def a_viewer_stays_through_a_restart_but_another_size_is_refused() -> str:
    """A meeting that goes on looking: same size, it sees the new run; another size would show it old pictures."""
    with Viewer() as none:
        assert not none.is_open
    with Writer(level=40) as first, Viewer() as viewer:
        assert first.said == "OPEN", first.said
        assert viewer.sees(40)
        first.kill()
        with Writer(level=90, seconds=3) as again:
            assert again.said == "OPEN", f"after a kill, a viewer looking on: {again.said}"
            assert viewer.sees(90), "the viewer does not see the run after the killed one"
            assert again.process.wait(60) == 0
        with Writer(level=140, seconds=3) as third:
            assert third.said == "OPEN", f"after a clean end, a viewer looking on: {third.said}"
            assert viewer.sees(140), "the viewer does not see the third run"
            assert third.process.wait(60) == 0
        with Writer(LARGER) as other:
            refused = other.said
    assert refused.startswith("REFUSED"), refused
    assert "stays at 320×240" in refused, refused
    with Writer(LARGER, 90) as after, Viewer() as viewer:
        assert after.said == "OPEN", after.said
        frame = viewer.look()
        assert frame is not None
        assert frame.shape[:2] == LARGER[::-1], f"a frame of {frame.shape}"
    return refused


@check
def a_killed_writer_shows_nothing_more() -> str:
    """The viewer gets no picture but what was sent, and the device is usable when it has gone, too."""
    with Writer(level=40) as writer:
        with Viewer() as viewer:
            assert viewer.sees(40)
            writer.kill()
            seen: list[np.ndarray] = []
            while len(seen) < 12 and (frame := viewer.look()) is not None:
                seen.append(frame)
            assert len(seen) < 12, "pictures go on coming from a dead writer"
        assert all(is_blank(frame) and abs(frame.mean() - 40) < 6 for frame in seen)
    with Writer(level=90) as after, Viewer() as viewer:
        assert after.said == "OPEN", after.said
        assert viewer.sees(90)
    return f"{len(seen)} frames were still in the queue, then none"


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
    """A viewer from the first blank frame on, through webcam gone and back, SIGTERM and a second run; then ffmpeg."""
    shown = film()
    results = []
    with played(FILM) as feed:
        results.append(control(shown))
        with Live() as live:
            until(lambda: live.reached("") and is_camera(), what="a first frame")
            with Viewer() as viewer:
                frames = watched(viewer, shown, lambda: live.reached("COVERED"))
                results.append(judged(frames, shown, "opencv"))
                feed.kill()
                feed.wait()
                until(lambda: live.reached("NO CAMERA") or live.reached("STALLED"), what="the loss of the webcam")
                until(lambda: (frame := viewer.look()) is not None and is_blank(frame), 120, "a blank picture")
                results.append("webcam gone: blank")
                before = live.text().count("COVERED")
                with played(FILM):
                    frames = watched(viewer, shown, lambda: live.reached("COVERED", before + 1))
                    results.append(judged(frames, shown, "opencv-webcam-back"))
                    assert live.end() == 0, live.text()[-300:]
                    results.append(last_is_blank(viewer))
                    with Live() as second:
                        frames = watched(viewer, shown, lambda: second.reached("COVERED"))
                        results.append(judged(frames, shown, "opencv-second-run"))
                        viewer.__exit__()
                        results.append(judged(by_ffmpeg(200), shown, "ffmpeg"))
                        second.end(signal.SIGKILL)
    with Writer() as after:
        assert after.said == "OPEN", f"after a killed run: {after.said}"
    return "; ".join(results)


def control(shown: np.ndarray) -> str:
    """The webcam itself, by the same reader: the judge must know the raw face when it sees it."""
    with Viewer(WEBCAM) as viewer:
        frames = [frame for frame in (viewer.look() for _ in range(5)) if frame is not None]
    distances = [raw_distance(frame, shown) for frame in frames]
    assert distances, "the webcam shows nothing"
    assert max(distances) < RAW_FACE / 2, f"the raw webcam is {max(distances):.1f} from itself"
    return f"control: the raw webcam is {max(distances):.1f} from itself"


def watched(viewer: Viewer, shown: np.ndarray, ready: Callable[[], bool]) -> list[np.ndarray]:
    """Looks at every frame until DIFFERENT ones have come after `ready`; none may show the raw face; the pictures."""
    pictures: list[np.ndarray] = []
    numbers: set[int | None] = set()
    end_s = time.monotonic() + PATIENCE_S
    while len(numbers) < DIFFERENT:
        assert time.monotonic() < end_s, f"only {len(numbers)} different pictures came in time"
        frame, now = viewer.look(), ready()
        if frame is None or is_blank(frame):
            continue
        assert raw_distance(frame, shown) > RAW_FACE, "the raw face"
        pictures.append(frame)
        if now:
            numbers.add(number_of(frame))
    return pictures


def last_is_blank(viewer: Viewer) -> str:
    """What a viewer is left with after the end."""
    last = None
    while (frame := viewer.look()) is not None:
        last = frame
    assert last is not None, "the viewer saw nothing of the end"
    assert is_blank(last), "the last frame is not blank"
    return "SIGTERM: exit 0, a blank last frame"


@check
def chromium_sees_the_persona() -> str:
    """getUserMedia in a real browser."""
    shown = film()
    with played(FILM), Live() as live:
        until(lambda: live.reached("COVERED"), what="COVERED")
        done = subprocess.run([sys.executable, "/share/guest/browser.py", "Anonymizer", str(OUT)], capture_output=True)
        assert done.returncode == 0, done.stdout.decode()[-300:] + done.stderr.decode()[-300:]
        assert live.end() == 0
    frames = [np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted(OUT.glob("browser-*.png"))]
    assert all(frame.shape[:2] == SIZE[::-1] for frame in frames), [frame.shape for frame in frames]
    return judged(frames, shown, "chromium")


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
        if not re.search(os.environ.get("ONLY", ""), act.__name__):
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
        for path in (CAMERA, WEBCAM):
            wake(path, written_by_nobody=True)
    said(f"SUMMARY {passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
