"""kill -9 at random moments of a video: what is there plays, and the resumed result is the same to the bit.

    python -m tests.proofs.kills [--count 20] [--frames 100] [--seed 0] [--since 0.05]

The same command is started, killed with its processes after a random time, and started again until it ends. Told for
each: how far it was, how many frames of the film play, and whether anything is different or left behind.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.clips import make_clip, read_frames
from tests.proofs.bench import ROOT, faces, files_below

SEGMENT = 10


def command(folder: Path, target: Path) -> list[str]:
    return [
        sys.executable, "-m", "anonymizer", "video", str(folder / "in.mp4"), str(target), "--generator", "classic",
        "--preset", "fast", "--persona-key", str(folder / "key"), "--config", str(folder / "settings.toml"), "--json",
    ]  # fmt: skip


def kill_after(folder: Path, target: Path, seconds: float) -> bool:
    """Whether it was killed before it had ended."""
    process = subprocess.Popen(
        command(folder, target), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def playable(folder: Path) -> tuple[str, int]:
    """What a kill left: its phase, and how many frames of the film can be decoded."""
    works = list(folder.glob(".anonymizer-*/"))
    if not works:
        return "start", 0
    names = {path.name for path in works[0].iterdir()}
    films = sorted(works[0].glob("film-*.mp4"), key=lambda path: path.stat().st_size)
    if "plan" not in names or not films:
        return "look", 0
    try:
        return "render", len(read_frames(films[-1]))
    except Exception as error:  # noqa: BLE001  a film without one whole frame yet
        return f"render, {type(error).__name__}", 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--since", type=float, default=0.05, help="share of a whole run before which none is killed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_clip(folder / "in.mp4", faces(args.frames, (192, 192)), sound=True, crf=16)
        (folder / "settings.toml").write_text(f"[encoder]\nsegment_frames = {SEGMENT}\n")
        target = folder / "out.mp4"
        started_s = time.perf_counter()
        subprocess.run(command(folder, target), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        whole_s = time.perf_counter() - started_s
        expected = hashlib.sha256(target.read_bytes()).hexdigest()
        target.unlink()
        usual = files_below(folder)
        print(f"uninterrupted: {whole_s:.1f} s, sha256 {expected[:16]}", flush=True)
        rng, wrong, killed = np.random.default_rng(args.seed), 0, 0
        while killed < args.count:
            moment_s = float(rng.uniform(args.since, 1.0)) * whole_s
            if not kill_after(folder, target, moment_s):
                target.unlink(missing_ok=True)
                continue
            killed += 1
            phase, frames = playable(folder)
            subprocess.run(command(folder, target), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            same = hashlib.sha256(target.read_bytes()).hexdigest() == expected
            left = files_below(folder) - usual - {"out.mp4"}
            wrong += (not same) + bool(left)
            print(
                f"{killed}: killed at {moment_s:.1f} s in {phase}; {frames} frames play; same bits {same}; left {left}",
                flush=True,
            )
            target.unlink()
    print(f"{killed} kills, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
