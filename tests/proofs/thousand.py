"""A thousand photos, one of them broken: images a second, memory over time, and what is told.

python -m tests.proofs.thousand [--count 1000] [--preset balanced]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.proofs.bench import ROOT, sample_frames

SIZE_PX = (640, 480)


def make_photos(folder: Path, count: int) -> None:
    """Frames of the sample, each cut out and lit a little otherwise; the one in the middle is cut off."""
    rng, frames = np.random.default_rng(0), sample_frames()
    for number in range(count):
        y, x = int(rng.integers(0, 161)), 0
        rgb = frames[number % len(frames)][y : y + SIZE_PX[1], x : x + SIZE_PX[0]]
        lit = np.clip(rgb * float(rng.uniform(0.7, 1.1)), 0, 255).astype(np.uint8)
        Image.fromarray(lit).save(folder / f"{number:04}.jpg", quality=90)
    broken = folder / f"{count // 2:04}.jpg"
    broken.write_bytes(broken.read_bytes()[:2000])


def tree_mb(pid: int) -> float:
    """Resident memory of a process and those below it."""
    total, waiting = 0.0, [pid]
    while waiting:
        at = waiting.pop()
        try:
            status = Path(f"/proc/{at}/status").read_text()
            total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
            for task in Path(f"/proc/{at}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, StopIteration):
            continue
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--preset", default="balanced")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "in", Path(name) / "out"
        folder.mkdir()
        make_photos(folder, args.count)
        command = [sys.executable, "-m", "anonymizer", "image", str(folder), "-o", str(out), "--preset", args.preset]
        process = subprocess.Popen([*command, "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        memory: list[tuple[int, float]] = []

        def watch() -> None:
            while process.poll() is None:
                done = len(list(out.glob("*.jpg"))) if out.is_dir() else 0
                memory.append((done, tree_mb(process.pid)))
                time.sleep(1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        told, _ = process.communicate()
        watcher.join()
        report = json.loads(told)
        written = len(list(out.glob("*.jpg")))
    refused = [(Path(photo["source"]).name, photo["code"]) for photo in report["refused"]]
    print(f"code {process.returncode}, {written} written, refused {refused}")
    print(
        f"{written / report['seconds']:.2f} images a second over {report['seconds']:.0f} s ({SIZE_PX}, {args.preset})"
    )
    for share in (0.1, 0.25, 0.5, 0.75, 0.95):
        at = [mb for done, mb in memory if done >= share * args.count]
        print(f"memory after {share:.0%}: {at[0]:.0f} MB" if at else "")
    good = process.returncode == 3 and written == args.count - 1 and len(refused) == 1
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
