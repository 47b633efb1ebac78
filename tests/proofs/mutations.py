"""Damaged files: 200 seeded mutations of an MP4 and of a JPEG each. None may crash, hang, or leave anything behind.

    python -m tests.proofs.mutations [--count 200] [--kinds mp4 jpg]

Each goes through the command line in a process that is started anew when it dies. What is told: how many were refused
in words, how many were read in spite of the damage, and everything else, which must be nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import select
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.clips import make_clip
from tests.proofs.bench import ROOT, faces, files_below

HANG_S = 120.0
FAST = ["--generator", "classic", "--preset", "fast"]


def mutated(content: bytes, seed: int) -> bytes:
    """The content cut off, with bits flipped, bytes overwritten, or a piece removed, doubled or zeroed."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    kind = seed % 6
    if kind == 0:
        return bytes(data[: int(rng.integers(1, len(data)))])
    if kind in (1, 2):
        for at in rng.integers(0, len(data), int(rng.integers(1, 200 if kind == 2 else 10))):
            data[at] ^= 1 << int(rng.integers(0, 8))
        return bytes(data)
    start = int(rng.integers(0, len(data)))
    end = min(len(data), start + int(rng.integers(1, 1 + len(data) // 4)))
    piece = {3: rng.integers(0, 256, end - start, np.uint8).tobytes(), 4: b"", 5: bytes(end - start)}[kind]
    return bytes(data[:start]) + piece + bytes(data[end:])


def child() -> None:
    """Runs one file a line from stdin; tells code, words and what was left, a JSON line each."""
    from anonymizer.cli import run

    told = sys.stdout
    for line in sys.stdin:
        source = Path(line.strip())
        before = files_below(source.parent)
        verb = ["video"] if source.suffix == ".mp4" else ["image"]
        target = source.parent / f"out{source.suffix}"
        where = [str(target)] if verb == ["video"] else ["-o", str(target)]
        words = io.StringIO()
        with contextlib.redirect_stderr(words), contextlib.redirect_stdout(io.StringIO()):
            code = run([*verb, str(source), *where, *FAST])
        left = sorted(files_below(source.parent) - before)
        target.unlink(missing_ok=True)
        told.write(json.dumps({"code": code, "words": words.getvalue(), "left": left}) + "\n")
        told.flush()


class Child:
    """The process that does the work."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.proofs.mutations", "--child"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self, source: Path) -> dict[str, Any]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{source}\n")
        stdin.flush()
        if not select.select([stdout], [], [], HANG_S)[0]:
            self.process.kill()
            return {"code": "hang", "words": "", "left": []}
        line = stdout.readline()
        if not line:
            return {"code": f"crash {self.process.wait()}", "words": "", "left": []}
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def lives(self) -> bool:
        return self.process.poll() is None


def judge(answer: dict[str, Any], suffix: str) -> str:
    """One word for how it ended; what begins with "bad" must not happen."""
    code, words, left = answer["code"], answer["words"], answer["left"]
    if code == 0:
        return "read" if left == [f"out{suffix}"] else f"bad: left {left}"
    if code not in (3, 4):
        return f"bad: code {code} {words[-200:]}"
    if left:
        return f"bad: refused, but left {left}"
    if "Traceback" in words or not words.strip().splitlines()[-1].startswith("anonymizer: "):
        return f"bad: words {words[-200:]}"
    return "refused"


def prove(suffix: str, count: int) -> Counter[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = faces(10, (192, 192))
        whole = folder / f"whole{suffix}"
        if suffix == ".mp4":
            make_clip(whole, pictures, sound=True, crf=20)
        else:
            Image.fromarray(pictures[0]).save(whole, quality=90)
        content, found = whole.read_bytes(), Counter[str]()
        worker = Child()
        for seed in range(count):
            source = folder / f"{seed}{suffix}"
            source.write_bytes(mutated(content, seed))
            verdict = judge(worker.run(source), suffix)
            found[verdict] += 1
            if verdict.startswith("bad"):
                print(f"{suffix} seed {seed}: {verdict}")
            if not worker.lives:
                worker = Child()
            source.unlink()
        worker.process.kill()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--kinds", nargs="*", default=["mp4", "jpg"])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child()
        return 0
    bad = 0
    for kind in args.kinds:
        found = prove(f".{kind}", args.count)
        print(f"{kind}: {args.count} mutations: {dict(found)}")
        bad += sum(number for verdict, number in found.items() if verdict.startswith("bad"))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
