"""How many faces are covered whole, by size, yaw, roll, light and what hides them, beside others.

A face counts as covered when no pixel of its inner region is left outside what is covered; half of it is not enough.
Every frame stands alone, as the first of a clip does: memory and hindsight come on top.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from anonymizer.frames import Frame
from tests.scenes.camera import Camera, room
from tests.scenes.layers import Layer, Person, Pose
from tests.scenes.leaks import outside_hole
from tests.scenes.rivals import Coverer
from tests.scenes.scene import Actor, MadeFrame, Scene, made_frame
from tests.scenes.things import Worn, bar, hand

SIZE_PX = (640, 360)
SIZES_PX = (12, 16, 24, 32, 64, 128)
YAWS = (0, 30, 60, 90)
USUAL = (24.0, 40.0, 80.0)  # px, of the tables that do not go by size
Cast = Callable[[int], Person]


@dataclass(frozen=True, slots=True)
class Condition:
    """One cell of a table. hidden: a share of the face that something stands before. out: a share outside the frame."""

    table: str
    name: str
    width_px: float
    yaw: float = 0.0
    roll: float = 0.0
    camera: Camera = field(default_factory=Camera)
    worn: tuple[Worn, ...] = ()
    hidden: float = 0.0
    hand: bool = False
    out: float = 0.0


def conditions() -> list[Condition]:
    """All cells."""
    cells = [Condition("size and yaw", f"{size} px, {yaw}°", size, yaw) for yaw in YAWS for size in SIZES_PX]
    for size in USUAL:
        usual = Condition("", "", size)
        cells += [replace(usual, table="roll", name=f"{roll}°", roll=roll) for roll in (45, 90, 135, 180)]
        cells += [replace(usual, table="light", name=name, camera=camera) for name, camera in LIGHTS.items()]
        cells += [replace(usual, table="hidden", name=kind, worn=(kind,)) for kind in WORN]
        cells.append(replace(usual, table="hidden", name="a hand", hand=True))
        cells += [replace(usual, table="hidden", name=f"{int(h * 100)} % by a post", hidden=h) for h in (0.3, 0.5)]
        cells += [replace(usual, table="hidden", name=f"{int(o * 100)} % out of frame", out=o) for o in (0.3, 0.5)]
    return cells


WORN: tuple[Worn, ...] = ("mask", "sunglasses", "hat", "glasses")
LIGHTS: Mapping[str, Camera] = {
    "day": Camera(),
    "dim (25 %)": Camera(0.25, noise=3),
    "dark (12 %)": Camera(0.12, (1, 0.92, 0.8), noise=4),
    "red light": Camera(0.7, (1.2, 0.35, 0.3), noise=3),
    "over-exposed": Camera(1.7),
    "smeared": Camera(blur_px=7),
    "jpeg 20, noisy": Camera(noise=6, jpeg=20),
}


@dataclass(slots=True)
class Cell:
    """Counts of one condition. covered: by coverer."""

    faces: int = 0
    covered: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def share(self, name: str) -> float:
        return self.covered[name] / max(1, self.faces)


def frames_of(condition: Condition, cast: Cast, faces: int, seed: int) -> Iterator[MadeFrame]:
    """Frames with `faces` faces of a condition between them, so placed that none stands before another."""
    rng = np.random.default_rng((seed, round(condition.width_px), round(condition.yaw), round(condition.roll)))
    width, height = SIZE_PX
    step = max(70.0, condition.width_px * 2.5)
    columns, rows = max(1, int(width / step)), max(1, int(height / step))
    if condition.out:
        rows = 1
    left, number = faces, 0
    while left > 0:
        here = min(left, columns * rows, 8)
        left -= here
        places = rng.permutation(columns * rows)[:here]
        actors, things = [], []
        for place in places:
            x = (place % columns + 0.5 + rng.uniform(-0.1, 0.1)) * width / columns
            y = (place // columns + 0.5 + rng.uniform(-0.1, 0.1)) * height / rows
            pose = _posed(condition, float(x), float(y), rng)
            actors.append(Actor(cast(int(rng.integers(1 << 20))), lambda _, pose=pose: pose, condition.worn))  # type: ignore[misc]
            things += _before(condition, pose, rng)
        picture = room(int(rng.integers(1 << 30)), SIZE_PX)
        yield made_frame(
            Scene(
                condition.name,
                SIZE_PX,
                1,
                lambda _, picture=picture: picture,  # type: ignore[misc]
                tuple(actors),
                lambda _, things=things: things,  # type: ignore[misc]
                lambda _: condition.camera,
                seed=seed * 1000 + number,
            ),
            0,
        )
        number += 1


def _posed(condition: Condition, x: float, y: float, rng: np.random.Generator) -> Pose:
    size = condition.width_px * rng.uniform(0.95, 1.1)
    side = 1 if rng.random() < 0.5 else -1
    if condition.out:  # the face's width is its size, its height 1.2 of that
        y = size * 0.6 - 1.2 * size * condition.out
    return Pose(
        (x, y),
        size,
        side * condition.yaw + rng.uniform(-4, 4),
        rng.uniform(-8, 8),
        side * condition.roll + rng.uniform(-5, 5),
        max(0.0, rng.uniform(-1, 1)),
    )


def _before(condition: Condition, pose: Pose, rng: np.random.Generator) -> list[Layer]:
    (x, y), size = pose.center_px, pose.width_px
    if condition.hand:
        place = (x + rng.uniform(-0.3, 0.3) * size, y + rng.uniform(0.3, 0.75) * size)
        return [hand(place, size * 0.9, float(rng.uniform(-50, 50)), int(rng.integers(4)))]
    if condition.hidden:
        end = x - 0.5 * size + condition.hidden * size
        return [bar(round(end - 1.2 * size), round(y - 1.5 * size), round(1.2 * size), round(3 * size))]
    return []


def measure(condition: Condition, cast: Cast, faces: int, coverers: Mapping[str, Coverer], seed: int = 0) -> Cell:
    """How many of so many faces each of the coverers covers whole."""
    cell = Cell()
    for made in frames_of(condition, cast, faces, seed):
        masks = {name: covers(made.frame.rgb) for name, covers in coverers.items()}
        for face in made.visible:
            if face.share < 0.15 and condition.worn == ():
                continue  # next to nothing of it is in view
            cell.faces += 1
            for name, mask in masks.items():
                cell.covered[name] += outside_hole(mask, face) == 0
    return cell


def least_needed(faces: int, share: float) -> int:
    """How many of so many must be covered for a share."""
    return math.ceil(faces * share)


def raw(rgb: np.ndarray) -> Frame:
    """A frame of its own, which the finder may keep."""
    return Frame(np.array(rgb))
