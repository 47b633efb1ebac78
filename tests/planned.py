"""Frames with planned faces, and everything needed to render them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Mask, MotionCode, PlannedFace, PlannedHand
from anonymizer.frames import Frame, RgbImage, SafeFrame
from anonymizer.generate.classic import ClassicGenerator
from anonymizer.guard.coverage import Coverage, box_outline, fill_hole, hull, oval_outline
from anonymizer.guard.hands import sure_mask
from anonymizer.persona.bank import load_bank
from anonymizer.persona.persona import Persona, draw_persona
from anonymizer.pipeline import Anonymizer
from tests.heads import MODEL, code, random_expression, turned
from tests.joints import planned_hand_at

SIZE_PX = (320, 240)
SECRET = bytes(range(32))
Kind = Literal["persona", "tiny", "turned away", "only a box", "persona and box"]
KINDS: tuple[Kind, ...] = ("persona", "tiny", "turned away", "only a box", "persona and box")
Repaint = Callable[[np.random.Generator, tuple[int, ...]], RgbImage]


@lru_cache(maxsize=64)
def drawer(slot: int, tone: int) -> Persona:
    """Real personas of one secret, drawn once."""
    return draw_persona(SECRET, slot, tone, "any", load_bank(), MODEL)


def anonymizer(**changes: Any) -> Anonymizer:
    """A fresh renderer."""
    parts: dict[str, Any] = {
        "generator": ClassicGenerator(),
        "draw_persona": drawer,
        "model": MODEL,
        "tones_rgb": load_bank().tones,
    }
    return Anonymizer(**(parts | changes))


def room(seed: int) -> RgbImage:
    """(240, 320, 3): smooth colours, patches of skin for the tone estimate, and grain."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(40, 220, (6, 8, 3)).astype(np.float32)
    rgb = np.asarray(cv2.resize(small, SIZE_PX, interpolation=cv2.INTER_CUBIC))
    skin = np.array([205, 150, 120]) * rng.uniform(0.4, 1.1)
    for x, y in rng.integers(0, 240, (5, 2)):
        rgb[y : y + 40, x : x + 50] = skin
    return np.clip(rgb + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Actor:
    """One face through a clip. crop_scale: px of a 128 px crop to one px of the frame."""

    kind: Kind
    crop_scale: float
    center: tuple[float, float]
    turn_deg: tuple[float, float, float]
    speed: tuple[float, float]
    seed: int
    hand_turn_deg: float | None = None  # of a hand before it; None = no hand

    def hands(self, step: int) -> tuple[PlannedHand, ...]:
        """Those before it in a frame."""
        if self.hand_turn_deg is None:
            return ()
        pose, _ = self.at(step)
        x, y = (float(value) for value in pose.center_px)
        rng = np.random.default_rng(self.seed + 7)
        place = (x + 5 * pose.scale_px_per_cm * rng.uniform(-1, 1), y + 5 * pose.scale_px_per_cm * rng.uniform(-1, 1))
        palm_px = 9 * pose.scale_px_per_cm
        wrong_px = 0.02 * palm_px * rng.uniform()
        return (planned_hand_at(place, palm_px, self.hand_turn_deg, wrong_px, float(rng.uniform(0.4, 1))),)

    def at(self, step: int) -> tuple[MotionCode, Box]:
        """Its code in a frame, and a box somewhere about it."""
        rng = np.random.default_rng(self.seed)
        scale = 128 / (30 * self.crop_scale) * 1.02**step
        x, y = (c + v * step for c, v in zip(self.center, self.speed, strict=True))
        yaw, pitch, roll = self.turn_deg
        scale = 0.9 if self.kind == "tiny" else scale
        yaw = 85 if self.kind == "turned away" else yaw
        pose = code((x, y), scale, turned(yaw, pitch, roll), random_expression(rng))
        return pose, Box(x - 7 * scale, y - 9 * scale, x + 9 * scale, y + 10 * scale)


def planned(actors: Sequence[Actor], step: int) -> tuple[PlannedFace, ...]:
    """The faces of one frame."""
    faces = []
    for slot, actor in enumerate(actors):
        pose, box = actor.at(step)
        faces.append(
            PlannedFace(
                slot,
                None if actor.kind == "only a box" else pose,
                box if "box" in actor.kind else None,
                hands=actor.hands(step),
            )
        )
    return tuple(faces)


def hole_of(actors: Sequence[Actor], step: int, coverage: Coverage) -> Mask:
    """All pixels that must not matter, told apart from the pipeline's own way of finding them."""
    mask, covers = np.zeros(SIZE_PX[::-1], np.uint8), np.zeros(SIZE_PX[::-1], np.uint8)
    hands: list[PlannedHand] = []
    for actor, face in zip(actors, planned(actors, step), strict=True):
        worn = "persona" in actor.kind
        hands += face.hands if worn else ()
        filled = [mask] if worn else [mask, covers]
        if face.code is not None:
            covered = "head" if actor.kind in ("tiny", "turned away") and coverage == "face" else coverage
            for each in filled:
                fill_hole(each, hull(face.code, covered, MODEL))
        if face.cover_box is not None:
            for each in filled:
                fill_hole(each, (box_outline if coverage == "box" else oval_outline)(face.cover_box))
    mask[sure_mask(hands, covers) > 0] = 0
    return mask


def render_clip(renderer: Anonymizer, frames: Sequence[RgbImage], actors: Sequence[Actor]) -> list[SafeFrame]:
    """Every frame in order, through one renderer."""
    return [renderer.render(Frame(rgb.copy(), i, i / 30), planned(actors, i)) for i, rgb in enumerate(frames)]


def repainted(rgb: RgbImage, hole: Mask, paint: npt.NDArray[np.uint8]) -> RgbImage:
    """The frame with `paint` wherever the hole is."""
    return np.where(hole[..., None] > 0, paint, rgb)
