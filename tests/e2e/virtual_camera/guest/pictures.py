"""The film on the webcam, and how frames that come back are judged against it.

Every frame of the film carries its number twice, as black and white blocks in its upper and its lower left corner: a
frame that comes back tells which one it was, and a torn one carries two numbers.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np

from tests.e2e.virtual_camera.guest.guest_tools import OUT, SIZE, Image, is_blank

CLIP = "/share/anonymizer/sample/talking_head.mp4"
VIEW = "crop=iw:ih*3/4:0:ih/16,scale=320:240,fps=5"
FILM = Path("/tmp/film.nut")
BITS, BLOCK = 6, 14
DIFFERENT = 3  # frames of the webcam that a viewer has to see at least
FACE = (slice(62, 172), slice(115, 205))  # eyes, nose and mouth of the clip in this view
HEAD = (slice(0, 240), slice(60, 260))  # all that a cover may change
RAW_FACE = 6.0  # mean grey levels; the webcam itself, read by the same reader, has to come out below half of it


def film() -> Image:
    """Makes FILM; what it shows, (N, 240, 320, 3) BGR."""
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24"]
    decode = ["ffmpeg", "-loglevel", "error", "-i", CLIP, "-vf", VIEW, *raw, "-"]
    data = subprocess.run(decode, capture_output=True, check=True).stdout
    frames = np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)[: 1 << BITS].copy()
    for number, frame in enumerate(frames):
        for bit in range(BITS):
            place = slice(bit * BLOCK, (bit + 1) * BLOCK)
            frame[:BLOCK, place] = frame[-BLOCK:, place] = 235 if number >> bit & 1 else 20
    encode = ["ffmpeg", "-loglevel", "error", "-y", *raw, "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", "5", "-i", "-"]
    encode += ["-c:v", "rawvideo", "-pix_fmt", "yuyv422", str(FILM)]
    subprocess.run(encode, input=frames.tobytes(), check=True)
    return frames


def number_of(rows: Image) -> int | None:
    """What the blocks say; None where they are neither black nor white."""
    middle = BLOCK // 2
    levels = [float(rows[middle - 2 : middle + 2, bit * BLOCK + middle].mean()) for bit in range(BITS)]
    if any(90 < level < 165 for level in levels):
        return None
    return sum(1 << bit for bit, level in enumerate(levels) if level > 128)


def raw_distance(frame: Image, shown: Image) -> float:
    """From the face of the most similar frame of the film, mean grey levels."""
    faces = shown[(slice(None), *FACE)].astype(np.int16)
    return float(np.abs(faces - frame[FACE]).mean((1, 2, 3)).min())


def judged(frames: list[Image], shown: Image, who: str) -> str:
    """Fails on a raw face, a torn frame, a scene that is not the webcam's, or fewer than DIFFERENT ones."""
    nearest, scene, numbers = [], [], set()
    pictures = [frame for frame in frames if not is_blank(frame)]
    assert pictures, f"{who}: all {len(frames)} frames are blank"
    for place, frame in enumerate(pictures):
        upper, lower = number_of(frame[:BLOCK]), number_of(frame[-BLOCK:])
        assert upper is not None, f"{who}, frame {place}: the number cannot be read"
        assert upper == lower, f"{who}, frame {place}: torn, {upper} above and {lower} below"
        assert upper < len(shown), f"{who}, frame {place}: number {upper} of {len(shown)}"
        if upper not in numbers:
            cv2.imwrite(str(OUT / f"{who}-{upper}.png"), frame)
        numbers.add(upper)
        nearest.append(raw_distance(frame, shown))
        rest = np.abs(shown[upper].astype(np.int16) - frame)
        rest[HEAD] = 0
        scene.append(float(rest.sum() / (rest.size * (1 - (HEAD[1].stop - HEAD[1].start) / SIZE[0]))))
    words = (
        f"{who}: {len(pictures)} frames, {len(numbers)} different, raw face {min(nearest):.1f}, scene {max(scene):.1f}"
    )
    assert min(nearest) > RAW_FACE, f"{words}: a raw face"
    assert max(scene) < 5, f"{words}: not the webcam's scene"
    assert len(numbers) >= DIFFERENT, f"{words}: hardly any"
    return words
