"""A face drawn with ellipses, which the real networks take for one: so no photo of anybody is needed in the tests."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.frames import RgbImage

SKIN, SHADE, LIP, HAIR = (224, 172, 140), (190, 130, 105), (170, 80, 80), (60, 40, 30)


def draw_face(rgb: RgbImage, center: tuple[int, int], height_px: int) -> None:
    """Draw a face `height_px` high from hair to chin into `rgb`, in place."""
    u = height_px / 100

    def ellipse(x: float, y: float, a: float, b: float, colour: tuple[int, int, int]) -> None:
        at = round(center[0] + x * u), round(center[1] + y * u)
        cv2.ellipse(rgb, at, (max(1, round(a * u)), max(1, round(b * u))), 0, 0, 360, colour, -1, cv2.LINE_AA)

    ellipse(0, -8, 43, 54, HAIR)
    ellipse(0, 62, 20, 22, SHADE)  # neck
    ellipse(0, 4, 37, 48, SKIN)
    for side in (-1, 1):
        ellipse(side * 38, 4, 5, 10, SHADE)  # ear
        ellipse(side * 16, -6, 9, 6, SHADE)  # eye socket
        ellipse(side * 16, -5, 7, 3.6, (245, 245, 245))
        ellipse(side * 16, -5, 3.4, 3.4, (70, 50, 40))
        ellipse(side * 16, -5, 1.5, 1.5, (5, 5, 5))
        ellipse(side * 16, -15, 10, 2, HAIR)  # brow
        ellipse(side * 4, 14, 3, 2, SHADE)  # nostril
    ellipse(0, 4, 3.4, 10, (236, 188, 158))
    ellipse(0, 13, 6, 4, (232, 180, 150))
    ellipse(-3, 15.5, 1.8, 1.2, (120, 70, 60))
    ellipse(3, 15.5, 1.8, 1.2, (120, 70, 60))
    ellipse(0, 29, 13, 4.5, LIP)
    ellipse(0, 28.6, 11, 0.9, (90, 30, 30))
    soft = cv2.GaussianBlur(rgb, (0, 0), max(0.6, 0.7 * u))
    rgb[:] = soft


def empty_room(width: int = 640, height: int = 360) -> RgbImage:
    """A wall, a floor and a door, with a little grain."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = (205, 200, 190)
    rgb[int(height * 0.7) :] = (130, 105, 85)
    rgb[int(height * 0.2) : int(height * 0.7), int(width * 0.7) : int(width * 0.85)] = (150, 120, 95)
    grain = np.random.default_rng(7).normal(0, 3, rgb.shape)
    return np.clip(rgb + grain, 0, 255).astype(np.uint8)
