"""Bad input of every sort through the command line: a message, an exit code, no traceback, nothing left behind.

    python -m tests.proofs.bad_input [--skip 0]

Run as root on Linux it also fills a disk, a small one of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tests.clips import make_clip
from tests.proofs.bench import anonymizer, faces

FAST = ["--generator", "classic", "--preset", "fast"]
Call = Callable[..., list[str]]


@dataclass(frozen=True)
class Case:
    """name; what to call; the exit code that is right; words that must be in the message; what may be new."""

    name: str
    arguments: list[str]
    code: int
    words: str
    new: tuple[str, ...] = ()


def cases(folder: Path) -> Iterator[Case]:
    """Each makes its input just before it is told."""
    clip = make_clip(folder / "clip.mp4", faces(6, (192, 192)), sound=True, crf=20)
    photo = folder / "photo.jpg"
    Image.fromarray(faces(1, (320, 320))[0]).save(photo)

    def video(source: Path, target: str | Path = "out.mp4") -> list[str]:
        return ["video", str(source), str(folder / target), *FAST]

    def image(source: Path, target: str | Path = "out.jpg") -> list[str]:
        return ["image", str(source), "-o", str(folder / target), *FAST]

    def made(name: str, write: Callable[[Path], object]) -> Path:
        write(folder / name)
        return folder / name

    yield Case("empty video", video(made("empty.mp4", lambda p: p.touch())), 3, "empty (0 bytes)")
    yield Case("empty photo", image(made("empty.jpg", lambda p: p.touch())), 3, "empty (0 bytes)")
    yield Case("text named .mp4", video(made("text.mp4", lambda p: p.write_text("hello " * 99))), 3, "no video")
    yield Case("text named .jpg", image(made("text.jpg", lambda p: p.write_text("hello " * 99))), 3, "no photo")
    yield Case("sound without a picture", video(made("song.mp4", song)), 3, "no moving picture")
    yield Case(
        "1×1 photo",
        image(made("dot.png", lambda p: Image.new("RGB", (1, 1)).save(p)), "dot_out.png"),
        0,
        "",
        ("dot_out.png",),
    )
    yield Case("1×1 video", video(made("dot.mkv", dot_clip), "dot_out.mp4"), 0, "", ("dot_out.mp4",))
    yield Case("7680×4320 photo", image(made("8k.jpg", eight_k), "8k_out.jpg"), 0, "", ("8k_out.jpg",))
    yield Case("7680×4320 video", video(made("8k.mp4", eight_k_clip), "8k_out.mp4"), 0, "", ("8k_out.mp4",))
    yield Case("20,000-frame GIF as a photo", image(made("long.gif", long_gif), "long_out.gif"), 3, "anonymizer video")
    yield Case("decompression bomb", image(made("bomb.png", bomb)), 3, "pixels")
    yield Case("bomb as a video", video(made("bomb.gif", gif_bomb)), 3, "")
    yield Case("folder without photos", image(made("none", lambda p: p.mkdir()), "safe"), 3, "no photo in")
    yield from outputs(folder, clip, photo, video, image)
    for name in ("a b.jpg", "📷 ünï.jpg", "two\nlines.jpg", "-dash.jpg"):
        source = made(name, lambda p: p.write_bytes(photo.read_bytes()))
        yield Case(f"name {name!r}", image(source, f"out {name}"), 0, "", (f"out {name}",))
        broken = made(f"x{name}", lambda p: p.write_text("no"))
        yield Case(f"broken, name {name!r}", image(broken, "o.jpg"), 3, "no photo")
    toml = made("bad.toml", lambda p: p.write_text("[encoder]\nquality = 3\n"))
    yield Case("TOML with an unknown key", [*video(clip), "--config", str(toml)], 2, "unknown key")
    yield Case("unknown flag", [*video(clip), "--quality", "3"], 2, "No such option")


def outputs(folder: Path, clip: Path, photo: Path, video: Call, image: Call) -> Iterator[Case]:
    """What may not be written to, and names that lead nowhere."""
    yield Case("missing file", video(folder / "gone.mp4"), 3, "does not exist")
    yield Case("folder as a video", video(folder / "none"), 3, "not a file")
    yield Case("folder as output", video(clip, "none"), 4, "is a folder")
    yield Case("no such folder", video(clip, "nowhere/out.mp4"), 4, "does not exist")
    yield Case("output is the input", video(clip, "clip.mp4"), 4, "is the input")
    (folder / "link.mp4").symlink_to(clip)
    (folder / "hard.mp4").hardlink_to(clip)
    yield Case("output links to the input", [*video(clip, "link.mp4"), "--overwrite"], 4, "is the input")
    yield Case("output is the input by a hard link", [*video(clip, "hard.mp4"), "--overwrite"], 4, "is the input")
    yield Case("photo over itself", [*image(photo, "photo.jpg"), "--overwrite"], 4, "is the input")
    (folder / "there.jpg").write_bytes(b"old")
    yield Case("output exists", image(photo, "there.jpg"), 4, "--overwrite")
    yield Case("unwritable output", video(clip, "/proc/out.mp4"), 4, "cannot write")
    yield Case("unknown ending", video(clip, "out.xyz"), 4, ".mp4")
    os.mkfifo(folder / "pipe.mp4")
    yield Case("FIFO as input", video(folder / "pipe.mp4"), 3, "not a file")
    yield Case("FIFO as output", [*video(clip, "pipe.mp4"), "--overwrite"], 4, "not an ordinary file")


def song(path: Path) -> None:
    with av.open(str(path), "w") as container:
        tone = container.add_stream("aac", rate=48_000)
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        samples.sample_rate = 48_000
        container.mux(tone.encode(samples))
        container.mux(tone.encode(None))


def dot_clip(path: Path) -> None:
    make_clip(path, [np.zeros((1, 1, 3), np.uint8)] * 3, codec="ffv1", pix_fmt="yuv444p")


def eight_k(path: Path) -> None:
    Image.fromarray(faces(1, (640, 640))[0]).resize((7680, 4320)).save(path)


def eight_k_clip(path: Path) -> None:
    make_clip(path, faces(2, (7680, 4320)), crf=40)


def long_gif(path: Path) -> None:
    """20,000 frames of 2×2."""
    first = little_gif(path)
    frame = first[first.index(b"\x2c") : -1]
    path.write_bytes(first[:-1] + frame * 19_999 + first[-1:])


def little_gif(path: Path) -> bytes:
    """A little GIF, written and read back."""
    Image.new("P", (2, 2)).save(path)
    return path.read_bytes()


def bomb(path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(path)


def gif_bomb(path: Path) -> None:
    content = bytearray(little_gif(path))
    content[6:10] = b"\xff\xff\xff\xff"  # says that it is 65535×65535
    path.write_bytes(content)


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path | None]:
    """A disk of so many KiB, or None where it cannot be had."""
    at = folder / "disk"
    at.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(at)], check=False).returncode == 0
    )
    try:
        yield at if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(at)], check=True)


def full_disk(folder: Path) -> Iterator[Case]:
    with small_disk(folder, 12) as disk:
        if disk is None:
            print("no small disk to be had here: not tried")
            return
        yield Case(
            "full disk, video", ["video", str(folder / "clip.mp4"), str(disk / "out.mp4"), *FAST], 4, "cannot write"
        )
        big = folder / "8k.jpg"
        yield Case("full disk, photo", ["image", str(big), "-o", str(disk / "out.jpg"), *FAST], 4, "cannot write")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip", type=int, default=0, help="cases to leave out, from the first on")
    args = parser.parse_args()
    wrong, number = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for make in (cases, full_disk):
            for case in make(folder):
                number += 1
                if number <= args.skip:
                    continue
                ended = anonymizer(case.arguments, folder, timeout_s=400)
                faults = []
                if ended.code != case.code:
                    faults.append(f"code {ended.code}, not {case.code}")
                if case.words not in ended.stderr or "Traceback" in ended.stderr:
                    faults.append(f"words {ended.stderr[-300:]!r}")
                if case.code and ended.message.count("\n"):
                    faults.append("more than a line")
                if ended.left != sorted(case.new):
                    faults.append(f"left {ended.left}")
                wrong += bool(faults)
                print(
                    f"{'WRONG' if faults else 'right'} {case.name}: {ended.code} {ended.message[:110]} {faults or ''}"
                )
    print(f"{wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
