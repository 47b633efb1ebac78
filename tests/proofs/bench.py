"""What the proofs share: pictures with a face that belongs to nobody, the command line in a process, and its traces."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.app import SAMPLE
from anonymizer.frames import RgbImage

ROOT = Path(__file__).parents[2]


@lru_cache(maxsize=1)
def sample_frames() -> tuple[RgbImage, ...]:
    """All frames of the sample clip, 640×640."""
    reader = VideoReader(SAMPLE, 1)
    frames = tuple(frame.rgb for frame in iter(reader.read, None))
    reader.close()
    return frames


def faces(count: int, size_px: tuple[int, int], first: int = 0) -> list[RgbImage]:
    """Frames of the sample, shrunk."""
    frames = sample_frames()
    chosen = [frames[(first + number) % len(frames)] for number in range(count)]
    return [np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_AREA), np.uint8) for rgb in chosen]


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended. left: files below the watched folder that were not there before."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    left: list[str]

    @property
    def message(self) -> str:
        """The last line, which explains."""
        lines = self.stderr.strip().splitlines()
        return lines[-1] if lines else ""


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def anonymizer(arguments: list[str], watch: Path, timeout_s: float = 120) -> Ended:
    """Run the command line, and see what it left in `watch`. A hang ends with code 124."""
    before, started_s = files_below(watch), time.perf_counter()
    command = [sys.executable, "-m", "anonymizer", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=timeout_s, check=False)
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as hung:
        code, out, err = 124, hung.stdout or b"", hung.stderr or b""
    left = sorted(files_below(watch) - before)
    seconds = time.perf_counter() - started_s
    return Ended(code, out.decode(errors="replace"), err.decode(errors="replace"), seconds, left)
