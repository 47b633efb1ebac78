"""An open hand as joints, wherever a test wants it."""

from __future__ import annotations

import numpy as np

from anonymizer.faces import PlannedHand
from anonymizer.perceive.hands import Hand

# Wrist, then four joints a finger from thumb to little finger; y up, in palms (wrist to the middle finger's root).
_OPEN = np.array(
    [
        *[(0, 0)],
        *[(0.25, 0.2), (0.45, 0.42), (0.58, 0.62), (0.7, 0.8)],
        *[(0.24, 0.95), (0.28, 1.38), (0.31, 1.62), (0.33, 1.85)],
        *[(0, 1), (0, 1.48), (0, 1.76), (0, 2)],
        *[(-0.2, 0.95), (-0.23, 1.38), (-0.25, 1.64), (-0.26, 1.86)],
        *[(-0.39, 0.85), (-0.46, 1.18), (-0.5, 1.38), (-0.53, 1.58)],
    ]
)


def points_of(center: tuple[float, float], palm_px: float, turn_deg: float = 0.0) -> np.ndarray:
    """(21, 2): fingers up, turned clockwise about the hand's middle."""
    a = np.deg2rad(turn_deg)
    upright = (_OPEN - _OPEN.mean(0)) * [1, -1] * palm_px
    return np.asarray(upright @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + center)


def planned_hand_at(
    center: tuple[float, float], palm_px: float, turn_deg: float = 0.0, wrong_px: float = 0.0, strength: float = 1.0
) -> PlannedHand:
    """A hand whose joints may all be wrong by wrong_px."""
    points = points_of(center, palm_px, turn_deg).astype(np.float32)
    return PlannedHand(points, np.full(21, wrong_px, np.float32), strength)


def hand_at(center: tuple[float, float], palm_px: float = 60.0, wrong_px: float = 0.0) -> Hand:
    """The same as it is perceived."""
    return Hand(points_of(center, palm_px), np.full(21, wrong_px), 1.0)
