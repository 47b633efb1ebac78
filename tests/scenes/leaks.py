"""Counts leaks: frames in which any pixel of a true inner face region (eyes, nose, mouth) left unreplaced.

    report = LeakReport()
    report.add(safe, made)                 # SafeFrame and the MadeFrame of the same source index
    report.leaks == []

Two ways to see a leak. From outside, `unreplaced`: pixels that left as they came in. Every made frame has grain, so a
pixel repainted differs by chance; a few equal ones are chance, `TOGETHER` of them side by side are not. From inside,
`outside_hole`: with the erased mask in hand, a single pixel of the region that is not in it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Mask
from anonymizer.frames import RgbImage, SafeFrame, Verdict
from tests.scenes.layers import Bools, TrueFace
from tests.scenes.scene import MadeFrame

TOGETHER = 4  # equal px side by side; over 330 repainted frames of all stories there were 2 at most
OVAL_SCALE = 1.8  # of the inner region's box, to that of the face from ear to ear and hair line to chin
COUNTS = ("frames", "faces", "free", "needless", "plain", "replaced", "blanked", "excess_px", "true_px")
PLAIN_PX, PLAIN_SHARE, PLAIN_YAW = 64.0, 0.98, 35.0


@dataclass(frozen=True, slots=True)
class Leak:
    """What of whom was seen in which frame. pixels: of the inner region."""

    index: int
    person: int
    pixels: int
    shown: int
    verdict: Verdict
    width_px: float
    yaw: float

    def __str__(self) -> str:
        return (
            f"frame {self.index}: person {self.person}, {self.width_px:.0f} px, yaw {self.yaw:.0f}: "
            f"{self.pixels} of {self.shown} px, verdict {self.verdict.value}"
        )


def unreplaced(out: RgbImage, raw: RgbImage, face: TrueFace) -> int:
    """How many px of a face's inner region left as they came; 0 where it may be chance."""
    where = face.where
    same = (out[where] == raw[where]).all(2) & face.inner
    if not same.any():
        return 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(same.astype(np.uint8), connectivity=8)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0
    return int(same.sum()) if largest >= min(TOGETHER, int(face.inner.sum())) else 0


def outside_hole(hole: Mask, face: TrueFace) -> int:
    """How many px of a face's inner region the erased mask (H, W) does not hold."""
    return int((face.inner & (hole[face.where] == 0)).sum())


def changed(out: RgbImage, raw: RgbImage) -> Bools:
    """(H, W): where the output differs from the raw frame."""
    return np.asarray((out != raw).any(2))


def is_plain(face: TrueFace) -> bool:
    """A face of 64 px or more that nothing hides and that looks about into the camera."""
    return face.width_px >= PLAIN_PX and face.share >= PLAIN_SHARE and abs(face.yaw) <= PLAIN_YAW


def is_about(face: TrueFace, shape: tuple[int, ...]) -> bool:
    """Is any part of the face's oval within the frame, hidden or not? An ear or a cheek is covered with reason."""
    return face.box.scaled(OVAL_SCALE).intersection(Box(0, 0, shape[1], shape[0])) > 0


@dataclass(slots=True)
class LeakReport:
    """Sums up a run. free: frames in which nobody's face is. needless: those of them with a cover. plain: frames with a
    plain face and nobody else's, not even hidden or an ear of it; replaced: those of them with the verdict REPLACED.
    blanked: nothing of the frame left. needless_at, obscured_at: which frames needless counts, and which of plain
    replaced does not.
    """

    frames: int = 0
    faces: int = 0
    free: int = 0
    needless: int = 0
    plain: int = 0
    replaced: int = 0
    blanked: int = 0
    excess_px: int = 0
    true_px: int = 0
    leaks: list[Leak] = field(default_factory=list)
    needless_at: list[int] = field(default_factory=list)
    obscured_at: list[int] = field(default_factory=list)

    @property
    def leak_frames(self) -> int:
        return len({leak.index for leak in self.leaks})

    def __str__(self) -> str:
        return (
            f"{self.leak_frames} leak frames of {self.frames} ({self.faces} faces); needless {self.needless} of "
            f"{self.free}; REPLACED {self.replaced} of {self.plain} plain; blanked {self.blanked}; "
            f"excess {100 * self.excess_share:.1f} %"
        )

    def take(self, other: LeakReport) -> None:
        """Add another run's counts; its leaks keep their frame numbers, moved on past those of this one."""
        self.leaks += [replace(leak, index=leak.index + self.frames) for leak in other.leaks]
        self.needless_at += [index + self.frames for index in other.needless_at]
        self.obscured_at += [index + self.frames for index in other.obscured_at]
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def add(self, safe: SafeFrame, made: MadeFrame, hole: Mask | None = None) -> list[Leak]:
        """Judge one frame. hole: what was erased, where the test can see it. ValueError for another frame's truth."""
        if safe.source_index != made.frame.index:
            raise ValueError(f"frame {safe.source_index} was given the truth of frame {made.frame.index}")
        return self.add_pixels(safe.rgb, safe.verdict, made, hole)

    def add_pixels(self, out: RgbImage, verdict: Verdict, made: MadeFrame, hole: Mask | None = None) -> list[Leak]:
        """The same for bare pixels, as a virtual camera or a file gives them."""
        raw = made.frame.rgb
        if out.shape != raw.shape:
            raise ValueError(f"expected an output of {raw.shape}, got {out.shape}")
        seen = made.visible
        new: list[Leak] = []
        for face in seen:
            pixels = unreplaced(out, raw, face)
            if hole is not None and verdict is not Verdict.BLANKED:
                pixels = max(pixels, outside_hole(hole, face))
            if pixels:
                shown = int(face.inner.sum())
                new.append(Leak(made.frame.index, face.person, pixels, shown, verdict, face.width_px, face.yaw))
        self.leaks += new
        self.frames += 1
        self.faces += len(seen)
        self.blanked += verdict is Verdict.BLANKED
        about = [face for face in made.faces if is_about(face, raw.shape)]
        if not about:
            self.free += 1
            if verdict is not Verdict.NO_FACE:
                self.needless += 1
                self.needless_at.append(made.frame.index)
        if len(seen) == len(about) == 1 and is_plain(seen[0]):
            self.plain += 1
            if verdict is Verdict.REPLACED:
                self.replaced += 1
            else:
                self.obscured_at.append(made.frame.index)
        return new

    def add_excess(self, hole: Mask, reference: Mask) -> None:
        """Area of the hole beyond a reference hole (H, W) drawn from the true poses."""
        self.true_px += int((reference > 0).sum())
        self.excess_px += int(((hole > 0) & (reference == 0)).sum())

    @property
    def excess_share(self) -> float:
        return self.excess_px / max(1, self.true_px)


def mask_of(faces: tuple[TrueFace, ...], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """All inner regions of a frame, (H, W)."""
    out = np.zeros(shape[:2], bool)
    for face in faces:
        out[face.where] |= face.inner
    return out
