"""Finds hands near faces: MediaPipe's palm detector and hand landmarks on LiteRT, looked at several times.

What happens around the networks follows MediaPipe's published graphs (modules/palm_detection, modules/hand_landmark:
2016 anchors on 24×24 and 12×12 cells, region 2.6 times the palm and shifted by half of it towards the fingers).
Every hand is looked at again in regions that are turned, moved, grown and mirrored a little: how far the answers lie
apart says how far each point may be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Floats
from anonymizer.frames import RgbImage
from anonymizer.guard.hands import finger_px
from anonymizer.perceive.hand_evidence import doubting
from anonymizer.perceive.network import Network
from anonymizer.weights.locate import weight_bytes

PALM_PX, HAND_PX, POINTS = 192, 224, 21
WRIST, MIDDLE = 0, 9  # joints; the latter where the middle finger begins
REGION_SCALE, REGION_SHIFT = 2.6, 0.5
LEAST_PALM, LEAST_PRESENCE = 0.4, 0.3  # presence of every look; how far looks lie apart judges the rest
SAME_PALM = 0.4  # of a palm's side
FIRST_LOOKS, LEAST_AGREED, MOST_APART = 3, 3, 0.12  # joints; of the palm's length
AROUND_FACE = 2.2  # side of the square looked at, over the face's longer side: hands that reach the face lie in it
# Turn (radians), growth, shift along x and y (shares of the side), mirrored: of each further look.
LOOKS = (
    (0.0, 1.0, 0.0, 0.0, False),
    (0.22, 1.1, 0.04, 0.0, False),
    (-0.22, 1.0, -0.04, 0.03, False),
    (0.1, 0.9, 0.0, -0.03, True),
    (-0.1, 1.2, 0.0, 0.04, True),
    (0.3, 0.95, 0.0, 0.0, False),
    (-0.3, 1.05, 0.0, 0.0, True),
    (0.0, 1.3, 0.0, 0.0, False),
)


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """points_px: (21, 2) float64 in frame px, MediaPipe's order, the median of all looks. spread_px: (21,), how far the
    second most distant look lies from it, or more where colours speak against a bone. presence: the least, [0, 1]."""

    points_px: npt.NDArray[np.float64]
    spread_px: npt.NDArray[np.float64]
    presence: float

    @property
    def palm_px(self) -> float:
        """From the wrist to the middle finger's root."""
        return float(np.linalg.norm(self.points_px[MIDDLE] - self.points_px[WRIST]))

    @property
    def box(self) -> Box:
        (x0, y0), (x1, y1) = self.points_px.min(0), self.points_px.max(0)
        return Box(float(x0), float(y0), float(x1), float(y1))


