"""The faults of the live bench: one for every way a stage or a camera can break, and what the log must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from anonymizer.errors import CameraError
from anonymizer.faces import SyntheticFace
from anonymizer.frames import RgbImage
from anonymizer.perceive.landmarks import FacePoints
from tests.scenes.faults import Answer, Change, Fault, Faulty, Plan, Stall, Throw

FIRST, LAST = 35, 47  # steps of a scene that meet the fault


@dataclass
class Moment:
    """Where the camera is in its scene."""

    step: int = 0

    def during(self, fault: Fault) -> Plan:
        """At every call while the scene meets its fault."""
        return lambda number: fault if FIRST <= self.step < LAST else None

    def thirds(self, fault: Fault) -> Plan:
        """At every third such call, so that no five frames in a row fail."""
        return lambda number: fault if FIRST <= self.step < LAST and number % 3 == 0 else None

    def once(self, fault: Fault) -> Plan:
        """At the first such call."""
        met: list[int] = []

        def plan(number: int) -> Fault | None:
            if not FIRST <= self.step < LAST or met:
                return None
            met.append(number)
            return fault

        return plan


@dataclass
class Stages:
    """The parts of a run that faults are put into; any object may stand for its own."""

    finder: Any
    planner: Any
    renderer: Any
    moment: Moment = field(default_factory=Moment)

    def landmarks(self, **plans: Plan) -> None:
        self.finder._landmarker = Faulty(self.finder._landmarker, **plans)

    def witness(self, plan: Plan) -> None:
        self.finder._looks._centerface = Faulty(self.finder._looks._centerface, detect=plan)

    def fast_detector(self, plan: Plan) -> None:
        self.finder._looks._full_range = Faulty(self.finder._looks._full_range, detect=plan)

    def network(self, plan: Plan) -> None:
        self.renderer.generator = Faulty(self.renderer.generator, generate=plan)

    def masker(self, plan: Plan) -> None:
        self.planner._masker = Faulty(self.planner._masker, mask=plan)


Spoil = Callable[[int, RgbImage, RgbImage], RgbImage]
"""step, its picture, the picture before -> what the camera gives instead; may raise."""


@dataclass(frozen=True)
class Injection:
    """One fault. state: must stand in the log, "" = what is seen may stay COVERED."""

    name: str
    state: str
    put: Callable[[Stages], object] = lambda stages: None
    spoil: Spoil | None = None


def _blind(stages: Stages) -> None:
    """No network sees anything."""
    during = stages.moment.during
    stages.landmarks(at_landmarks=during(Answer(None)), at_box=during(Answer(None)))
    stages.witness(during(Answer(())))
    stages.fast_detector(during(Answer(())))


def _blind_and_no_mask(stages: Stages) -> None:
    """Nor does the mask for people, for longer than a face is held."""
    _blind(stages)
    stages.masker(stages.moment.during(Throw(BROKEN)))


def _lying(change: Callable[[FacePoints], FacePoints]) -> Callable[[Stages], None]:
    """Landmarks that are not where the face is, and sure of it."""

    def put(stages: Stages) -> None:
        plan = stages.moment.during(Change(lambda points: points and change(points)))
        stages.landmarks(at_landmarks=plan, at_box=plan)

    return put


def _points(landmarks_px: Any, like: FacePoints) -> FacePoints:
    return FacePoints(np.asarray(landmarks_px, np.float32), like.expression, 1.0)


def _shrunk(points: FacePoints) -> FacePoints:
    middle = points.landmarks_px.mean(0)
    return _points((points.landmarks_px - middle) * 0.2 + middle, points)


def _scattered(points: FacePoints) -> FacePoints:
    return _points(np.random.default_rng(1).uniform(0, 300, points.landmarks_px.shape), points)


def _not_finite(faces: tuple[SyntheticFace, ...]) -> tuple[SyntheticFace, ...]:
    parts = ((f.gain, f.bias, f.inpaint_rgb, f.matte) for f in faces)
    return tuple(SyntheticFace(*(part * np.float32(np.nan) for part in face)) for face in parts)


def _wrong_size(faces: tuple[SyntheticFace, ...]) -> tuple[SyntheticFace, ...]:
    return tuple(SyntheticFace(f.gain[:1], f.bias, f.inpaint_rgb[:3, :3], f.matte[:2]) for f in faces)


def _instead(change: Spoil) -> Spoil:
    return lambda step, now, before: change(step, now, before) if FIRST <= step < LAST else now


def _torn(step: int, now: RgbImage, before: RgbImage) -> RgbImage:
    return np.concatenate([now[: len(now) // 2], before[len(now) // 2 :]])


def _raising(error: Exception, when: Callable[[int], bool]) -> Spoil:
    def spoil(step: int, now: RgbImage, before: RgbImage) -> RgbImage:
        if when(step):
            raise error
        return now

    return spoil


def _giant(step: int, now: RgbImage, before: RgbImage) -> RgbImage:
    return np.asarray(cv2.resize(now, None, fx=6, fy=6), np.uint8) if step in (FIRST, FIRST + 3) else now


def _flat(*rgb: int) -> Spoil:
    return _instead(lambda step, now, before: np.full_like(now, rgb))


BROKEN = RuntimeError("planned")
INJECTIONS: tuple[Injection, ...] = (
    Injection("none", ""),
    Injection("landmarks raise", "FAILED", lambda s: s.landmarks(at_landmarks=s.moment.thirds(Throw(BROKEN)))),
    Injection("landmarks hang", "STALLED", lambda s: s.landmarks(at_landmarks=s.moment.once(Stall(3.0)))),
    Injection("landmarks missing", "", lambda s: s.landmarks(at_landmarks=s.moment.during(Answer(None)))),
    Injection("landmarks not finite", "", _lying(lambda p: _points(p.landmarks_px * np.nan, p))),
    Injection("landmarks scattered", "", _lying(_scattered)),
    Injection("landmarks elsewhere", "", _lying(lambda p: _points(p.landmarks_px + 150, p))),
    Injection("landmarks shrunk", "", _lying(_shrunk)),
    Injection("nothing sees a face", "FALLBACK", _blind),
    Injection("nothing sees a face or a person", "FALLBACK", _blind_and_no_mask),
    Injection("witness raises", "FAILED", lambda s: s.witness(s.moment.once(Throw(BROKEN)))),
    Injection("witness hangs", "", lambda s: s.witness(s.moment.once(Stall(3.0)))),
    Injection("fast detector raises", "FAILED", lambda s: s.fast_detector(s.moment.once(Throw(BROKEN)))),
    Injection("network raises", "FAILED", lambda s: s.network(s.moment.thirds(Throw(BROKEN)))),
    Injection("network hangs", "STALLED", lambda s: s.network(s.moment.once(Stall(3.0)))),
    Injection("network not finite", "", lambda s: s.network(s.moment.during(Change(_not_finite)))),
    Injection("network of wrong size", "FAILED", lambda s: s.network(s.moment.thirds(Change(_wrong_size)))),
    Injection("network forgets a face", "FAILED", lambda s: s.network(s.moment.thirds(Answer(())))),
    Injection("camera raises", "FAILED", spoil=_raising(BROKEN, lambda step: FIRST <= step < LAST and step % 3 == 0)),
    Injection("camera gone", "NO CAMERA", spoil=_raising(CameraError("unplugged"), lambda step: step == FIRST)),
    Injection("camera black", "", spoil=_flat(0, 0, 0)),
    Injection("camera green", "", spoil=_flat(0, 255, 0)),
    Injection("camera repeats", "", spoil=_instead(lambda step, now, before: before)),
    Injection("camera tears", "", spoil=_instead(_torn)),
    Injection("camera giant", "FAILED", spoil=_giant),
)
