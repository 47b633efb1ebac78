"""Some frames of a clip, looked at more closely: pose, expression, gaze, motion of the points, and the identity."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anonymizer.audit.baselines import pasted_face
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.seen import Seen, box_of
from anonymizer.faces import Face, Floats
from anonymizer.frames import RgbImage
from anonymizer.geometry import rotation_from_vector
from anonymizer.perceive.motion import Motion, fit_motion
from anonymizer.persona.face_model import load_face_model

IDENTITIES = 24  # moments at which recognisers look, each at two frames in a row
FLOW_PX = 160  # side of the picture in which the flow is found

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One face of one frame. pose (6,), expression (52,), gaze (2, 2), in_head (468, 2) cm: points without the head's
    own movement."""

    pose: Array
    expression: Floats
    gaze: Floats
    in_head: Floats

    @classmethod
    def of(cls, seen: Seen) -> Side | None:
        try:
            motion: Motion = fit_motion(Face(box_of(seen), 1.0, seen.landmarks_px, seen.expression), load_face_model())
        except (ValueError, np.linalg.LinAlgError):
            return None
        shift = np.array([motion.pose[0], motion.pose[1], 0.0])
        points = seen.landmarks_px[:468].astype(np.float64) - shift
        in_head = points @ rotation_from_vector(motion.pose[3:]) / np.exp(motion.pose[2])
        return cls(motion.pose, motion.expression, motion.gaze, in_head[:, :2].astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """after: None when no face was found where the raw one was."""

    index: int
    at_s: float
    before: Side
    after: Side | None

    @classmethod
    def of(cls, index: int, at_s: float, raw: Seen, seen: Seen | None) -> Sample | None:
        before = Side.of(raw)
        return None if before is None else cls(index, at_s, before, Side.of(seen) if seen is not None else None)


@dataclass(slots=True)
class Samples:
    """firsts: frames whose identity is asked for, and that of the next one. kept: for what was kept. chips: aligned
    pictures by (kind, frame), until `embed` makes vectors of them. warp_error: of AFTER and of BEFORE, levels, from
    one frame to the next."""

    firsts: frozenset[int] = frozenset()
    kept: list[Sample] = field(default_factory=list)
    chips: dict[tuple[str, int], RgbImage] = field(default_factory=dict)
    vectors: dict[tuple[str, int], Floats] = field(default_factory=dict)
    warp_error: list[tuple[float, float]] = field(default_factory=list)
    _last: tuple[int, RgbImage, RgbImage] | None = None

    @classmethod
    def spread_over(cls, frames: int) -> Samples:
        moments = min(IDENTITIES, max(1, frames // 2))
        return cls(frozenset(int((i + 0.5) * max(1, frames - 1) / moments) for i in range(moments)))

    def wants(self, index: int) -> bool:
        return index in self.firsts or index - 1 in self.firsts

    def cut(self) -> None:
        """The next frame does not go on from this one."""
        self._last = None

    def add(self, sample: Sample | None, kept: bool) -> None:
        if sample is not None and kept:
            self.kept.append(sample)

    def keep_chips(
        self, index: int, before: RgbImage, after: RgbImage, raw: Seen, seen: Seen | None, recogniser: Recogniser
    ) -> None:
        if not self.wants(index):
            return
        where = (seen or raw).landmarks_px
        self.chips["before", index] = recogniser.chip(before, raw.landmarks_px)
        self.chips["after", index] = recogniser.chip(after, where)
        if index in self.firsts:
            self.chips["floor", index] = recogniser.chip(pasted_face(before, raw), raw.landmarks_px)
        crops = [_crop(rgb, raw) for rgb in (after, before)]
        if self._last is not None and self._last[0] == index - 1:
            self.warp_error.append((_warp_error(self._last[1], crops[0]), _warp_error(self._last[2], crops[1])))
        self._last = (index, crops[0], crops[1])

    def embed(self, recogniser: Recogniser) -> None:
        self.vectors = {key: recogniser.embed(chip) for key, chip in self.chips.items()}
        self.chips.clear()


def _crop(rgb: RgbImage, raw: Seen) -> RgbImage:
    """The face's place in the frame, (160, 160, 3); a fixed grid of the frame, so that motion stays motion."""
    import cv2

    box = box_of(raw).scaled(1.3)
    side = 2 ** int(np.ceil(np.log2(max(box.width, box.height, 16.0))))
    step = side / 8
    (cx, cy), scale = box.center, FLOW_PX / side
    cx, cy = round(cx / step) * step, round(cy / step) * step
    matrix = np.array([[scale, 0, FLOW_PX / 2 - cx * scale], [0, scale, FLOW_PX / 2 - cy * scale]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(rgb, matrix, (FLOW_PX, FLOW_PX), flags=flags), np.uint8)


def _warp_error(earlier: RgbImage, later: RgbImage) -> float:
    """Mean absolute difference, levels of 255, after the flow between the two has been taken out."""
    import cv2

    grey = [cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in (earlier, later)]
    start = np.zeros((FLOW_PX, FLOW_PX, 2), np.float32)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(grey[1], grey[0], start)
    y, x = np.mgrid[0:FLOW_PX, 0:FLOW_PX].astype(np.float32)
    moved = cv2.remap(earlier, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return float(np.abs(moved.astype(np.int16) - later).mean())
