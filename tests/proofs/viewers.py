"""Opens what `kinds` made with the programs people have: ffprobe, Chromium, GStreamer and gdk-pixbuf.

    python -m tests.proofs.kinds --keep DIR
    python -m tests.proofs.viewers DIR

Size, duration and a decoded picture of each file must be those that PyAV or Pillow gives; HDR pictures, which each
program maps to the screen in its own way, need only not be blank. Told plainly: what a program has no decoder for.
Wants Debian's ffmpeg, chromium, gstreamer1.0-tools, -plugins-base, -good, -bad, -libav and libgdk-pixbuf2.0-bin with
its loaders for WebP and AVIF.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.proofs.browser import Shown, shown_by_browser

Picture = npt.NDArray[np.uint8]
MOST_LEVELS = 6.0  # mean difference of 255: colour matrices and chroma are computed a little otherwise everywhere
LEAST_STD = 10.0  # of a picture that is not blank
MOST_S = 0.1
NO_BROWSER_HAS = {"tiff": "no browser but Safari shows TIFF", "hevc": "HEVC needs a browser with a licence for it"}


@dataclass(frozen=True)
class Truth:
    """What a file holds. size_px: as shown. seconds: None for photos. starts_s: when its first frame is shown."""

    kind: str
    size_px: tuple[int, int]
    seconds: float | None
    frames: int
    first: Picture
    wide: bool = False  # HDR
    starts_s: float = 0.0


def truth_of(path: Path) -> Truth:
    if path.suffix not in (".mp4", ".mkv"):
        with Image.open(path) as photo:
            kind = (photo.format or "").lower()
            return Truth(kind, photo.size, None, getattr(photo, "n_frames", 1), np.asarray(photo.convert("RGB")), False)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        name, transfer = video.codec_context.name, video.codec_context.color_trc
        seconds, starts_s = (float((ticks or 0) / av.time_base) for ticks in (container.duration, container.start_time))
        frames = list(container.decode(video=0))
    first = np.asarray(frames[0].to_ndarray(format="rgb24"), np.uint8)
    return Truth(name, (first.shape[1], first.shape[0]), seconds, len(frames), first, transfer in (16, 18), starts_s)


def judged(truth: Truth, shown: Shown) -> str:
    """What is wrong, or nothing."""
    if shown.error:
        return shown.error
    if shown.size_px != truth.size_px:
        return f"size {shown.size_px} instead of {truth.size_px}"
    if truth.seconds is not None and not _lasts(truth, shown.seconds):
        return f"duration {shown.seconds} instead of {truth.seconds}"
    if shown.picture is None:
        return ""
    if float(shown.picture.std()) < LEAST_STD:
        return "blank"
    levels = off(truth, shown)
    return "" if truth.wide or levels <= MOST_LEVELS else f"{levels:.1f} levels off"


def _lasts(truth: Truth, seconds: float | None) -> bool:
    """Programs count the time before a late first frame or do not."""
    if seconds is None or truth.seconds is None:
        return False
    return truth.seconds - MOST_S <= seconds <= truth.seconds + truth.starts_s + MOST_S


def off(truth: Truth, shown: Shown) -> float:
    """Mean difference of the first picture, in levels of 255."""
    if shown.picture is None:
        return 0.0
    wanted = cv2.resize(truth.first, shown.picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    return float(np.abs(wanted.astype(np.int16) - shown.picture).mean())


def source_as_wrong(path: Path, truth: Truth, shown: Shown) -> bool:
    """Whether GStreamer shows the file that this one was made of with the same wrong colours."""
    name, _, end = path.name.partition("_out")[0].rpartition("_")
    source = path.parent / f"{name}.{end}"
    if shown.error or not source.exists():
        return False
    before = truth_of(source)
    return abs(off(before, by_gstreamer(source, before)) - off(truth, shown)) < 1


def ran(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=120, check=False)


def by_ffprobe(path: Path, truth: Truth) -> Shown:
    """All frames decoded and counted; any complaint is an error."""
    done = ran(["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)])
    if done.returncode or done.stderr:
        return Shown(done.stderr.decode().strip() or f"code {done.returncode}")
    told = json.loads(done.stdout)
    video = next(stream for stream in told["streams"] if stream["codec_type"] == "video")
    if truth.seconds is not None and int(video["nb_read_frames"]) != truth.frames:
        return Shown(f"{video['nb_read_frames']} frames instead of {truth.frames}")
    seconds = float(told["format"]["duration"]) if truth.seconds is not None else None
    return Shown("", (video["width"], video["height"]), seconds)


def by_gstreamer(path: Path, truth: Truth) -> Shown:
    """Debian's video player and file manager read with it."""
    told = ran(["gst-discoverer-1.0", "-v", str(path)])
    text = told.stdout.decode()
    size = re.search(r"Width: (\d+)\s+Height: (\d+)", text)
    length = re.search(r"Duration: (\d+):(\d+):([\d.]+)", text)
    if told.returncode or size is None or length is None:
        return Shown(f"code {told.returncode}: {text[-200:]}{told.stderr.decode()[-200:]}")
    hours, minutes, seconds = (float(part) for part in length.groups())
    with tempfile.TemporaryDirectory() as name:
        png = Path(name) / "frame.png"
        chain = f"filesrc location={path} ! decodebin ! videoconvert ! pngenc snapshot=true ! filesink location={png}"
        done = ran(["gst-launch-1.0", "-q", *chain.split()])
        if done.returncode or not png.exists():
            return Shown(f"no picture: {done.stderr.decode()[-200:]}")
        picture = np.asarray(Image.open(png).convert("RGB"), np.uint8)
    return Shown("", (int(size[1]), int(size[2])), 3600 * hours + 60 * minutes + seconds, picture)