@dataclass(frozen=True, slots=True)
class _Region:
    center: tuple[float, float]
    side_px: float
    turn_rad: float

    def frame_from_input(self, mirrored: bool) -> npt.NDArray[np.float64]:
        """(2, 3), from px of the network's input."""
        scale, half = self.side_px / HAND_PX, HAND_PX / 2
        c, s = math.cos(self.turn_rad) * scale, math.sin(self.turn_rad) * scale
        turn = np.array([[c, -s], [s, c]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        return np.hstack([turn, (np.array(self.center) - turn @ [half, half])[:, None]])

    def moved(self, turn: float, growth: float, dx: float, dy: float) -> _Region:
        x, y = self.center
        side = self.side_px * growth
        return _Region((x + dx * self.side_px, y + dy * self.side_px), side, self.turn_rad + turn)


class HandFinder:
    """Holds both networks."""

    def __init__(self, threads: int = 1) -> None:
        self._palm = Network(weight_bytes("palm_detection"), "palm detection", threads)
        self._hand = Network(weight_bytes("hand_landmark"), "hand landmarks", threads)

    def find(self, rgb: RgbImage, faces: Iterable[Box]) -> tuple[Hand, ...]:
        """Hands in or near any of the faces; each once."""
        found: list[Hand] = []
        for face in faces:
            for region in self._palms(rgb, face):
                hand = self._look(rgb, region)
                if hand is not None and not any(_same(hand, other) for other in found):
                    found.append(hand)
        return tuple(found)

    def _palms(self, rgb: RgbImage, face: Box) -> list[_Region]:
        side = max(face.width, face.height) * AROUND_FACE
        (x, y), scale = face.center, PALM_PX / side
        matrix = np.array([[scale, 0, PALM_PX / 2 - scale * x], [0, scale, PALM_PX / 2 - scale * y]])
        seen = cv2.warpAffine(_shrinkable(rgb, scale), _half(matrix), (PALM_PX, PALM_PX), flags=cv2.INTER_LINEAR)
        regressed, logits = _by_width(self._palm.run(np.asarray(seen, np.float32) / np.float32(255)), 18)
        score = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        chosen: list[tuple[npt.NDArray[np.float64], float]] = []
        out = []
        for at in sorted(np.nonzero(score >= LEAST_PALM)[0], key=lambda each: -score[each]):
            row = regressed[0, at].astype(np.float64) / PALM_PX
            center, size = row[:2] + _ANCHORS[at], float(max(row[2:4]))
            if any(np.linalg.norm(center - other) < SAME_PALM * max(size, its) for other, its in chosen):
                continue
            chosen.append((center, size))
            points = row[4:].reshape(7, 2) + _ANCHORS[at]
            out.append(_region(center, row[2:4], points, scale, (x, y)))
        return out

    def _look(self, rgb: RgbImage, region: _Region) -> Hand | None:
        looks, presence = [], 1.0
        for turn, growth, dx, dy, mirrored in LOOKS:
            points, sure = self._points(rgb, region.moved(turn, growth, dx, dy), mirrored)
            presence = min(presence, sure)
            if presence < LEAST_PRESENCE or not np.isfinite(points).all():
                return None
            looks.append(points)
            if len(looks) == FIRST_LOOKS and not _may_be_sure(np.stack(looks)):
                return None
        every = np.stack(looks)
        middle = np.median(every, axis=0)
        apart = np.sort(np.linalg.norm(every - middle, axis=2), axis=0)[-2]
        return Hand(middle, doubting(rgb, middle, apart, finger_px(middle)), presence)

    def _points(self, rgb: RgbImage, region: _Region, mirrored: bool) -> tuple[npt.NDArray[np.float64], float]:
        matrix = region.frame_from_input(mirrored)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(rgb, _half(matrix), (HAND_PX, HAND_PX), flags=flags)
        outputs = self._hand.run(np.asarray(cut, np.float32) / np.float32(255))
        points = outputs[0].reshape(POINTS, 3)[:, :2].astype(np.float64)
        return points @ matrix[:, :2].T + matrix[:, 2], float(outputs[1].item())


def _region(
    center: npt.NDArray[np.float64],
    size: npt.NDArray[np.float64],
    points: npt.NDArray[np.float64],
    scale: float,
    at: tuple[float, float],
) -> _Region:
    """From shares of the palm detector's input to a region of the frame."""
    along = points[2] - points[0]
    turn = math.atan2(along[1], along[0]) + math.pi / 2
    center = center - REGION_SHIFT * size[1] * np.array([-math.sin(turn), math.cos(turn)])
    middle = (center - 0.5) * PALM_PX / scale + at
    return _Region((float(middle[0]), float(middle[1])), float(size.max()) * REGION_SCALE * PALM_PX / scale, turn)


def _may_be_sure(looks: npt.NDArray[np.float64]) -> bool:
    """Do the first looks (N, 21, 2) agree anywhere? Most of what is no hand ends here."""
    middle = np.median(looks, axis=0)
    apart = np.sort(np.linalg.norm(looks - middle, axis=2).max(0))
    return bool(apart[LEAST_AGREED] <= MOST_APART * np.linalg.norm(middle[MIDDLE] - middle[WRIST]))


def _same(a: Hand, b: Hand) -> bool:
    return float(np.linalg.norm(a.points_px.mean(0) - b.points_px.mean(0))) < SAME_PALM * max(a.palm_px, b.palm_px)


def _half(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same transform for pixel centres at whole numbers, as cv2 has them."""
    out = matrix.copy()
    out[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
    return out


def _shrinkable(rgb: RgbImage, scale: float) -> RgbImage:
    """Blurred before it is shrunk much, so that a plain warp skips nothing."""
    if scale >= 0.6:
        return rgb
    width = round(1 / scale)
    return np.asarray(cv2.blur(rgb, (width, width)), np.uint8)


def _by_width(outputs: Iterable[Floats], width: int) -> tuple[Floats, Floats]:
    """The output whose rows have that width, and the other one."""
    first, second = outputs
    return (first, second) if first.shape[-1] == width else (second, first)


def _anchors() -> npt.NDArray[np.float64]:
    out = []
    for cells, each in ((24, 2), (12, 6)):
        at = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)
        out.append(np.repeat(grid, each, axis=0))
    return np.concatenate(out)


_ANCHORS = _anchors()
