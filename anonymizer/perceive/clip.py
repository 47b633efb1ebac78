"""Looks at a whole clip, then plans every frame: who is where, in which pose, and what is only covered.

Of each frame no pixel and no landmark is kept, only boxes and fitted motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, LANDMARK_COUNT, Face, MotionCode, PlannedFace
from anonymizer.frames import Frame
from anonymizer.perceive.cuts import CutDetector
from anonymizer.perceive.finder import Finder
from anonymizer.perceive.motion import (
    BLINKS,
    JAW_OPEN,
    Motion,
    fit_motion,
    photo_baseline,
    reduce_motion,
    track_baseline,
)
from anonymizer.perceive.smoothing import smooth_series
from anonymizer.perceive.tracks import Track, link_clip
from anonymizer.persona.face_model import FaceModel

LONGEST_GAP = 12  # frames without landmarks that are bridged by drawing the motion between
BASELINE_FRAMES = 45  # a track shorter than this says too little of a face's resting values
POSE_SHARE, EXPRESSION_SHARE, GAZE_SHARE = 0.5, 0.25, 0.3  # of the window: sigma of the smoothing
# What smoothing may take off before the face could leave its hole: cm, relative size, radians, jaw coefficient.
MOST_SHIFT_CM, MOST_GROWTH, MOST_TURN_RAD, MOST_JAW = 0.25, 0.02, 0.05, 0.15
COVER_SCALE = 1.3  # of a detector's box, which ends at the brows and the temples
_HAD_LANDMARKS = np.zeros((LANDMARK_COUNT, 3), np.float32)  # stands for landmarks that were fitted and forgotten
_HAD_EXPRESSION = np.zeros(EXPRESSION_COUNT, np.float32)


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """witness_every: frames from one look of the second detector to the next. window_s: smoothing to each side."""

    witness_every: int
    window_s: float
    fps_hz: float


class ClipPlanner:
    """A ClipObserver."""

    def __init__(self, finder: Finder, model: FaceModel, settings: ClipSettings) -> None:
        self._finder, self._model, self._settings = finder, model, settings
        self._cut_detector = CutDetector()
        self._cuts: set[int] = set()
        self._observations: list[tuple[Face, ...]] = []
        self._motions: dict[int, Motion] = {}  # by id of the face, which _observations keeps alive
        self._size_px = (0, 0)

    def observe(self, frame: Frame) -> None:
        index = len(self._observations)
        self._size_px = (frame.rgb.shape[1], frame.rgb.shape[0])
        if self._cut_detector.is_cut(frame.rgb):
            self._cuts.add(index)
            self._finder.reset()
        witness = index % self._settings.witness_every == 0 or index in self._cuts
        faces = self._finder.find_tracked(frame, witness=witness)
        self._observations.append(tuple(self._reduced(face) for face in faces))

    def plan(self) -> list[tuple[PlannedFace, ...]]:
        planned: list[list[PlannedFace]] = [[] for _ in self._observations]
        for track in link_clip(self._observations, self._size_px, frozenset(self._cuts)):
            for index, face in self._plan_track(track):
                planned[index].append(face)
        return [tuple(faces) for faces in planned]

    def _reduced(self, face: Face) -> Face:
        if face.landmarks_px is None:
            return face
        try:
            motion = fit_motion(face, self._model)
        except (ValueError, np.linalg.LinAlgError):
            return Face(face.box_px, face.confidence)  # still covered, without a persona
        kept = Face(face.box_px, face.confidence, _HAD_LANDMARKS, _HAD_EXPRESSION)
        self._motions[id(kept)] = motion
        return kept

    def _plan_track(self, track: Track) -> list[tuple[int, PlannedFace]]:
        motions = [self._motions.get(id(face)) if face is not None else None for face in track.faces]
        codes = self._codes(motions)
        out = []
        for step, (box, code) in enumerate(zip(track.boxes, codes, strict=True)):
            seen = motions[step] is not None
            face = PlannedFace(track.slot, code, None if seen and code is not None else box.scaled(COVER_SCALE))
            out.append((track.first_index + step, face))
        return out

    def _codes(self, motions: list[Motion | None]) -> list[MotionCode | None]:
        """A smoothed code for each frame of a track that has landmarks or lies in a short gap between such."""
        known = np.array([m is not None for m in motions])
        if not known.any():
            return [None] * len(motions)
        first = next(m for m in motions if m is not None)
        width = 6 + EXPRESSION_COUNT + 4
        series = np.full((len(motions), width), np.nan)
        for row, motion in zip(series, motions, strict=True):
            if motion is not None:
                row[:] = np.concatenate([motion.pose, motion.expression, motion.gaze.ravel()])
        baseline = photo_baseline(first.expression, self._model)
        if known.sum() >= BASELINE_FRAMES:
            baseline = track_baseline(series[known, 6:-4].astype(np.float32))
        smooth = _held(smooth_series(series, self._sigma()), series)
        bridged = _bridged(known)
        return [self._code(row, baseline) if there else None for row, there in zip(smooth, bridged, strict=True)]

    def _sigma(self) -> npt.NDArray[np.float64]:
        """Frames, of each column of the series; a blink is too short to be smoothed."""
        frames = self._settings.window_s * self._settings.fps_hz
        shares = np.repeat([POSE_SHARE, EXPRESSION_SHARE, GAZE_SHARE], [6, EXPRESSION_COUNT, 4])
        shares[[6 + blink for blink in BLINKS]] = 0
        return np.asarray(frames * shares)

    def _code(self, row: npt.NDArray[np.float64], baseline: npt.NDArray[np.float32]) -> MotionCode:
        expression, gaze = row[6:-4].astype(np.float32), row[-4:].reshape(2, 2).astype(np.float32)
        return reduce_motion(row[:6], expression, gaze, baseline, self._model)


def _held(smooth: npt.NDArray[np.float64], seen: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """smooth (T, 62), nowhere further from what was seen (NaN where nothing was) than the hole's margin bears."""
    most = np.full_like(seen, np.inf)
    most[:, :2] = MOST_SHIFT_CM * np.exp(seen[:, 2:3])
    most[:, 2:6] = MOST_GROWTH, MOST_TURN_RAD, MOST_TURN_RAD, MOST_TURN_RAD
    most[:, 6 + JAW_OPEN] = MOST_JAW
    return np.where(np.isnan(seen), smooth, seen + np.clip(smooth - seen, -most, most))


def _bridged(known: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """known, with gaps of at most LONGEST_GAP between two known frames filled."""
    at = np.flatnonzero(known)
    out = known.copy()
    for before, after in pairwise(at):
        if after - before - 1 <= LONGEST_GAP:
            out[before:after] = True
    return out


def plan_still(frame: Frame, finder: Finder, model: FaceModel) -> tuple[PlannedFace, ...]:
    """Every face of one photo, from left to right."""
    planned = []
    for slot, face in enumerate(sorted(finder.find(frame, thorough=True), key=lambda f: f.box_px.x0)):
        code = None
        if face.landmarks_px is not None:
            try:
                motion = fit_motion(face, model)
                baseline = photo_baseline(motion.expression, model)
                code = reduce_motion(motion.pose, motion.expression, motion.gaze, baseline, model)
            except (ValueError, np.linalg.LinAlgError):
                code = None
        planned.append(PlannedFace(slot, code, None if code is not None else face.box_px.scaled(COVER_SCALE)))
    return tuple(planned)
