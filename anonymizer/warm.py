"""Loads the compiled code and the personas that drawing needs, so that the first real frame does not wait for them."""

from __future__ import annotations

import time

import numpy as np

from anonymizer.faces import EXPRESSION_COUNT, MotionCode, PlannedFace
from anonymizer.frames import Frame
from anonymizer.pipeline import Anonymizer

GREY = 90
WARM_UP = "warm-up"  # the thread in which it is done beside a first pass


def grey_frame(size_px: tuple[int, int]) -> Frame:
    """A frame (width, height) with nobody in it."""
    width, height = size_px
    return Frame(np.full((height, width, 3), GREY, np.uint8), -1, time.monotonic())


def warm_renderer(renderer: Anonymizer, size_px: tuple[int, int] = (320, 240)) -> None:
    """Draw one persona into a grey frame of (width, height) px; the renderer forgets it."""
    width, height = size_px
    code = MotionCode(
        center_px=np.array([width / 2, height / 2], np.float32),
        scale_px_per_cm=height / 60,
        rotation=np.zeros(3, np.float32),
        expression=np.zeros(EXPRESSION_COUNT, np.float32),
        gaze=np.zeros((2, 2), np.float32),
    )
    renderer.render(grey_frame(size_px), (PlannedFace(0, code),))
    renderer.reset()


__all__ = ["WARM_UP", "grey_frame", "warm_renderer"]
