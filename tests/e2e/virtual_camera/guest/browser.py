"""Opens a camera by its label in headless Chromium and saves what getUserMedia shows: browser.py LABEL FOLDER.

The page draws the video into a canvas and posts the pixels to a server on 127.0.0.1; no driver of a browser is needed.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TIMEOUT_S = 900
FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions
--disable-background-networking --disable-component-update --disable-sync --mute-audio --no-zygote --in-process-gpu
--disable-software-rasterizer --disable-breakpad --use-fake-ui-for-media-stream
--disable-features=PipeWireCamera,Translate,OptimizationHints,MediaRouter""".split()
PAGE = """<!doctype html><script>
const wait = ms => new Promise(done => setTimeout(done, ms));
const tell = what => fetch('/', {method: 'POST', body: JSON.stringify(what)});
(async () => {
  try {
    const label = new URLSearchParams(location.search).get('label');
    (await navigator.mediaDevices.getUserMedia({video: true})).getTracks().forEach(track => track.stop());
    const all = (await navigator.mediaDevices.enumerateDevices()).filter(each => each.kind == 'videoinput');
    const camera = all.find(each => each.label.includes(label));
    if (!camera) throw new Error('cameras: ' + all.map(each => each.label).join(', '));
    const video = document.createElement('video');
    video.muted = true;
    video.srcObject = await navigator.mediaDevices.getUserMedia({video: {deviceId: {exact: camera.deviceId}}});
    await video.play();
    while (!video.videoWidth) await wait(100);
    const pictures = [];
    for (let n = 0; n < 10; n++) {
      await wait(2000);
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext('2d').drawImage(video, 0, 0);
      pictures.push(canvas.toDataURL('image/png'));
    }
    await tell({pictures});
  } catch (error) {
    await tell({error: error.name + ': ' + error.message});
  }
})();
</script>"""


def main(label: str, folder: Path) -> int:
    answer: dict[str, object] = {}
    done = threading.Event()

    class Page(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode() if "label=" in self.path else b"")

        def do_POST(self) -> None:
            answer.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            done.set()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        address = f"http://127.0.0.1:{server.server_port}/?label={label}"
        command = [program, *FLAGS, f"--user-data-dir={profile}", address]
        nowhere = subprocess.DEVNULL  # its children would keep a pipe open
        browser = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, start_new_session=True)
        answered = done.wait(TIMEOUT_S)
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait(300)
    pictures = answer.get("pictures")
    if not answered or not isinstance(pictures, list):
        print(answer.get("error", f"no answer in {TIMEOUT_S} s"))
        return 1
    for number, picture in enumerate(pictures):
        (folder / f"browser-{number}.png").write_bytes(base64.b64decode(str(picture).split(",")[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
