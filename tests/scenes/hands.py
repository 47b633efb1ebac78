"""Frames with a hand before or behind a face, and how many pixels of anything but the hand count as surely the hand.

Each frame stands alone, as a photo does: what a clip asks for on top (a hand seen for some frames) is left away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from anonymizer.guard.hands import sure_mask
from anonymizer.perceive.hands import HandFinder
from anonymizer.perceive.hands_in_time import planned_hand
from tests.scenes.camera import Camera, room
from tests.scenes.hand_cutouts import HandCutout
from tests.scenes.layers import Bools, Layer, Pose, stack
from tests.scenes.recall import Cast
from tests.scenes.scene import Actor, MadeFrame, Scene, made_frame
from tests.scenes.things import hand as flat_hand

SIZE_PX = (480, 360)
FACE_SCALE, NEAR_SCALE = 1.6, 1.8  # of the inner region's box: the face, and what is counted about it
CAMERAS = (
    *(Camera(), Camera(), Camera(0.3, noise=3), Camera(1.5), Camera(blur_px=5), Camera(noise=5, jpeg=25)),
    Camera(0.7, (1.2, 0.6, 0.5), noise=3),
)


@dataclass(frozen=True, slots=True)
class _Still:
    """A Person who is one picture."""

    layer: Layer

    def draw(self, pose: Pose) -> Layer:
        return self.layer


@dataclass(slots=True)
class HandReport:
    """shown: frames with sure pixels. face_px, face_frames: of an inner face among them; other_px, other_frames: of
    whatever is not the hand. kept_px of hand_px: what of the hand near the face is sure."""

    frames: int = 0
    shown: int = 0
    face_px: int = 0
    face_frames: int = 0
    other_px: int = 0
    other_frames: int = 0
    kept_px: int = 0
    hand_px: int = 0
    bad: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.frames} frames: {self.face_px} face px in {self.face_frames}, {self.other_px} other px in "
            f"{self.other_frames}; seen in {self.shown}, {100 * self.kept_px / max(1, self.hand_px):.1f} % of it sure"
        )

    def add(self, number: int, made: MadeFrame, hand: Bools, sure: Bools) -> None:
        face = next(face for face in made.faces if face.width_px)
        box, near = face.box.scaled(NEAR_SCALE), np.zeros(sure.shape, bool)
        near[max(0, int(box.y0)) : max(0, int(box.y1)), max(0, int(box.x0)) : max(0, int(box.x1))] = True
        sure = sure & near
        inner, other = int((sure & face.within(sure.shape)).sum()), int((sure & ~hand).sum())
        self.frames += 1
        self.shown += bool(sure.any())
        self.face_px += inner
        self.face_frames += inner > 0
        self.other_px += other
        self.other_frames += other > 0
        self.kept_px += int((sure & hand).sum())
        self.hand_px += int((hand & near).sum())
        if other:
            self.bad.append(number)


def sure_pixels(made: MadeFrame, finder: HandFinder) -> Bools:
    """(H, W): what the product would show of hands before this frame's face."""
    box = next(face for face in made.faces if face.width_px).box.scaled(FACE_SCALE)
    hands = [planned_hand(hand) for hand in finder.find(made.frame.rgb, [box])]
    return np.asarray(sure_mask(hands, np.zeros(made.frame.rgb.shape[:2], np.uint8)) > 0)


def hand_frame(seed: int, cast: Cast, hands: Sequence[HandCutout], behind: bool = False) -> tuple[MadeFrame, Bools]:
    """A frame and its hand, (H, W) bool as far as it is in sight. Without cut-outs flat made hands."""
    rng = np.random.default_rng((seed, behind))
    size = float(rng.uniform(60, 190))
    pose = Pose(
        (240 + rng.uniform(-40, 40), 170 + rng.uniform(-20, 20)),
        size,
        float(rng.uniform(-30, 30)),
        float(rng.uniform(-8, 8)),
        float(rng.uniform(-12, 12)),
        max(0.0, float(rng.uniform(-1, 1))),
    )
    person = cast(int(rng.integers(1 << 20)))
    head = person.draw(pose)
    layer = _hand(rng, pose, head, hands, behind)
    picture, camera = room(seed, SIZE_PX), CAMERAS[int(rng.integers(len(CAMERAS)))]
    actors = [Actor(person, lambda _: pose)]
    if behind:
        actors.insert(0, Actor(_Still(layer), lambda _: pose, depth=lambda _: 1.0))
    scene = Scene("hand", SIZE_PX, 1, lambda _: picture, tuple(actors), seed=seed, camera=lambda _: camera)
    made = made_frame(scene if behind else replace(scene, things=lambda _: [layer]), 0)
    marked = replace(layer, inner=layer.alpha >= 0.5)
    shown = stack(picture, [marked, replace(head, inner=np.zeros_like(head.inner))] if behind else [marked])[1][0]
    return replace(made, faces=tuple(f if f.person == behind else replace(f, width_px=0.0) for f in made.faces)), shown


def _hand(rng: np.random.Generator, pose: Pose, head: Layer, hands: Sequence[HandCutout], behind: bool) -> Layer:
    (x, y), size = pose.center_px, pose.width_px
    side = (1 if rng.random() < 0.5 else -1) * rng.uniform(0.45, 0.85) if behind else rng.uniform(-0.5, 0.5)
    place = (x + side * size, y + rng.uniform(-0.4, 0.8) * size)
    length, turn = size * float(rng.uniform(0.6, 1.15)), float(rng.uniform(-50, 50))
    if not hands:
        return flat_hand(place, length, turn, int(rng.integers(4)))
    lab = None
    if rng.random() < 0.6 and head.inner.any():  # as often as not a hand has the colour of the face
        lab = cv2.cvtColor(head.rgb, cv2.COLOR_RGB2LAB)[head.inner].astype(np.float32).mean(0) + rng.normal(0, 4, 3)
    return hands[int(rng.integers(len(hands)))].draw(place, length, turn, bool(rng.random() < 0.5), lab)
