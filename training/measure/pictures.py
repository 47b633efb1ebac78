"""Contact sheets: moments of a clip before and after, whole and close."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.faces import Box
from anonymizer.sheet import grid, save_rgb

Rgb = npt.NDArray[np.uint8]
FRAME_HEIGHT_PX, CLOSE_PX = 270, 300
CLOSE_SCALE = 1.7  # of a face's box
NOTHING_RGB = 200


def moments_of(count: int, moments: int) -> list[int]:
    """Indices of `moments` frames spread evenly over `count`."""
    return sorted({min(count - 1, int((i + 0.5) * count / moments)) for i in range(moments)}) if count else []


def frames_at(path: Path, indices: Iterable[int]) -> dict[int, Rgb]:
    """Those frames of a clip, read once."""
    wanted, found = set(indices), {}
    reader = VideoReader(path, 1)
    try:
        while (frame := reader.read()) is not None:
            if frame.index in wanted:
                found[frame.index] = np.array(frame.rgb)
    finally:
        reader.close()
    return found


def save_before_and_after(path: Path, pairs: Sequence[tuple[Rgb, Rgb, Box | None]]) -> None:
    """Four rows: frames before, after; then the face of each, before and after. Nothing is written for no pairs."""
    if not pairs:
        return
    sides = [[before for before, _, _ in pairs], [after for _, after, _ in pairs]]
    whole = [[_to_height(rgb) for rgb in side] for side in sides]
    width = max(CLOSE_PX, *(cell.shape[1] for row in whole for cell in row))
    rows = [_padded(cell, width, FRAME_HEIGHT_PX) for row in whole for cell in row]
    boxes = [box for _, _, box in pairs]
    closer = [_close(rgb, box) for side in sides for rgb, box in zip(side, boxes, strict=True)]
    close = [_padded(cell, width, CLOSE_PX) for cell in closer]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheets = [grid(rows, len(pairs)), grid(close, len(pairs))]
    save_rgb(path, np.concatenate(sheets))


def _to_height(rgb: Rgb) -> Rgb:
    import cv2

    scale = FRAME_HEIGHT_PX / rgb.shape[0]
    size = (max(1, round(rgb.shape[1] * scale)), FRAME_HEIGHT_PX)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8)


def _close(rgb: Rgb, box: Box | None) -> Rgb:
    """A square around the box, at CLOSE_PX."""
    import cv2

    if box is None:
        return np.full((CLOSE_PX, CLOSE_PX, 3), NOTHING_RGB, np.uint8)
    (x, y), side = box.center, max(box.width, box.height, 8.0) * CLOSE_SCALE
    scale = CLOSE_PX / side
    matrix = np.array([[scale, 0, CLOSE_PX / 2 - x * scale], [0, scale, CLOSE_PX / 2 - y * scale]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(
        cv2.warpAffine(rgb, matrix, (CLOSE_PX, CLOSE_PX), flags=flags, borderValue=(NOTHING_RGB,) * 3), np.uint8
    )


def _padded(rgb: Rgb, width: int, height: int) -> Rgb:
    out = np.full((height, max(width, rgb.shape[1]), 3), 255, np.uint8)
    left = (out.shape[1] - rgb.shape[1]) // 2
    out[: rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return out