def by_pixbuf(path: Path, truth: Truth) -> Shown:
    """Debian's picture viewers read with it."""
    with tempfile.TemporaryDirectory() as name:
        png = Path(name) / "photo.png"
        done = ran(["gdk-pixbuf-thumbnailer", "-s", str(max(truth.size_px)), str(path), str(png)])
        if done.returncode or not png.exists():
            return Shown(done.stderr.decode().strip() or "no picture")
        picture = np.asarray(Image.open(io.BytesIO(png.read_bytes())).convert("RGB"), np.uint8)
    return Shown("", (picture.shape[1], picture.shape[0]), None, picture)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what `kinds --keep` left")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="further files")
    folder, also = (args := parser.parse_args()).folder, args.also
    missing = [
        name for name in ("ffprobe", "chromium", "gst-launch-1.0", "gdk-pixbuf-thumbnailer") if not shutil.which(name)
    ]
    files = sorted(path for path in folder.iterdir() if "_out" in path.name) + also
    if missing or not files:
        print(f"missing programs: {missing}; files: {len(files)}")
        return 2
    truths = {path: truth_of(path) for path in files}
    seen = shown_by_browser({path: truth.seconds is not None for path, truth in truths.items()})
    wrong = 0
    for path, truth in truths.items():
        library, open_it = ("gstreamer", by_gstreamer) if truth.seconds is not None else ("gdk-pixbuf", by_pixbuf)
        shown, notes = open_it(path, truth), []
        found = {"ffprobe": judged(truth, by_ffprobe(path, truth)), library: judged(truth, shown)}
        found["chromium"] = judged(truth, seen[path])
        if library == "gstreamer" and "levels off" in found[library] and source_as_wrong(path, truth, shown):
            notes.append(f"GStreamer shows its source {found.pop(library)} too")
        if seen[path].error and truth.kind in NO_BROWSER_HAS:
            found.pop("chromium")
            notes.append(f"not in chromium: {NO_BROWSER_HAS[truth.kind]}")
        bad = {program: words for program, words in found.items() if words}
        wrong += bool(bad)
        about = f"{truth.kind} {truth.size_px}" + (f" {truth.seconds:.2f} s" if truth.seconds else "")
        print(f"{'WRONG' if bad else 'right'} {path.name}: {about} {'; '.join(notes)} {bad or ''}", flush=True)
    print(f"{len(files)} files, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
