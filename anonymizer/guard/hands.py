"""Hands that stay in front of a face: which of their pixels may be seen, and how the rest of them is drawn.

Both follow from the joints alone. Sure are the cores of fingers and palm, thinner by as much as the joints may be
wrong: only they are shown as they are, so that no pixel of a face is among them. The rest of the hand inside the hole
is drawn from their colours; what really lies there is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats, Mask, PlannedHand
from anonymizer.frames import RgbImage

FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))  # MediaPipe's joints
KNUCKLES = (5, 9, 13, 17)
PALM = (0, *KNUCKLES)
BACK = (0, 1, *KNUCKLES)
# Of a finger's half breadth, and of what its joints may be wrong by. Tried on 400 made frames with 69 hands out of
# photos and clips: no pixel of an inner face with these, 1 to 20 px in 1 to 5 frames with cores of .75 and .9.
OF_KNUCKLES, OF_PALM = 0.38, 0.075
CORE, WRONG_BY, MOST_WRONG = 0.6, 0.8, 1.0
PALM_CORE, PALM_MOST_WRONG = 0.8, 1.5  # the palm's corners, about its middle
TIP_BREADTH = 0.85  # of the breadth at the tip; the last bone is never core: its end is told worst
DRAWN_BREADTH, DRAWN_WRONG, PALM_GROWTH = 1.2, 2.0, 1.08  # a bone that may be wrong by more is not drawn
LEAST_CORE_PX, LEAST_CORE_SHARE = 0.75, 0.08  # of what is drawn; of a hand with less nothing is sure
MATTE_SOFT_PX = 0.7
OUTSIDE_CORE = 0.5  # of the breadth: so far from its rim a hand gives its colour where it lies outside the hole
EDGE_SHADE = 0.16  # fingers are round: darker towards their rims
_BITS = 4
_MOST_PX = 8192


@dataclass(frozen=True, slots=True, eq=False)
class HandsInFront:
    """sure (H, W): hand and nothing else. where: rows and columns of the frame that hold all of the hands; there
    matte (h, w) float32 [0, 1], how far they stand in front, and rgb (h, w, 3), how they look."""

    sure: Mask
    where: tuple[slice, slice]
    matte: Floats
    rgb: npt.NDArray[np.uint8]


def finger_px(points_px: npt.NDArray[np.floating]) -> float:
    """Half a finger's breadth, at least: no way from knuckle to knuckle or to the wrist looks longer than it is.

    points_px: (21, 2).
    """
    knuckles = np.linalg.norm(np.diff(points_px[list(KNUCKLES)], axis=0), axis=1).mean()
    return float(max(OF_KNUCKLES * knuckles, OF_PALM * np.linalg.norm(points_px[9] - points_px[0])))


def sure_mask(hands: Sequence[PlannedHand], covered: Mask) -> Mask:
    """(H, W), 255 where a frame surely shows one of the hands, and `covered` (H, W) is 0."""
    mask = np.zeros_like(covered)
    for hand in hands:
        mask |= _sure(hand, covered.shape)
    return np.asarray(cv2.bitwise_and(mask, cv2.bitwise_not(covered)), np.uint8)


def sure_share(hand: PlannedHand) -> float:
    """How much of the whole hand is surely known, 0 to 1."""
    low, high = hand.points_px.min(0), hand.points_px.max(0)
    margin = 2 * finger_px(hand.points_px) + 2
    width, height = (int(np.clip(side, 1, _MOST_PX)) for side in high - low + 2 * margin)
    local = PlannedHand(hand.points_px - low + np.float32(margin), hand.spread_px)
    drawn = np.count_nonzero(drawn_mask(local, (height, width)))
    return float(np.count_nonzero(_sure(local, (height, width))) / max(1, int(drawn)))


def drawn_mask(hand: PlannedHand, shape: tuple[int, ...]) -> Mask:
    """(H, W), 255 on the whole hand, but for what is too unsure to be drawn."""
    mask = np.zeros(shape[:2], np.uint8)
    points, wrong, half = hand.points_px, hand.spread_px, finger_px(hand.points_px)
    for a, b, is_tip in _bones():
        if max(wrong[a], wrong[b]) <= DRAWN_WRONG * half:
            _capsule(mask, points[a], points[b], half * DRAWN_BREADTH * (TIP_BREADTH if is_tip else 1.0))
    _polygon(mask, points[list(BACK)], PALM_GROWTH)
    return mask


def in_front(rgb: RgbImage, hole: Mask, covered: Mask, hands: Sequence[PlannedHand]) -> HandsInFront | None:
    """The hands before the hole of a raw frame, but for what is `covered`; None when there are none.

    rgb (H, W, 3); hole, covered (H, W). Of what lies in the hole only sure pixels are read.
    """
    if not hands:
        return None
    sure = sure_mask(hands, covered)
    sharp, breadth = np.zeros(hole.shape, np.float32), 1.0
    for hand in hands:
        breadth = max(breadth, finger_px(hand.points_px))
        sharp = np.maximum(sharp, np.float32(hand.strength / 255) * drawn_mask(hand, hole.shape))
    sharp[covered > 0] = 0
    if not (hole[sharp > 0] > 0).any():
        return None
    matte = np.asarray(cv2.GaussianBlur(sharp, (0, 0), MATTE_SOFT_PX), np.float32)
    matte[covered > 0] = 0
    x, y, width, height = cv2.boundingRect((matte > 0).astype(np.uint8))
    where = slice(y, y + height), slice(x, x + width)
    width = 2 * round(OUTSIDE_CORE * breadth) + 1
    core = cv2.erode((sharp[where] > 0).astype(np.uint8) * np.uint8(255), np.ones((width, width), np.uint8))
    known = np.where(hole[where] > 0, sure[where], core).astype(np.uint8)
    if not known.any():
        return None  # nothing tells the hand's colour
    drawn = _spread(np.asarray(cv2.copyTo(rgb[where], known), np.uint8), known, breadth)
    shown = np.where(((hole[where] == 0) | (sure[where] > 0))[..., None], rgb[where], drawn)
    return HandsInFront(sure, where, matte[where], shown)


def _sure(hand: PlannedHand, shape: tuple[int, ...]) -> Mask:
    """(H, W), 255 where a frame surely shows the hand; empty when little of it is sure."""
    mask = np.zeros(shape[:2], np.uint8)
    points, wrong, half = hand.points_px, hand.spread_px, finger_px(hand.points_px)
    for a, b, is_tip in _bones():
        error = float(max(wrong[a], wrong[b]))
        breadth = CORE * half - WRONG_BY * error
        if not is_tip and error <= MOST_WRONG * half and breadth >= LEAST_CORE_PX:
            _capsule(mask, points[a], points[b], breadth - 0.5)  # a filled shape takes every pixel that it touches
    error = float(wrong[list(PALM)].max())
    if error <= PALM_MOST_WRONG * half:
        palm = np.zeros_like(mask)
        _polygon(palm, points[list(PALM)], PALM_CORE)
        width = 2 * int(np.ceil(error)) + 1
        mask |= np.asarray(cv2.erode(palm, np.ones((width, width), np.uint8)), np.uint8)
    enough = np.count_nonzero(mask) >= LEAST_CORE_SHARE * np.count_nonzero(drawn_mask(hand, shape))
    return mask if enough else np.zeros_like(mask)


def put_in_front(out: npt.NDArray[np.uint8], hands: HandsInFront) -> None:
    """Lay the hands over the picture (H, W, 3), in place."""
    share = hands.matte[..., None]
    mixed = out[hands.where] * (1 - share) + hands.rgb * share
    out[hands.where] = np.rint(mixed).astype(np.uint8)


def _spread(rgb: npt.NDArray[np.uint8], known: Mask, breadth_px: float) -> npt.NDArray[np.uint8]:
    """(h, w, 3): everywhere the colour of the nearest known pixel, softened, and darker further from it."""
    distance, labels = cv2.distanceTransformWithLabels(
        cv2.bitwise_not(known), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    at = known > 0
    of_label[labels[at]] = rgb[at]
    nearest = cv2.GaussianBlur(of_label[labels], (0, 0), max(0.5, 0.25 * breadth_px))
    shade = 1 - EDGE_SHADE * np.clip(distance / breadth_px, 0, 1) ** 2
    return np.asarray(np.rint(nearest * shade[..., None]), np.uint8)


def _bones() -> list[tuple[int, int, bool]]:
    return [(a, b, b == finger[-1]) for finger in FINGERS for a, b in pairwise(finger)]


def _capsule(mask: Mask, a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], half_px: float) -> None:
    along = b - a
    length = float(np.linalg.norm(along))
    if length > 0:
        across = np.array([-along[1], along[0]]) / length * half_px
        _fill(mask, np.stack([a + across, b + across, b - across, a - across]))
    for end in (a, b):
        cv2.circle(mask, _fixed(end), round(half_px * (1 << _BITS)), 255, -1, cv2.LINE_8, _BITS)


def _polygon(mask: Mask, points: npt.NDArray[np.float32], scale: float) -> None:
    middle = points.mean(0)
    _fill(mask, cv2.convexHull(((points - middle) * scale + middle).astype(np.float32))[:, 0])


def _fill(mask: Mask, points: npt.NDArray[np.floating]) -> None:
    corners = np.array([_fixed(point) for point in points], np.int32)
    cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_8, _BITS)


def _fixed(point: npt.NDArray[np.floating]) -> tuple[int, int]:
    """cv2's fixed point; pixel centres are at .5 here and at 0 there."""
    x, y = (round((float(np.clip(value, -2e4, 2e4)) - 0.5) * (1 << _BITS)) for value in point)
    return x, y
