"""The further looks that a still is worth: other scales, overlapping tiles, and the picture on its side or head."""

from __future__ import annotations

import math
from dataclasses import dataclass

from anonymizer.faces import Box
from anonymizer.frames import RgbImage
from anonymizer.perceive.detections import Detection

CLOSE_SIDE_PX = 320  # faces that fill the picture
TILE_PX = 960
TILE_OVERLAP_PX = 160  # a face up to this size lies whole in some tile
MAX_TILES_A_SIDE = 5
TURNED_SIDE_PX = 640
FURTHER_SIDE_PX = 448
ENLARGED_SIDE_PX = 1280  # small pictures are looked at enlarged, up to this, for faces of a few pixels


@dataclass(frozen=True, slots=True)
class View:
    """A part of the frame (x, y, width, height in px), turned clockwise by quarter `turns`, at a detector scale."""

    x: int
    y: int
    width: int
    height: int
    detector_side_px: int
    turns: int = 0

    def cut(self, rgb: RgbImage) -> RgbImage:
        return rgb[self.y : self.y + self.height, self.x : self.x + self.width]

    def to_frame(self, detection: Detection, seen_size_px: tuple[int, int]) -> Detection:
        """A detection of the turned part, back in the frame. seen_size_px: (width, height) after turning."""
        box, (width, height) = detection.box, seen_size_px
        corners = (box.x0, box.y0, box.x1, box.y1)
        for _ in range(self.turns):  # undo one clockwise quarter turn: x = y', y = width' - x'
            x0, y0, x1, y1 = corners
            corners = (y0, width - x1, y1, width - x0)
            width, height = height, width
        x0, y0, x1, y1 = corners
        roll = math.remainder(detection.roll_rad - self.turns * math.pi / 2, 2 * math.pi)
        return Detection(Box(x0 + self.x, y0 + self.y, x1 + self.x, y1 + self.y), detection.score, roll)


def still_views(size_px: tuple[int, int], detector_side_px: int) -> tuple[View, ...]:
    """The views beyond the plain one, from the likeliest to find something on."""
    width, height = size_px
    views = [View(0, 0, width, height, CLOSE_SIDE_PX)]
    larger = min(2 * max(size_px), 2 * detector_side_px, ENLARGED_SIDE_PX)
    if larger > detector_side_px:
        views.append(View(0, 0, width, height, larger))
    views += [View(0, 0, width, height, min(TURNED_SIDE_PX, max(size_px)), turns) for turns in (1, 3, 2)]
    if max(size_px) > 2 * detector_side_px:
        views += _tiles(size_px)
    return tuple(views)


def further_views(size_px: tuple[int, int]) -> tuple[View, ...]:
    """The looks that frames of a clip take in turn: on either side and on its head."""
    width, height = size_px
    side = min(FURTHER_SIDE_PX, max(size_px))
    return tuple(View(0, 0, width, height, side, turns) for turns in (1, 3, 2))


def _tiles(size_px: tuple[int, int]) -> list[View]:
    steps = [_starts(side) for side in size_px]
    (xs, width), (ys, height) = steps
    return [View(x, y, width, height, max(width, height)) for y in ys for x in xs]


def _starts(side_px: int) -> tuple[list[int], int]:
    """Where tiles begin along one side, and how long they are; few and larger on huge pictures."""
    count = min(MAX_TILES_A_SIDE, max(1, math.ceil((side_px - TILE_OVERLAP_PX) / (TILE_PX - TILE_OVERLAP_PX))))
    length = math.ceil((side_px + (count - 1) * TILE_OVERLAP_PX) / count)
    return [round(k * (side_px - length) / max(1, count - 1)) for k in range(count)], min(length, side_px)
