"""Pictures to look at: personas side by side, and moments of a clip before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymizer.adapters.safe_write import safe_target
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.faces import MotionCode
from anonymizer.generate.guide import draw, pose, texture_mips
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.persona import Persona

CELL_PX = (176, 208)
BACKGROUND_RGB = (214, 214, 210)
GAP_PX = 6


def sheet_of_personas(personas: Sequence[Persona], model: FaceModel) -> npt.NDArray[np.uint8]:
    """All personas at rest, eight in a row."""
    return grid([portrait(persona, model) for persona in personas], 8)


def portrait(persona: Persona, model: FaceModel) -> npt.NDArray[np.uint8]:
    """(208, 176, 3) uint8: a persona at rest, looking into the camera."""
    width, height = CELL_PX
    code = MotionCode(
        center_px=np.array([width / 2, height * 0.49], np.float32),
        scale_px_per_cm=width / 17.5,
        rotation=np.zeros(3, np.float32),
        expression=model.resting_expression,
        gaze=np.array([[0, -0.16]] * 2, np.float32),  # where resting eyes look, over 129 portraits
    )
    guide, covered = draw(
        pose(code, persona, texture_mips(persona.texture_rgb), model), code, slice(0, height), slice(0, width)
    )
    guide[covered == 0] = BACKGROUND_RGB
    return guide


def before_and_after(before: Path, after: Path, moments: int) -> npt.NDArray[np.uint8]:
    """Two rows: `moments` frames of one clip, and the same of the other."""
    shown = [_moments(path, moments) for path in (before, after)]
    return grid([*shown[0], *shown[1]], moments)


def grid(cells: Sequence[npt.NDArray[np.uint8]], columns: int) -> npt.NDArray[np.uint8]:
    """Cells of one size in rows."""
    height, width = cells[0].shape[:2]
    rows = -(-len(cells) // columns)
    out = np.full((rows * (height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX, 3), 255, np.uint8)
    for index, cell in enumerate(cells):
        y, x = (
            place * step + GAP_PX
            for place, step in zip(divmod(index, columns), (height + GAP_PX, width + GAP_PX), strict=True)
        )
        out[y : y + height, x : x + width] = cell
    return out


def save_rgb(path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    """Write a sheet (of people who do not exist) as PNG; an existing one is replaced. Raises SinkError."""
    from PIL import Image

    with safe_target(path, [], overwrite=True) as part:
        Image.fromarray(rgb).save(part, format="PNG")


def _moments(path: Path, count: int) -> list[npt.NDArray[np.uint8]]:
    reader = VideoReader(path, 1)
    frames = []
    try:
        while (frame := reader.read()) is not None:
            frames.append(frame.rgb)
    finally:
        reader.close()
    return [frames[round((i + 0.5) * len(frames) / count - 0.5)] for i in range(count)]
