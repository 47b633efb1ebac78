"""What `live` sends, seen by a page in Chromium as its camera. The real driver has its turn in virtual_camera/."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = b"""<!doctype html><video id=v autoplay muted></video><script>
navigator.mediaDevices.getUserMedia({video: true}).then(async stream => {
  v.srcObject = stream;
  await new Promise(done => v.onplaying = done);
  for (let n = 0; n < 8; n++) {
    await new Promise(done => v.requestVideoFrameCallback(done));
    const canvas = new OffscreenCanvas(v.videoWidth, v.videoHeight);
    canvas.getContext('2d').drawImage(v, 0, 0);
    await fetch('/frame', {method: 'POST', body: await canvas.convertToBlob({type: 'image/png'})});
  }
  await fetch('/done', {method: 'POST', body: stream.getVideoTracks()[0].label});
}).catch(error => fetch('/done', {method: 'POST', body: 'failed: ' + error}));
</script>"""


class Pages(HTTPServer):
    """One page, and what it sends back."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pictures: list[npt.NDArray[np.uint8]] = []
        self.label, self.done = "", threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/frame":
            self.server.pictures.append(np.asarray(Image.open(io.BytesIO(body)).convert("RGB")))
        else:
            self.server.label = body.decode()
            self.server.done.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


@contextmanager
def serving() -> Iterator[Pages]:
    pages = Pages()
    thread = threading.Thread(target=pages.serve_forever)
    thread.start()
    try:
        yield pages
    finally:
        pages.shutdown()
        thread.join()
        pages.server_close()


def frames_of(path: Path) -> list[npt.NDArray[np.uint8]]:
    with av.open(str(path)) as clip:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in clip.decode(video=0)]


def write_y4m(source: Path, target: Path) -> None:
    """The film as Chromium wants its stand-in for a camera."""
    with av.open(str(source)) as film, target.open("wb") as out:
        for index, frame in enumerate(film.decode(video=0)):
            if index == 0:
                out.write(f"YUV4MPEG2 W{frame.width} H{frame.height} F25:1 Ip A1:1 C420jpeg\n".encode())
            out.write(b"FRAME\n" + frame.reformat(format="yuv420p").to_ndarray().tobytes())


def nearest(picture: npt.NDArray[np.uint8], frames: list[npt.NDArray[np.uint8]]) -> float:
    """Mean difference to the frame that is most like it, levels."""
    small = cv2.resize(picture, frames[0].shape[1::-1]).astype(np.int16)
    return min(float(np.abs(small - frame).mean()) for frame in frames)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_page_sees_what_was_sent_and_not_the_face(tmp_path: Path) -> None:
    """getUserMedia shows the persona: like a frame that was sent, unlike any raw one."""
    sent, y4m = tmp_path / "sent.mkv", tmp_path / "sent.y4m"
    with resources.as_file(resources.files("anonymizer") / "sample" / "talking_head.mp4") as sample:
        command = ["live", "--camera", str(sample), "--loop", "--output", str(sent), "--seconds", "4", "--json"]
        more = ["--preset", "fast", "--max-age", "5"]  # seconds: a busy machine must not blank what is tested here
        done = subprocess.run(
            [sys.executable, "-m", "anonymizer", *command, *more],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        raw = frames_of(sample)
    assert json.loads(done.stdout.splitlines()[-1])
    frames = [frame for frame in frames_of(sent) if frame.std() > 10]  # the blank ones at its ends left out
    assert frames
    write_y4m(sent, y4m)
    with serving() as pages:
        browser = subprocess.Popen(
            [
                str(CHROMIUM),
                *(
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-sync",
                    "--mute-audio",
                ),
                *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
                *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
                f"--use-file-for-fake-video-capture={y4m}",
                f"--user-data-dir={tmp_path / 'profile'}",
                f"http://127.0.0.1:{pages.server_port}/",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert pages.done.wait(90), "the page never answered"
        finally:
            browser.terminate()
            browser.wait(20)
    assert not pages.label.startswith("failed"), pages.label
    shown = [picture for picture in pages.pictures if picture.std() > 10]
    assert shown
    resized = [cv2.resize(frame, frames[0].shape[1::-1]) for frame in raw]
    for picture in shown:
        assert nearest(picture, frames) < 4
        assert nearest(picture, [np.asarray(frame, np.uint8) for frame in resized]) > 2 * nearest(picture, frames)
