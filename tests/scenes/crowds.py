"""Many people in one picture: a made crowd with its truth, and clips with so many faces that get personas."""

from __future__ import annotations

import numpy as np

from tests.scenes.camera import room
from tests.scenes.layers import Pose
from tests.scenes.recall import Cast
from tests.scenes.scene import Actor, Scene

CROWD_SIZE_PX = (1280, 720)
ROWS = ((9, 0.2, 30.0), (8, 0.42, 44.0), (7, 0.63, 60.0), (6, 0.83, 78.0))  # people, height in the frame, face px: 30


def crowd(seed: int, cast: Cast) -> Scene:
    """Thirty people in four rows, those in front larger and before the others."""
    rng = np.random.default_rng((seed, 30))
    width, height = CROWD_SIZE_PX
    actors = []
    for number, (people, share, size) in enumerate(ROWS):
        for place in range(people):
            pose = Pose(
                (width * (place + 0.5 + rng.uniform(-0.12, 0.12)) / people, height * share + rng.uniform(-8, 8)),
                size * rng.uniform(0.9, 1.1),
                rng.uniform(-40, 40),
                rng.uniform(-10, 10),
                rng.uniform(-12, 12),
                max(0.0, rng.uniform(-1, 1)),
            )
            actors.append(_still(cast(int(rng.integers(1 << 20))), pose, len(ROWS) - number))
    picture = room(seed + 77, CROWD_SIZE_PX)
    return Scene(f"crowd {seed}", CROWD_SIZE_PX, 1, lambda _: picture, tuple(actors), seed=seed)


def faces_in_a_row(count: int, cast: Cast, frames: int) -> Scene:
    """So many people of 100 px a face at 720p, swaying a little."""
    width, height = CROWD_SIZE_PX
    rows = 1 if count <= 4 else 2
    columns = -(-count // rows)

    def swaying(number: int) -> Actor:
        x = width * (number % columns + 0.5) / columns
        y = height * (0.45 if rows == 1 else 0.28 + 0.5 * (number // columns))

        def path(index: int) -> Pose:
            a = np.sin(0.12 * index + number)
            return Pose((x + 10 * a, y), 100.0, 12 * a, 0.0, 3 * a)

        return Actor(cast(number), path)

    picture = room(5, CROWD_SIZE_PX)
    actors = tuple(swaying(number) for number in range(count))
    return Scene(f"{count} faces", CROWD_SIZE_PX, frames, lambda _: picture, actors)


def _still(person: object, pose: Pose, depth: float) -> Actor:
    return Actor(person, lambda _: pose, (), lambda _: depth)  # type: ignore[arg-type]
