"""One face as the live path follows it: where it was, how it moves, its motion without tremble and resting values."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, Box, Face, Floats, MotionCode
from anonymizer.perceive.boxes import around, moved
from anonymizer.perceive.motion import (
    JAW_OPEN,
    MOVES_S,
    Motion,
    kept_still,
    photo_baseline,
    reduce_motion,
    track_baseline,
)
from anonymizer.perceive.smoothing import OneEuroFilter
from anonymizer.perceive.tracks import GROWTH, MAX_GROWTH
from anonymizer.persona.face_model import BLINKS, FaceModel

FPS_HZ = 30.0  # GROWTH and the like are counted in frames of this
BASELINE_FRAMES = 45  # a track shorter than this says too little of a face's resting values
MEMORY_FRAMES = 300
RENEW_FRAMES = 15  # from one look at the memory to the next
BASELINE_SHARE = 0.04  # of the way to a new baseline that each frame goes, so that nothing jumps
# What smoothing may take off before the face could leave its hole: cm, relative size, radians, jaw coefficient.
MOST_SHIFT_CM, MOST_GROWTH, MOST_TURN_RAD, MOST_JAW = 0.25, 0.02, 0.05, 0.15
# One-Euro: cutoff at rest in Hz, and how much it opens per unit a second (cm, log size, rad, coefficient, gaze).
_POSE_HZ, _POSE_BETA = np.array([1.5, 1.5, 1.0, 1.5, 1.5, 1.5]), np.array([0.6, 0.6, 30.0, 12.0, 12.0, 12.0])
_EXPRESSION_HZ, _EXPRESSION_BETA = 3.0, 4.0
_GAZE_HZ, _GAZE_BETA = 2.0, 3.0
_COAST_S = 0.17  # a speed is believed in for so long


@dataclass(slots=True, eq=False)
class LiveTrack:
    """slot: its persona. box: where it was seen last."""

    slot: int
    box: Box
    seen_at_s: float
    sightings: int = 0
    best_confidence: float = 0.0
    had_landmarks: bool = False
    witnessed: bool = False  # the second detector has been sure of it once
    speed: tuple[float, float] = (0.0, 0.0)  # of the box's centre, px a second
    code: MotionCode | None = None
    doubted: Box | None = None  # to be covered as well: the landmarks may not hold all of the face
    ghost: bool = False  # a place that a face jumped away from: covered for a while, never seen again
    _filter: OneEuroFilter | None = None
    _drawn: npt.NDArray[np.float64] | None = None
    _recent: deque[npt.NDArray[np.float64]] = field(default_factory=lambda: deque(maxlen=round(MOVES_S * FPS_HZ)))
    _baseline: Floats | None = None
    _memory: deque[Floats] = field(default_factory=lambda: deque(maxlen=MEMORY_FRAMES))
    _wanted: Floats | None = None
    _frames: int = 0

    def see(self, face: Face, motion: Motion | None, model: FaceModel, at_s: float) -> None:
        """It was found in the frame of `at_s`; motion: None when it has no landmarks that can be used."""
        step_s = at_s - self.seen_at_s
        if self.sightings and step_s > 0:
            (x0, y0), (x1, y1) = self.box.center, face.box_px.center
            fresh = (x1 - x0) / step_s, (y1 - y0) / step_s
            self.speed = 0.5 * (self.speed[0] + fresh[0]), 0.5 * (self.speed[1] + fresh[1])
        self.box, self.seen_at_s = face.box_px, at_s
        self.sightings += 1
        self.best_confidence = max(self.best_confidence, face.confidence)
        if motion is None:
            self.code = self._filter = None  # what was held no longer tells where the face looks
            return
        self.had_landmarks = True
        self.code = self._reduced(motion, model, at_s)

    def lost_box(self, at_s: float) -> Box:
        """Where it may be by now: it may have gone on or stayed, and the doubt grows with time."""
        gone_s = at_s - self.seen_at_s
        coast_s = min(gone_s, _COAST_S)
        gone_on = moved(self.box, self.speed[0] * coast_s, self.speed[1] * coast_s)
        return around(self.box, gone_on).scaled(1 + min(MAX_GROWTH, GROWTH * FPS_HZ * gone_s))

    def restart(self) -> None:
        """After a cut: the past says nothing of the motion to come."""
        self.code = self._filter = None
        self.speed = (0.0, 0.0)

    def _reduced(self, motion: Motion, model: FaceModel, at_s: float) -> MotionCode:
        row = np.concatenate([motion.pose, motion.expression, motion.gaze.ravel()])
        scale = float(np.exp(motion.pose[2]))
        if self._filter is None:
            self._filter, self._drawn = OneEuroFilter(_cutoffs(), _betas()), None
            self._recent.clear()
        in_cm = row.copy()
        in_cm[:2] /= scale
        smooth = self._filter(in_cm, at_s)
        smooth[:2] *= scale
        self._recent.append(smooth)
        self._drawn = smooth if self._drawn is None else kept_still(self._drawn, smooth, np.array(self._recent))
        smooth = _held(self._drawn, row, scale)
        baseline = self._resting(motion.expression, model)
        expression, gaze = smooth[6:-4].astype(np.float32), smooth[-4:].reshape(2, 2).astype(np.float32)
        return reduce_motion(smooth[:6], expression, gaze, baseline, model)

    def _resting(self, expression: Floats, model: FaceModel) -> Floats:
        """The baseline so far: the population's at first, the track's own calm moments by and by."""
        self._memory.append(expression)
        self._frames += 1
        if self._baseline is None:
            self._baseline = photo_baseline(expression, model)
        if len(self._memory) >= BASELINE_FRAMES and self._frames % RENEW_FRAMES == 0:
            self._wanted = track_baseline(np.array(self._memory, np.float32))
        if self._wanted is not None:
            self._baseline = self._baseline + np.float32(BASELINE_SHARE) * (self._wanted - self._baseline)
        return self._baseline


def _cutoffs() -> npt.NDArray[np.float64]:
    cutoffs = np.concatenate([_POSE_HZ, np.full(EXPRESSION_COUNT, _EXPRESSION_HZ), np.full(4, _GAZE_HZ)])
    cutoffs[[6 + blink for blink in BLINKS]] = 1e6  # a blink is too short to be smoothed
    return cutoffs


def _betas() -> npt.NDArray[np.float64]:
    return np.concatenate([_POSE_BETA, np.full(EXPRESSION_COUNT, _EXPRESSION_BETA), np.full(4, _GAZE_BETA)])


def _held(smooth: npt.NDArray[np.float64], seen: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.float64]:
    """smooth (62,), nowhere further from what was seen than the hole's margin bears."""
    most = np.full_like(seen, np.inf)
    most[:2] = MOST_SHIFT_CM * scale
    most[2:6] = MOST_GROWTH, MOST_TURN_RAD, MOST_TURN_RAD, MOST_TURN_RAD
    most[6 + JAW_OPEN] = MOST_JAW
    return np.asarray(seen + np.clip(smooth - seen, -most, most))
