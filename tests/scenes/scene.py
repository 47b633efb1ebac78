"""A scene: people and things on their paths before a background, through a camera; every frame with its truth.

    for made in film(scene):
        made.frame            # a raw Frame, as any source gives it
        made.faces            # a TrueFace for each person, also of those hidden or outside (visible is False)

`SceneSource` gives the same frames through the FrameSource door and keeps the truth by frame index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from anonymizer.frames import Frame, RgbImage
from tests.scenes.camera import Camera
from tests.scenes.layers import Layer, Person, Pose, TrueFace, box_of, stack
from tests.scenes.things import Worn, worn

Path = Callable[[int], Pose | None]
"""frame number -> where a person is, or None when nowhere near."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person on a path. worn: on the head. depth: those of greater depth stand behind, by frame number."""

    person: Person
    path: Path
    worn: tuple[Worn, ...] = ()
    depth: Callable[[int], float] = lambda _: 0.0


def no_things(index: int) -> list[Layer]:
    return []


@dataclass(frozen=True, slots=True)
class Scene:
    """count frames of size_px = (width, height). background: of each frame. things: in front of everybody.

    cuts: where a new shot begins. A face on a poster is an actor who does not move.
    """

    name: str
    size_px: tuple[int, int]
    count: int
    background: Callable[[int], RgbImage]
    actors: tuple[Actor, ...] = ()
    things: Callable[[int], list[Layer]] = no_things
    camera: Callable[[int], Camera] = lambda _: Camera()
    cuts: frozenset[int] = frozenset()
    fps_hz: float = 25.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class MadeFrame:
    """A frame and the truth about it. occluder (H, W) bool: where a thing lies in front."""

    frame: Frame
    faces: tuple[TrueFace, ...]
    occluder: np.ndarray

    @property
    def visible(self) -> tuple[TrueFace, ...]:
        return tuple(face for face in self.faces if face.visible)


def film(scene: Scene) -> Iterator[MadeFrame]:
    """Every frame in order."""
    for index in range(scene.count):
        yield made_frame(scene, index)


def made_frame(scene: Scene, index: int) -> MadeFrame:
    """One frame; the same each time it is asked for."""
    drawn: list[tuple[float, int, Layer, Pose]] = []
    for number, actor in enumerate(scene.actors):
        pose = actor.path(index)
        if pose is not None:
            drawn.append((-actor.depth(index), number, actor.person.draw(pose), pose))
    drawn.sort(key=lambda each: each[:2])
    layers: list[Layer] = []
    of_person: dict[int, int] = {}
    for _, number, layer, _ in drawn:
        of_person[number] = len(layers)
        layers.append(layer)
        layers += [worn(kind, layer) for kind in scene.actors[number].worn]
    things = scene.things(index)
    rgb, shown = stack(scene.background(index), [*layers, *things])
    taken = scene.camera(index).take(rgb, np.random.default_rng((scene.seed, index)))
    faces = [_true_face(number, layer, pose, shown[of_person[number]]) for _, number, layer, pose in drawn]
    occluder = np.zeros(rgb.shape[:2], bool)
    for thing in things:
        marked = Layer(thing.x, thing.y, thing.rgb, thing.alpha, thing.alpha >= 0.5)
        occluder |= stack(rgb, [marked])[1][0]
    return MadeFrame(Frame(taken, index, index / scene.fps_hz), tuple(faces), occluder)


def _true_face(number: int, layer: Layer, pose: Pose, shown: np.ndarray) -> TrueFace:
    rows, columns = np.nonzero(shown)
    x, y = (int(columns.min()), int(rows.min())) if len(rows) else (0, 0)
    part = shown[y : int(rows.max()) + 1, x : int(columns.max()) + 1] if len(rows) else shown[:0, :0]
    share = float(len(rows) / max(1, int(layer.inner.sum())))
    yaw = pose.yaw if layer.yaw is None else layer.yaw
    return TrueFace(number, box_of(layer), x, y, part.copy(), share, pose.width_px, yaw, pose.roll, layer.code)


@dataclass(slots=True)
class SceneSource:
    """A FrameSource that plays a scene `times` over. truth: what it gave so far, by frame index, at most `keep`."""

    scene: Scene
    times: int = 1
    keep: int = 100_000
    truth: dict[int, MadeFrame] = field(default_factory=dict)
    closed: int = 0
    _index: int = 0

    @property
    def size_px(self) -> tuple[int, int]:
        return self.scene.size_px

    @property
    def fps_hz(self) -> float:
        return self.scene.fps_hz

    def read(self) -> Frame | None:
        if self._index == self.scene.count * self.times:
            return None
        made = made_frame(self.scene, self._index % self.scene.count)
        frame = Frame(made.frame.rgb, self._index, self._index / self.fps_hz)
        self.truth[self._index] = MadeFrame(frame, made.faces, made.occluder)
        self.truth.pop(self._index - self.keep, None)
        self._index += 1
        return frame

    def close(self) -> None:
        self.closed += 1
