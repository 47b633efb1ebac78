"""Sends a made scene through the product as `anonymizer video` does, with planned faults, and judges every frame.

report = run(scene, settings, finder)                       # LeakReport
report = run(scene, settings, finder, FAULTS["missed"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from anonymizer import app
from anonymizer.faces import Mask, PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.guard.coverage import fill_hole, hull
from anonymizer.perceive.finder import Finder
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import Settings
from anonymizer.two_passes import ClipObserver, FrameRenderer, Plans, TwoPasses
from tests.scenes.faults import Answer, Faulty, Plan, Throw
from tests.scenes.leaks import LeakReport
from tests.scenes.scene import MadeFrame, Scene, film


@dataclass(slots=True)
class Stages:
    """What a fault may stand before: each may be replaced by a Faulty of itself."""

    finder: Finder
    observer: ClipObserver
    renderer: Anonymizer


SEEN_FRAMES, SEEN_SHARE = 8, 0.5  # of the inner region

FaultSet = Callable[[Stages, np.random.Generator, Sequence[MadeFrame]], None]
"""Puts faults into the stages of a clip of these frames."""


def run(scene: Scene, settings: Settings, finder: Finder, faults: FaultSet | None = None, seed: int = 0) -> LeakReport:
    """The whole scene, both passes."""
    return run_frames(list(film(scene)), scene.fps_hz, settings, finder, faults, seed)


def run_frames(
    frames: Sequence[MadeFrame],
    fps_hz: float,
    settings: Settings,
    finder: Finder,
    faults: FaultSet | None = None,
    seed: int = 0,
) -> LeakReport:
    """The same for frames that are at hand."""
    finder.reset()
    renderer = app.build_anonymizer(settings)
    stages = Stages(finder, Planned(finder, settings, fps_hz), renderer)
    if faults is not None:
        faults(stages, np.random.default_rng((seed, len(frames))), frames)
    planned = stages.observer
    judge = _Judge(frames, planned, renderer, LeakReport())
    door: FrameRenderer = stages.renderer
    TwoPasses(planned, door).run(_Frames(frames, fps_hz), lambda: _Frames(frames, fps_hz), judge)
    return judge.report


class Planned:
    """The clip planner, and the plans it made."""

    def __init__(self, finder: Finder, settings: Settings, fps_hz: float) -> None:
        self.planner = app.build_planner(settings, finder, fps_hz)
        self.plans: Plans = ()

    def observe(self, frame: Frame) -> None:
        self.planner.observe(frame)

    def plan(self) -> Plans:
        self.plans = self.planner.plan()
        return self.plans


@dataclass(slots=True)
class _Frames:
    """A FrameSource."""

    frames: Sequence[MadeFrame]
    fps_hz: float
    _at: int = 0

    @property
    def size_px(self) -> tuple[int, int]:
        height, width = self.frames[0].frame.rgb.shape[:2]
        return width, height

    def read(self) -> Frame | None:
        if self._at == len(self.frames):
            return None
        self._at += 1
        return self.frames[self._at - 1].frame

    def close(self) -> None:
        pass


@dataclass(slots=True)
class _Judge:
    """A FrameSink that looks at what it gets."""

    frames: Sequence[MadeFrame]
    observer: ClipObserver
    renderer: Anonymizer
    report: LeakReport = field(default_factory=LeakReport)

    def send(self, safe: SafeFrame) -> None:
        made = self.frames[safe.source_index]
        hole = self._hole(safe)
        self.report.add(safe, made, hole)
        if safe.verdict is not Verdict.BLANKED and made.visible:
            self.report.add_excess(hole, reference_hole(made, self.renderer))

    def close(self, ok: bool) -> None:
        pass

    def _hole(self, safe: SafeFrame) -> Mask:
        plans: Plans = getattr(self.observer, "plans", ())
        faces: tuple[PlannedFace, ...] = ()
        if safe.source_index < len(plans):
            faces = plans[safe.source_index] or ()
        return self.renderer.hole(faces, safe.rgb.shape)


def reference_hole(made: MadeFrame, renderer: Anonymizer) -> Mask:
    """(H, W): what has to be erased for the true poses of all faces in view."""
    mask = np.zeros(made.frame.rgb.shape[:2], np.uint8)
    for face in made.visible:
        if face.code is not None:
            fill_hole(mask, hull(face.code, renderer.coverage, renderer.model))
    return mask


def _bursts(rng: np.random.Generator, count: int, lengths: Sequence[int]) -> set[int]:
    out: set[int] = set()
    for length in (min(each, max(1, count // 6)) for each in lengths):
        start = int(rng.integers(0, max(1, count - 2 * length)))
        out |= set(range(start, start + length))
    return out


def _missing(calls: set[int], value: object = ()) -> Plan:
    return lambda number: Answer(value) if number in calls else None


def missed(stages: Stages, rng: np.random.Generator, frames: Sequence[MadeFrame]) -> None:
    """Nothing finds anybody, in single frames and in bursts of up to twelve."""
    _swap(stages, Faulty(stages.finder, find_tracked=_missing(_bursts(rng, len(frames), (1, 1, 1, 2, 4, 12)))))


def blind_to_the_end(stages: Stages, rng: np.random.Generator, frames: Sequence[MadeFrame]) -> None:
    """Nothing finds anybody any more, from some frame on by which half a face or more of everybody was in sight for a
    while: of somebody of whom nothing but a chin at the edge was ever seen nothing can know."""
    met: dict[int, list[int]] = {face.person: [] for made in frames for face in made.visible}
    for index, made in enumerate(frames):
        for face in made.visible:
            if face.share >= SEEN_SHARE:
                met[face.person].append(index)
    if any(len(seen) <= SEEN_FRAMES for seen in met.values()):
        return
    known = max((seen[SEEN_FRAMES] for seen in met.values()), default=0)
    start = int(rng.integers(known + 1, max(known + 2, len(frames) // 2)))
    _swap(stages, Faulty(stages.finder, find_tracked=_missing(set(range(start, len(frames))))))


def blind_detector(stages: Stages, rng: np.random.Generator, frames: Sequence[MadeFrame]) -> None:
    """CenterFace sees nothing, in bursts of up to thirty looks."""
    looks = stages.finder._looks
    looks._centerface = Faulty(looks._centerface, detect=_missing(_bursts(rng, len(frames), (3, 10, 30))))  # type: ignore[assignment]


def lost_landmarks(stages: Stages, rng: np.random.Generator, frames: Sequence[MadeFrame]) -> None:
    """The landmark network sees nothing, in bursts of up to twenty looks."""
    finder = stages.finder
    finder._landmarker = Faulty(  # type: ignore[assignment]
        finder._landmarker,
        at_landmarks=_missing(_bursts(rng, len(frames), (1, 5, 20)), None),
        at_box=_missing(_bursts(rng, len(frames) // 4 + 1, (1, 5)), None),
    )


def throwing(stages: Stages, rng: np.random.Generator, frames: Sequence[MadeFrame]) -> None:
    """The generator fails now and then."""
    calls = _bursts(rng, len(frames), (1, 1, 3, 6))
    error = Throw(RuntimeError("planned"))
    stages.renderer.generator = Faulty(
        stages.renderer.generator, generate=lambda number: error if number in calls else None
    )


def _swap(stages: Stages, finder: Faulty) -> None:
    assert isinstance(stages.observer, Planned)
    stages.observer.planner._finder = finder  # type: ignore[assignment]


FAULTS: Mapping[str, FaultSet] = {
    "missed": missed,
    "blind to the end": blind_to_the_end,
    "blind detector": blind_detector,
    "lost landmarks": lost_landmarks,
    "throwing": throwing,
}
