"""One made file of each kind through the program: what survived, what is gone, and how true the colour is.

    python -m tests.proofs.kinds [--keep DIR] [--crf N]

Colour is measured outside the faces: the anonymized file against the same file made without any change (an untouched
re-encode, of the usual quality where no --crf is given), away from all that was painted by 24 px, since codecs
work in blocks. The worst frame counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.marking import SOURCE_TYPE
from anonymizer.offline import anonymize_video
from anonymizer.perceive.clip import ClipPlanner, plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.photos import PhotoStages, anonymize_image
from anonymizer.settings import Settings, load_settings
from tests.clips import audio_packets, make_clip
from tests.fakes import Observer, PassThrough
from tests.photo_kinds import KINDS, planted_in
from tests.proofs.bench import faces
from tests.video_kinds import HLG, PQ, SDR, deep_clip, interlaced_clip, rich_clip

AWAY_PX = 24
SIZE_PX = (320, 320)


@dataclass
class Masked:
    """A renderer that remembers where it painted."""

    inner: Any
    painted: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    verdicts: set[Verdict] = field(default_factory=set)

    def render(self, frame: Frame, planned: tuple[PlannedFace, ...]) -> SafeFrame:
        safe: SafeFrame = self.inner.render(frame, planned)
        changed = (safe.rgb != frame.rgb).any(2).astype(np.uint8)
        self.painted.append(cv2.dilate(changed, np.ones((2 * AWAY_PX + 1,) * 2, np.uint8)) > 0)
        self.verdicts.add(safe.verdict)
        return safe

    def blank(self, frame: Frame) -> SafeFrame:
        safe: SafeFrame = self.inner.blank(frame)
        return safe


def away_db(one: npt.NDArray[Any], other: npt.NDArray[Any], painted: npt.NDArray[np.bool_]) -> float:
    """Peak signal to noise of the values outside `painted`."""
    height, width = painted.shape
    difference = (one[:height, :width].astype(np.float64) - other[:height, :width])[~painted]
    peak = 65535 if one.dtype == np.uint16 else 255
    error = float(np.mean(difference**2))
    return 120.0 if error == 0 else 10 * float(np.log10(peak**2 / error))


def values(path: Path) -> list[npt.NDArray[Any]]:
    """All frames in full depth."""
    reader = VideoReader(path)
    out = [f.depth.rgb16 if f.depth is not None else f.rgb for f in iter(reader.read, None)]
    reader.close()
    return out


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [(frame.pts or 0) * (frame.time_base or Fraction(1)) for frame in frames]


def tags(path: Path) -> str:
    """Codec, pixels, colour codes and side data, as a player sees them."""
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        frame: Any = next(container.decode(video=0))
        sides = sorted(str(data.type).removeprefix("Type.") for data in frame.side_data)
    codes = f"{context.color_primaries}/{context.color_trc}/{context.colorspace}/{context.color_range}"
    return f"{context.name} {context.pix_fmt} {codes} {' '.join(s for s in sides if 'UNREG' not in s)}"


def prove_video(name: str, source: Path, folder: Path, settings: Settings) -> bool:
    """Measure one clip; gives whether it is as it must be."""
    target, plain = folder / f"{name}_out.mp4", folder / f"{name}_plain.mp4"
    options = app.video_options(settings, overwrite=True)
    reader = VideoReader(source, 1, exact_colour=False)
    info = reader.info
    reader.close()
    renderer = Masked(app.build_anonymizer(settings))
    with app.build_finder(settings) as finder:
        planner = ClipPlanner(finder, load_face_model(), app.clip_settings(settings, info.fps_hz))
        report = anonymize_video(source, target, planner, renderer, options)
    anonymize_video(source, plain, Observer(), PassThrough(), options)
    one, other = values(target), values(plain)
    worst_db = min(away_db(a, b, painted) for a, b, painted in zip(one, other, renderer.painted, strict=True))
    content = target.read_bytes()
    gone = planted_in(content) + [place for place in ("48.8577",) if place.encode() in content]
    same_times = times(source) == times(target)
    sound = "none" if not info.audio else "same" if audio_packets(source) == audio_packets(target) else "other"
    wanted_db = 42 if info.deep else 45
    found = Verdict.REPLACED in renderer.verdicts
    good = worst_db >= wanted_db and not gone and same_times and sound != "other" and found and report.marked
    judged = "right" if good else "WRONG"
    print(f"{judged} {name}: {worst_db:.1f} dB, times same {same_times}, sound {sound}, found {gone}")
    verdicts = sorted(verdict.value for verdict in renderer.verdicts)
    print(f"      {tags(source)} -> {tags(target)}; left out {report.left_out}; {verdicts}", flush=True)
    return good


def prove_photo(suffix: str, folder: Path, settings: Settings, desk: tuple[Any, Any, Any]) -> bool:
    source = folder / f"photo{suffix}"
    KINDS[suffix](source, faces(1, (480, 480))[0])
    end = suffix.replace(".heic", ".jpg")
    target, plain = folder / f"photo_out{suffix}{end}", folder / f"photo_plain{suffix}{end}"
    finder, model, inner = desk
    renderer = Masked(inner)
    inner.reset()
    anonymize_image(source, target, PhotoStages(lambda f: plan_still(f, finder, model), lambda _: Observer(), renderer))
    anonymize_image(source, plain, PhotoStages(lambda _: (), lambda _: Observer(), PassThrough()))
    db = away_db(read_image(target).rgb, read_image(plain).rgb, renderer.painted[0])
    before, after = planted_in(source.read_bytes()), planted_in(target.read_bytes())
    marked = SOURCE_TYPE.encode() in target.read_bytes() or suffix == ".bmp"
    limit = 0 if suffix == ".gif" else 45  # 256 colours are shared out anew
    good = db >= limit and bool(before) and not after and marked and Verdict.REPLACED in renderer.verdicts
    print(f"{'right' if good else 'WRONG'} {suffix}: {db:.1f} dB, planted {before}, found {after}, marked {marked}")
    return good


def deep(pictures: list[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.uint16]]:
    """8-bit pictures as 16-bit ones, softened so that the steps between lie between, in the range HDR shows them."""
    smooth = [cv2.GaussianBlur(rgb.astype(np.float32), (3, 3), 0) for rgb in pictures]
    return [np.rint(np.clip(0.05 + 0.65 * rgb / 255, 0, 1) * 65535).astype(np.uint16) for rgb in smooth]


def clips(folder: Path) -> dict[str, Callable[[Path], object]]:
    """A maker for each kind of video."""
    pictures = faces(24, SIZE_PX)
    uneven = [0, 40, 90, 100, 180, 181, 250, 333, 400, 440, 520, 540, 600, 700, 710, 777, 830, 900, 990, 1000, 1100]
    return {
        "plain.mp4": lambda p: make_clip(p, pictures, sound=True, tags=True),
        "bt601.mp4": lambda p: make_clip(p, pictures, colour=(6, 1, 6, 6), swscale_matrix=5, sound=True),
        "full_range.mp4": lambda p: make_clip(p, pictures, colour=(1, 2, 1, 1)),
        "turned.mp4": lambda p: make_clip(p, [np.rot90(rgb).copy() for rgb in pictures], rotation_deg=-90, sound=True),
        "uneven.mp4": lambda p: make_clip(p, pictures[:21], ticks=uneven, time_base=Fraction(1, 1000), sound=True),
        "odd.mkv": lambda p: make_clip(p, faces(12, (319, 321)), codec="ffv1", pix_fmt="yuv444p"),
        "rich.mp4": lambda p: rich_clip(p, pictures),
        "rich.mkv": lambda p: rich_clip(p, pictures),
        "ten_bits.mp4": lambda p: deep_clip(p, deep(pictures), SDR),
        "pq.mp4": lambda p: deep_clip(p, deep(pictures), PQ),
        "hlg.mp4": lambda p: deep_clip(p, deep(pictures), HLG),
        "interlaced.mpg": lambda p: interlaced_clip(p, pictures=pictures),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="leave the files here")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--crf", type=int, help="another quality than the usual one")
    args = parser.parse_args()
    settings = load_settings(None, {"generator": "classic"})
    if args.crf is not None:
        settings = msgspec.structs.replace(settings, encoder=msgspec.structs.replace(settings.encoder, crf=args.crf))
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        folder.mkdir(exist_ok=True)
        model = load_face_model()
        with app.build_finder(settings) as finder:
            desk = finder, model, app.build_anonymizer(settings)
            for suffix in KINDS:
                if not args.only or suffix in args.only:
                    good &= prove_photo(suffix, folder, settings, desk)
        for file, make in clips(folder).items():
            if args.only and file not in args.only:
                continue
            make(folder / file)
            good &= prove_video(file.replace(".", "_"), folder / file, folder, settings)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
