"""Shows files in a headless Chromium that reaches nothing but a server on this machine, and takes what it saw."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

WAIT_S = 240
PAGE = """<!doctype html><body><script>
const late = ms => new Promise((_, no) => setTimeout(() => no(new Error('timed out')), ms));
async function show({name, video}) {
  const element = document.createElement(video ? 'video' : 'img');
  document.body.append(element);
  element.muted = true;
  const ready = new Promise((yes, no) => {
    element.addEventListener(video ? 'loadeddata' : 'load', yes);
    element.addEventListener('error', () => no(new Error(
      video ? 'media error ' + element.error.code + ' ' + element.error.message : 'image error')));
  });
  element.src = '/file/' + encodeURIComponent(name);
  try {
    await Promise.race([ready, late(20000)]);
    const width = video ? element.videoWidth : element.naturalWidth;
    const height = video ? element.videoHeight : element.naturalHeight;
    const canvas = document.createElement('canvas');
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext('2d');
    for (let tries = 0; tries < 50; tries++) {  // a busy machine says "loaded" before it has painted
      context.drawImage(element, 0, 0);
      if (context.getImageData(0, 0, width, height).data.some((value, i) => i % 4 < 3 && value > 0)) break;
      await new Promise(done => setTimeout(done, 100));
    }
    return {name, width, height, seconds: video ? element.duration : null, png: canvas.toDataURL('image/png')};
  } catch (error) { return {name, error: String(error.message || error)}; }
}
(async () => {
  const out = [];
  for (const file of await (await fetch('/files')).json()) out.push(await show(file));
  await fetch('/done', {method: 'POST', body: JSON.stringify(out)});
})();
</script>"""
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-sync --mute-audio --disable-quic "
    "--disable-background-networking --disable-component-update --force-color-profile=srgb"
).split()


@dataclass(frozen=True)
class Shown:
    """What a program made of a file. error: in words, or empty. picture: the first one, RGB."""

    error: str
    size_px: tuple[int, int] = (0, 0)
    seconds: float | None = None
    picture: npt.NDArray[np.uint8] | None = None


class _Server(ThreadingHTTPServer):
    def __init__(self, files: Mapping[Path, bool]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {path.name: path for path in files}
        self.listed = [{"name": path.name, "video": video} for path, video in files.items()]
        self.told: list[dict[str, Any]] = []
        self.done = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/file/")
        if self.path == "/":
            self._send(PAGE.encode(), "text/html")
        elif self.path == "/files":
            self._send(json.dumps(self.server.listed).encode(), "application/json")
        elif name in self.server.files:
            self._send(self.server.files[name].read_bytes(), "application/octet-stream")
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(b"", "text/plain")
        self.server.done.set()

    def log_message(self, *_: object) -> None: ...

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def shown_by_browser(files: Mapping[Path, bool]) -> dict[Path, Shown]:
    """files: whether each is a video."""
    server = _Server(files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        address = f"http://127.0.0.1:{server.server_port}/"
        command = ["chromium", *FLAGS, f"--user-data-dir={profile}", address]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server.done.wait(WAIT_S)
        finally:
            browser.terminate()
            browser.wait(20)
            server.shutdown()
            thread.join()
            server.server_close()
    told = {each["name"]: each for each in server.told}
    return {path: _shown(told.get(path.name, {"error": "the page never answered"})) for path in files}


def _shown(told: dict[str, Any]) -> Shown:
    if "error" in told:
        return Shown(told["error"])
    png = base64.b64decode(told["png"].partition(",")[2])
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.uint8)
    return Shown("", (told["width"], told["height"]), told["seconds"], picture)
