"""Make the sample clip that comes with the package: a talking head of a person who does not exist.

    python -m training make-sample --portrait FILE --out anonymizer/sample/talking_head.mp4

The portrait must be in no persona (not in configs/personas.txt). The same portrait gives the same clip.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from anonymizer.errors import InputError
from anonymizer.faces import Floats
from anonymizer.frames import Frame
from anonymizer.perceive.finder import Finder
from anonymizer.persona.bank import decode_rgb, load_bank
from anonymizer.persona.face_model import load_face_model
from training.landmark_photos import read_rgb
from training.sample_head import MovingPortrait
from training.sample_score import DURATION_S, SEED, moment, syllables
from training.sample_voice import RATE_HZ, voice

FPS_HZ = 25
SIZE_PX = 640
GRAIN = 1.2  # grey levels of a camera's noise
IRIS_RGB = (52, 36, 28)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training make-sample", description=__doc__)
    parser.add_argument("--portrait", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("anonymizer/sample/talking_head.mp4"))
    parser.add_argument("--mouth", type=int, default=0, help="which of the bank's mouths")
    parser.add_argument("--crf", type=int, default=20)
    args = parser.parse_args(argv)
    portrait = moving_portrait(args.portrait, args.mouth)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    said = syllables()
    write_clip(args.out, frames(portrait), voice(said), args.crf)
    print(f"{args.out}: {DURATION_S:g} s, {len(said)} syllables, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


def moving_portrait(path: Path, mouth: int) -> MovingPortrait:
    """InputError when the portrait is not square or has not one face."""
    rgb = read_rgb(path)
    with Finder() as finder:
        faces = finder.find(Frame(rgb))
    if len(faces) != 1 or faces[0].landmarks_px is None or rgb.shape[0] != rgb.shape[1]:
        raise InputError(
            f"{path.name} has {len(faces)} faces and {rgb.shape[1]}×{rgb.shape[0]} px; "
            "take a square portrait of one person"
        )
    teeth = decode_rgb(load_bank().teeth_webp[mouth])
    return MovingPortrait(rgb, faces[0], load_face_model(), teeth, np.array(IRIS_RGB, np.float32), SIZE_PX)


def frames(portrait: MovingPortrait) -> Iterator[npt.NDArray[np.uint8]]:
    rng = np.random.Generator(np.random.PCG64(SEED))
    said = syllables()
    for index in range(int(DURATION_S * FPS_HZ)):
        rgb = portrait.draw(moment(index / FPS_HZ, said)).astype(np.float32)
        grain = rng.normal(0, GRAIN, rgb.shape[:2]).astype(np.float32)[..., None]
        yield np.clip(rgb + grain, 0, 255).astype(np.uint8)


def write_clip(path: Path, pictures: Iterator[npt.NDArray[np.uint8]], sound: Floats, crf: int) -> None:
    """H.264 and AAC; without the encoders' names, versions and dates."""
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact", "movflags": "+faststart"}) as out:
        video = out.add_stream("libx264", rate=FPS_HZ, options={"crf": str(crf), "preset": "slow", "threads": "1"})
        video.width = video.height = SIZE_PX
        video.pix_fmt = "yuv420p"
        audio = out.add_stream("aac", rate=RATE_HZ, layout="mono")
        audio.bit_rate = 64_000
        for rgb in pictures:
            out.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(video.encode(None))
        samples = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        samples.sample_rate, samples.time_base, samples.pts = RATE_HZ, Fraction(1, RATE_HZ), 0
        out.mux(audio.encode(samples))
        out.mux(audio.encode(None))
