"""Looks at a whole clip, then plans every frame: who is where, in which pose, and what is only covered.

Only the last few frames are kept, to look back in; of all others only boxes and fitted motion.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, LANDMARK_COUNT, Box, Face, MotionCode, PlannedFace
from anonymizer.frames import Frame
from anonymizer.perceive.boxes import around
from anonymizer.perceive.cuts import CutDetector
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.doubts import GUESSED_SCALE, among_doubts, cover_of, doubted_box, has_slid, window
from anonymizer.perceive.elsewhere import seen_elsewhere
from anonymizer.perceive.evidence import has_landmarks, is_mistake
from anonymizer.perceive.finder import Finder
from anonymizer.perceive.hands_in_time import HandsInTime, LooksForHands
from anonymizer.perceive.motion import (
    JAW_OPEN,
    MOVES_S,
    Motion,
    fit_motion,
    kept_still,
    photo_baseline,
    reduce_motion,
    reduce_still,
    track_baseline,
)
from anonymizer.perceive.person import MasksWhenAsked
from anonymizer.perceive.second_look import SecondLook
from anonymizer.perceive.smoothing import smooth_series
from anonymizer.perceive.tracks import Track, link_clip
from anonymizer.perceive.vanished import Vanished
from anonymizer.persona.face_model import BLINKS, FaceModel
from anonymizer.stages import PersonMasker

LONGEST_GAP = 12  # frames without landmarks that are bridged by drawing the motion between
BASELINE_FRAMES = 45  # a track shorter than this says too little of a face's resting values
POSE_SHARE, EXPRESSION_SHARE, GAZE_SHARE = 0.5, 0.25, 0.3  # of the window: sigma of the smoothing
# What smoothing may take off before the face could leave its hole: cm, relative size, radians, jaw coefficient.
MOST_SHIFT_CM, MOST_GROWTH, MOST_TURN_RAD, MOST_JAW = 0.25, 0.02, 0.05, 0.15
_HAD_LANDMARKS = np.zeros((LANDMARK_COUNT, 3), np.float32)  # stands for landmarks that were fitted and forgotten
_HAD_EXPRESSION = np.zeros(EXPRESSION_COUNT, np.float32)


TRACED_FRAMES = 12  # of the latest, in which a face that is new is looked for backwards; forgotten after that


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """witness_every: frames from one look of the second detector to the next. window_s: smoothing to each side.

    further_every: frames from one further look (the frame turned) to the next; 0 = none.
    """

    witness_every: int
    window_s: float
    fps_hz: float
    further_every: int = 3


class ClipPlanner:
    """A ClipObserver."""

    def __init__(
        self,
        finder: Finder,
        model: FaceModel,
        settings: ClipSettings,
        masker: PersonMasker | None = None,
        hands: LooksForHands | None = None,
    ) -> None:
        self._finder, self._model, self._settings = finder, model, settings
        self._cut_detector = CutDetector()
        self._cuts: set[int] = set()
        self._observations: list[tuple[Face, ...]] = []
        self._motions: dict[int, Motion] = {}  # by id of the face, which _observations keeps alive
        self._size_px = (0, 0)
        self._recent: deque[Frame] = deque(maxlen=TRACED_FRAMES)
        masks = MasksWhenAsked(masker)
        self._vanished = Vanished(settings.fps_hz, masks)
        self._second_look = SecondLook(finder, masks)
        self._hands = None if hands is None else HandsInTime(hands)

    def observe(self, frame: Frame) -> None:
        index = len(self._observations)
        self._size_px = (frame.rgb.shape[1], frame.rgb.shape[0])
        if self._cut_detector.is_cut(frame.rgb):
            self._cuts.add(index)
            self._recent.clear()
        if index == 0 or index in self._cuts:
            faces = self._finder.find_first(frame)
        else:
            every = self._settings.further_every
            witness = index % self._settings.witness_every == 0
            faces = self._finder.find_tracked(frame, witness, further=every > 0 and index % every == 0)
        fresh = [not self._was_there(face) for face in faces]
        self._trace_back([face for face, new in zip(faces, fresh, strict=True) if new])
        self._observations.append(tuple(self._reduced(face) for face in faces))
        self._look_again(frame, self._observations[-1], fresh)
        self._vanished.observe(index, frame, self._observations[-1], index in self._cuts)
        if self._hands is not None:
            self._hands.observe(index, frame.rgb, self._observations[-1], index in self._cuts)
        self._recent.append(frame)

    def plan(self) -> list[tuple[PlannedFace, ...] | None]:
        blank: set[int] = set()
        planned: list[list[PlannedFace]] = [[] for _ in self._observations]
        tracks = link_clip(self._observations, self._size_px, frozenset(self._cuts))
        if not self._finder.settings.agreed:
            tracks = tuple(t for t in tracks if not is_mistake(t, self._size_px, self._second_look.backed))
        for track in tracks:
            needless = seen_elsewhere(track, tracks)
            for index, face in self._plan_track(track):
                if index not in needless:
                    planned[index].append(face)
            for index, person in self._vanished.beyond(track):
                if person is None:
                    blank.add(index)
                else:
                    planned[index].append(person)
        if self._hands is not None:
            self._hands.plan(planned)
        return [None if index in blank else tuple(faces) for index, faces in enumerate(planned)]

    def _was_there(self, face: Face) -> bool:
        """Was it seen in the frame before?"""
        before = self._observations[-1] if self._observations and self._recent else ()
        return any(same_face(face.box_px, old.box_px, 0.1) for old in before)

    def _trace_back(self, fresh: list[Face]) -> None:
        """Add where faces that are new were before, in the frames that are still at hand."""
        if not self._recent:
            return
        frames = list(reversed(self._recent))
        for face in fresh:
            for step, earlier in enumerate(self._finder.trace_back(frames, face)):
                at = len(self._observations) - 1 - step
                if any(same_face(earlier.box_px, old.box_px) for old in self._observations[at]):
                    break
                traced = self._reduced(earlier)
                self._look_again(frames[step], (traced,), [False])
                self._observations[at] += (traced,)

    def _look_again(self, frame: Frame, faces: tuple[Face, ...], fresh: list[bool]) -> None:
        if not self._finder.settings.agreed:  # else all is believed that anything hears of
            self._second_look.observe(frame, faces, fresh)

    def _reduced(self, face: Face) -> Face:
        if face.landmarks_px is None:
            return face
        try:
            motion = fit_motion(face, self._model)
        except (ValueError, np.linalg.LinAlgError):
            return Face(face.box_px, face.confidence)  # still covered, without a persona
        doubted = doubted_box(face, motion, self._model)
        kept = Face(face.box_px, face.confidence, _HAD_LANDMARKS, _HAD_EXPRESSION, doubted)
        self._motions[id(kept)] = motion
        return kept

    def _plan_track(self, track: Track) -> list[tuple[int, PlannedFace]]:
        motions = [self._motions.get(id(face)) if face is not None else None for face in track.faces]
        codes = self._codes(motions) if has_landmarks(track) else [None] * len(motions)
        out = []
        for step, (box, code) in enumerate(zip(track.boxes, codes, strict=True)):
            face = track.faces[step]
            cover = cover_of(box)
            if face is not None and motions[step] is not None and code is not None:
                cover_box = face.detected_box  # kept only where it is not plainly in the hole
                if has_slid(motions, step) or (cover_box is None and among_doubts(track.faces, step)):
                    about = _about(track, step).scaled(GUESSED_SCALE)
                    cover_box = around(about, cover_box or about)
            else:
                cover_box = cover
            planned = PlannedFace(track.slot, code, cover_box)
            out.append((track.first_index + step, planned))
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
        smooth = smooth_series(series, self._sigma())
        drawn, reach = smooth.copy(), math.ceil(MOVES_S * self._settings.fps_hz)
        for step in range(1, len(smooth)):
            about = smooth[max(0, step - reach) : step + reach + 1]
            drawn[step] = kept_still(drawn[step - 1], smooth[step], about)
        drawn = _held(drawn, series)
        bridged = _bridged(known)
        return [self._code(row, baseline) if there else None for row, there in zip(drawn, bridged, strict=True)]

    def _sigma(self) -> npt.NDArray[np.float64]:
        """Frames, of each column of the series; a blink is too short to be smoothed."""
        frames = self._settings.window_s * self._settings.fps_hz
        shares = np.repeat([POSE_SHARE, EXPRESSION_SHARE, GAZE_SHARE], [6, EXPRESSION_COUNT, 4])
        shares[[6 + blink for blink in BLINKS]] = 0
        return np.asarray(frames * shares)

    def _code(self, row: npt.NDArray[np.float64], baseline: npt.NDArray[np.float32]) -> MotionCode:
        expression, gaze = row[6:-4].astype(np.float32), row[-4:].reshape(2, 2).astype(np.float32)
        return reduce_motion(row[:6], expression, gaze, baseline, self._model)


def _about(track: Track, step: int) -> Box:
    """Around all places of a track in the frames about a step."""
    box: Box = track.boxes[step]
    for other in track.boxes[window(step)]:
        box = around(box, other)
    return box


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
    return planned_alone(finder.find(frame, thorough=True), model)


def planned_alone(faces: Sequence[Face], model: FaceModel) -> tuple[PlannedFace, ...]:
    """The faces of one frame of which nothing else is known, from left to right."""
    planned = []
    for slot, face in enumerate(sorted(faces, key=lambda f: f.box_px.x0)):
        code = None
        cover_box: Box | None = cover_of(face.box_px)
        if face.landmarks_px is not None:
            try:
                motion = fit_motion(face, model)
                code = reduce_still(motion, model)
                cover_box = doubted_box(face, motion, model)
            except (ValueError, np.linalg.LinAlgError):
                code = None
        planned.append(PlannedFace(slot, code, cover_box))
    return tuple(planned)
