"""Ready scenes, each drawn from a seed: who comes, goes, turns, crosses, hides; light, noise, cuts; and nobody.

    scene = story("crossing", seed=3, cast=mannequins)

A cast gives people by number: made heads, or people cut out of photos (see cutouts.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.scenes.camera import Camera, room
from tests.scenes.layers import Layer, Person, Pose
from tests.scenes.mannequin import mannequin
from tests.scenes.scene import Actor, Path, Scene
from tests.scenes.things import Worn, bar, cup, hand

Cast = Callable[[int], Person]
SIZE_PX = (480, 270)
COUNT = 100


def mannequins(number: int) -> Person:
    """The cast that needs no data."""
    return mannequin(number % 24)


def story(
    name: str, seed: int, cast: Cast = mannequins, count: int = COUNT, size_px: tuple[int, int] = SIZE_PX
) -> Scene:
    """A scene by name; ValueError for a name that is not in STORIES."""
    if name not in STORIES:
        raise ValueError(f"no story is called {name!r}; there are {', '.join(STORIES)}")
    rng = np.random.default_rng((seed, *name.encode()))
    picture = room(int(rng.integers(1 << 30)), size_px)
    plain = Scene(f"{name} {seed}", size_px, count, lambda _: picture, seed=seed)
    return STORIES[name](plain, rng, cast)


Teller = Callable[[Scene, np.random.Generator, Cast], Scene]


def _someone(rng: np.random.Generator, cast: Cast) -> Person:
    return cast(int(rng.integers(10_000)))


def _sway(scene: Scene, rng: np.random.Generator, width_px: float, x_share: float | None = None) -> Path:
    """Somebody who sits or stands and moves a little, as people do; talks."""
    width, height = scene.size_px
    x = width * (x_share if x_share is not None else rng.uniform(0.3, 0.7))
    y = height * rng.uniform(0.38, 0.55)
    phase, pace = rng.uniform(0, 6.28, 5), rng.uniform(0.02, 0.09, 5)
    reach = 0.12 * width_px

    def path(index: int) -> Pose:
        a = np.sin(phase + pace * index * 2)
        return Pose(
            (x + reach * a[0], y + 0.5 * reach * a[1]),
            width_px * (1 + 0.04 * a[2]),
            18 * a[3],
            8 * a[4],
            6 * a[0],
            max(0.0, float(np.sin(index * 0.9 + phase[0]))) * 0.5,
        )

    return path


def _walk(start: tuple[float, float], end: tuple[float, float], width_px: float, count: int, yaw: float) -> Path:
    """From one place to another in `count` frames, bobbing."""

    def path(index: int) -> Pose:
        t = index / max(1, count - 1)
        x, y = (a + (b - a) * t for a, b in zip(start, end, strict=True))
        return Pose((x, y + 0.04 * width_px * math.sin(index * 0.7)), width_px, yaw, 2, 3 * math.sin(index * 0.35))

    return path


def talking(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """One person, plainly in view."""
    return replace(scene, actors=(Actor(_someone(rng, cast), _sway(scene, rng, rng.uniform(70, 130))),))


def entering(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Walks in from one side and out at the other; before and after nobody is there."""
    width, height = scene.size_px
    size = float(rng.uniform(40, 100))
    side = 1 if rng.random() < 0.5 else -1
    start, end = (-2.2 * size, height * 0.45), (width + 2.2 * size, height * 0.5)
    if side < 0:
        start, end = end, start
    walk = _walk(start, end, size, scene.count, side * rng.uniform(10, 45))
    return replace(scene, actors=(Actor(_someone(rng, cast), walk),))


