"""What is done with boxes of faces along a track."""

from __future__ import annotations

import math

from anonymizer.faces import Box

MAX_SIZE_RATIO = 2.2


def box_distance(a: Box, b: Box) -> float:
    """Between centres, in sides of the boxes; infinite when the sizes do not go together."""
    side_a, side_b = max(a.width, a.height, 1e-6), max(b.width, b.height, 1e-6)
    if max(side_a / side_b, side_b / side_a) > MAX_SIZE_RATIO:
        return math.inf
    (ax, ay), (bx, by) = a.center, b.center
    return math.hypot(ax - bx, ay - by) / math.sqrt(side_a * side_b)


def between(a: Box, b: Box, share: float) -> Box:
    return Box(*(p + share * (q - p) for p, q in zip(corners(a), corners(b), strict=True)))


def around(a: Box, b: Box) -> Box:
    """The box that holds both."""
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))


def moved(box: Box, dx: float, dy: float) -> Box:
    return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def is_outside(box: Box, size_px: tuple[int, int]) -> bool:
    return box.x1 <= 0 or box.y1 <= 0 or box.x0 >= size_px[0] or box.y0 >= size_px[1]
