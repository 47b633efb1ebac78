"""PyPI's deface fed as `live` is: a clip at its own pace, newest frame wins, blur in place of a persona.

    python -m venv VENV && VENV/bin/pip install deface onnxruntime
    VENV/bin/python tests/live/rival_deface.py CLIP 60 [WIDTHxHEIGHT of its detector, as deface's --scale]

Imports nothing of this project, so that it runs where deface is installed: deface brings an OpenCV of its own.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import cv2
import numpy as np

SIZE_PX = (1280, 720)


class Newest:
    """The clip in a loop at its own pace; only the newest frame is kept."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._frame: tuple[float, Any] | None = None
        self.captured = 0
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        due_s = time.monotonic()
        while True:
            clip = cv2.VideoCapture(self._path)
            period_s = 1 / clip.get(cv2.CAP_PROP_FPS)
            while (frame := clip.read()[1]) is not None:
                x, y = (max(0, frame.shape[1] - SIZE_PX[0]) // 2, max(0, frame.shape[0] - SIZE_PX[1]) // 2)
                rgb = np.ascontiguousarray(frame[y : y + SIZE_PX[1], x : x + SIZE_PX[0], ::-1])
                due_s = max(due_s + period_s, time.monotonic())
                time.sleep(max(0.0, due_s - time.monotonic()))
                with self._changed:
                    self._frame = (time.monotonic(), rgb)
                    self.captured += 1
                    self._changed.notify_all()

    def take(self) -> tuple[float, Any]:
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None)
            assert self._frame is not None
            frame, self._frame = self._frame, None
            return frame


def main(path: str, seconds: float, scale: str | None) -> None:
    from deface.centerface import CenterFace
    from deface.deface import anonymize_frame

    in_shape = tuple(int(side) for side in scale.split("x")) if scale else None
    network = CenterFace(in_shape=in_shape, backend="auto")
    source = Newest(path)
    ages_ms: list[float] = []
    wall_s, cpu_s = time.monotonic(), time.process_time()
    while time.monotonic() - wall_s < seconds:
        at_s, rgb = source.take()
        found, _ = network(rgb, threshold=0.2)
        anonymize_frame(found, rgb, 1.3, "blur", True, False, None, 20)
        ages_ms.append((time.monotonic() - at_s) * 1e3)
    took_s = time.monotonic() - wall_s
    report = {
        "detector": scale or "as the frame",
        "distinct_per_s": len(ages_ms) / took_s,
        "captured_per_s": source.captured / took_s,
        "latency_p50_ms": float(np.percentile(ages_ms, 50)),
        "latency_p95_ms": float(np.percentile(ages_ms, 95)),
        "cpu_cores": (time.process_time() - cpu_s) / took_s,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