def half_out(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Leans in and out at the frame's edge."""
    width, height = scene.size_px
    size = float(rng.uniform(60, 130))
    base = _sway(scene, rng, size)
    edge = int(rng.integers(4))

    def path(index: int) -> Pose:
        pose = base(index)
        assert pose is not None
        out = size * (0.15 + 0.45 * math.sin(index * 0.06))
        places = (
            (-out * 0.7, 0.5 * height),
            (width + out * 0.7, 0.5 * height),
            (0.5 * width, -out * 0.7),
            (0.5 * width, height + out * 0.6),
        )
        return replace(pose, center_px=places[edge])

    return replace(scene, actors=(Actor(_someone(rng, cast), path),))


def turning(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Turns from one profile to the other, up to 90 degrees and back."""
    base = _sway(scene, rng, float(rng.uniform(45, 120)))
    most = float(rng.uniform(60, 90))
    pace = 2 * math.pi / scene.count * float(rng.uniform(1, 2))

    def path(index: int) -> Pose:
        pose = base(index)
        assert pose is not None
        return replace(pose, yaw=most * math.sin(pace * index))

    return replace(scene, actors=(Actor(_someone(rng, cast), path),))


def lying(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """A head that rolls over, through any angle."""
    base = _sway(scene, rng, float(rng.uniform(50, 110)))
    start, most = rng.uniform(-180, 180), rng.uniform(40, 180)

    def path(index: int) -> Pose:
        pose = base(index)
        assert pose is not None
        return replace(pose, roll=float(start + most * index / scene.count))

    return replace(scene, actors=(Actor(_someone(rng, cast), path),))


def crossing(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Two walk past each other, one before the other."""
    width, height = scene.size_px
    a, b = float(rng.uniform(50, 90)), float(rng.uniform(45, 80))
    one = _walk((0.1 * width, 0.45 * height), (0.9 * width, 0.45 * height), a, scene.count, 25)
    two = _walk((0.9 * width, 0.5 * height), (0.1 * width, 0.42 * height), b, scene.count, -25)
    first, second = _someone(rng, cast), _someone(rng, cast)
    return replace(scene, actors=(Actor(first, one), Actor(second, two, depth=lambda _: 1.0)))


def walking_in(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """One talks; a second person walks in behind."""
    width, height = scene.size_px
    talker = Actor(_someone(rng, cast), _sway(scene, rng, float(rng.uniform(80, 120)), 0.35))
    size = float(rng.uniform(28, 60))
    late = _walk((width + 2 * size, 0.4 * height), (0.65 * width, 0.42 * height), size, scene.count, -30)
    return replace(scene, actors=(talker, Actor(_someone(rng, cast), late, depth=lambda _: 1.0)))


def hiding(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Walks behind a pillar and comes out again."""
    width, height = scene.size_px
    size = float(rng.uniform(45, 90))
    walk = _walk((0.15 * width, 0.45 * height), (0.85 * width, 0.47 * height), size, scene.count, 20)
    pillar = bar(int(0.45 * width), 0, int(size * rng.uniform(0.7, 1.6)), height)
    return replace(scene, actors=(Actor(_someone(rng, cast), walk),), things=lambda _: [pillar])


def with_hand(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """A hand or a cup before the mouth, the cheek, the eyes."""
    size = float(rng.uniform(70, 130))
    path = _sway(scene, rng, size)
    tone, turn, use_cup = int(rng.integers(4)), float(rng.uniform(-60, 60)), rng.random() < 0.3
    phase = rng.uniform(0, 6.28)

    def things(index: int) -> list[Layer]:
        pose = path(index)
        assert pose is not None
        x, y = pose.center_px
        reach = 0.5 * size * math.sin(index * 0.1 + phase)
        place = (x + reach, y + size * (0.25 + 0.5 * math.cos(index * 0.07 + phase)))
        return [cup(place, size * 0.6)] if use_cup else [hand(place, size * 0.95, turn, tone)]

    return replace(scene, actors=(Actor(_someone(rng, cast), path),), things=things)


def dressed(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """With a mask, sunglasses, glasses or a hat."""
    kinds: tuple[Worn, ...] = ("mask", "sunglasses", "hat", "glasses")
    chosen: tuple[Worn, ...] = (kinds[int(rng.integers(4))],)
    path = _sway(scene, rng, float(rng.uniform(55, 130)))
    return replace(scene, actors=(Actor(_someone(rng, cast), path, chosen),))


def cutting(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Three shots; other people, other rooms, and one of them with nobody."""
    first, second = scene.count // 3, 2 * scene.count // 3
    shots = [room(int(rng.integers(1 << 30)), scene.size_px) for _ in range(3)]
    paths = [_sway(scene, rng, float(rng.uniform(60, 130)), share) for share in (0.3, 0.7)]

    def shown(number: int, start: int, end: int) -> Path:
        return lambda index: paths[number](index) if start <= index < end else None

    people = (Actor(_someone(rng, cast), shown(0, 0, first)), Actor(_someone(rng, cast), shown(1, second, scene.count)))
    return replace(
        scene,
        actors=people,
        background=lambda index: shots[(index >= first) + (index >= second)],
        cuts=frozenset((first, second)),
    )


def dark(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Little light and much noise; the light changes."""
    gain, noise = float(rng.uniform(0.12, 0.3)), float(rng.uniform(3, 6))
    told = (talking, turning, walking_in)[int(rng.integers(3))](scene, rng, cast)
    return replace(
        told,
        camera=lambda index: Camera(gain * (1 + 0.4 * math.sin(index * 0.05)), (1.0, 0.92, 0.8), noise),
    )


def compressed(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Smeared, noisy and compressed hard."""
    told = (talking, crossing, entering)[int(rng.integers(3))](scene, rng, cast)
    quality, blur = int(rng.integers(18, 45)), int(rng.integers(1, 9))
    return replace(told, camera=lambda _: Camera(noise=5, blur_px=blur, jpeg=quality))


def small(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Five people far away."""
    width, height = scene.size_px
    actors = []
    for number in range(5):
        size = float(rng.uniform(16, 40))
        x = width * (0.1 + 0.2 * number + 0.05 * rng.uniform(-1, 1))
        y = height * rng.uniform(0.3, 0.6)
        walk = _walk((x, y), (x + rng.uniform(-40, 40), y), size, scene.count, float(rng.uniform(-45, 45)))
        actors.append(Actor(_someone(rng, cast), walk))
    return replace(scene, actors=tuple(actors))


def nobody(scene: Scene, rng: np.random.Generator, cast: Cast) -> Scene:
    """Rooms; things move through; the light changes."""
    width, height = scene.size_px
    tone = int(rng.integers(4))

    def things(index: int) -> list[Layer]:
        x = width * (0.2 + 0.6 * index / scene.count)
        return [hand((x, 0.7 * height), 90.0, 20.0, tone)] if tone < 2 else [cup((x, 0.6 * height), 60.0)]

    return replace(scene, things=things, camera=lambda index: Camera(0.7 + 0.3 * math.cos(index * 0.04)))


STORIES: dict[str, Teller] = {
    each.__name__.replace("_", " "): each
    for each in (
        talking,
        entering,
        half_out,
        turning,
        lying,
        crossing,
        walking_in,
        hiding,
        with_hand,
        dressed,
        cutting,
        dark,
        compressed,
        small,
        nobody,
    )
}
