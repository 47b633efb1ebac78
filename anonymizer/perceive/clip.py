"""Looks at a whole clip, then plans every frame: who is where, in which pose, and what is only covered.

Only the last few frames are kept, to look back in; of all others only boxes and fitted motion.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, LANDMARK_COUNT, Box, Face, MotionCode, PlannedFace
from anonymizer.frames import Frame
from anonymizer.geometry import in_outline, rotation_from_vector
from anonymizer.guard.coverage import hull
from anonymizer.perceive.boxes import around
from anonymizer.perceive.cuts import CutDetector
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.elsewhere import seen_elsewhere
from anonymizer.perceive.evidence import has_landmarks, is_mistake
from anonymizer.perceive.finder import Finder
from anonymizer.perceive.hands_in_time import HandsInTime, LooksForHands
from anonymizer.perceive.motion import (
    BLINKS,
    JAW_OPEN,
    Motion,
    fit_motion,
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
from anonymizer.persona.face_model import FaceModel
from anonymizer.stages import PersonMasker

LONGEST_GAP = 12  # frames without landmarks that are bridged by drawing the motion between
BASELINE_FRAMES = 45  # a track shorter than this says too little of a face's resting values
POSE_SHARE, EXPRESSION_SHARE, GAZE_SHARE = 0.5, 0.25, 0.3  # of the window: sigma of the smoothing
# What smoothing may take off before the face could leave its hole: cm, relative size, radians, jaw coefficient.
MOST_SHIFT_CM, MOST_GROWTH, MOST_TURN_RAD, MOST_JAW = 0.25, 0.02, 0.05, 0.15
FACE_WIDTH_CM = 15.5
# Of a detector's box, which ends at brows and temples, to the box of the oval that covers the face; and how far a small
# box may be off: CenterFace tells places in steps of four px.
COVER_SCALE, COVER_PX = 1.6, 1.5
_HAD_LANDMARKS = np.zeros((LANDMARK_COUNT, 3), np.float32)  # stands for landmarks that were fitted and forgotten
_HAD_EXPRESSION = np.zeros(EXPRESSION_COUNT, np.float32)


TRACED_FRAMES = 12  # of the latest, in which a face that is new is looked for backwards; forgotten after that
# A detector's box, less its corners, lies in the hole of a plain face; where it does not, or landmarks are guesses
# (turned far, or few px), the box is erased too.
BOX_CORE = 0.8
GUESSED_TURN_COS = float(np.cos(np.deg2rad(42)))
GUESSED_WIDTH_CM_PX = 30.0
OVAL_SCALE = 1.3
# Landmarks that slid off a face behind a hand had a presence of .92 to .98 and .56 cm; on plain faces they have .99 and
# more and .2 to .4 cm.
SURE_PRESENCE = 0.985
SURE_RESIDUAL_CM = 0.45  # a head on its crown that was taken for an upright one had .48
GUESSED_SCALE = 1.6
# Turned less than a profile, or odd but where the detector is: landmarks' and detector's box hold all but an edge.
PROFILE_COS, AGREED_IOU, AGREED_SCALE = float(np.cos(np.deg2rad(60))), 0.65, 1.35
LYING_RAD, LYING_SCALE = 0.8, 2.0  # the detector's box of a lying head of 57 px had 38
# Landmarks whose size is not that of the frames about them have slid: a head that lay had .55 of its size for a frame.
SLID_FRAMES, SLID_GROWTH = 3, 0.22  # to each side; in log size
# A head that came back from 81 degrees had sure landmarks, 45 degrees off, in five frames between doubted ones.
DOUBT_FRAMES, MANY_DOUBTS = 6, 3  # to each side


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


def has_slid(motions: Sequence[Motion | None], step: int) -> bool:
    """Is the face of a step much larger or smaller than in the frames about it?"""
    here, about = motions[step], [m for m in motions[_window(step)] if m is not None]
    if here is None or len(about) < 2:
        return False
    return abs(float(here.pose[2] - np.median([m.pose[2] for m in about]))) > SLID_GROWTH


def among_doubts(faces: Sequence[Face | None], step: int) -> bool:
    """Were many landmarks just before or just after doubted? A profile's seem sure again before they are right."""
    sides = faces[max(0, step - DOUBT_FRAMES) : step], faces[step + 1 : step + 1 + DOUBT_FRAMES]
    return any(sum(_is_doubted(face) for face in side) >= MANY_DOUBTS for side in sides)


def _is_doubted(face: Face | None) -> bool:
    return face is not None and face.landmarks_px is not None and face.detected_box is not None


def _about(track: Track, step: int) -> Box:
    """Around all places of a track in the frames about a step."""
    box: Box = track.boxes[step]
    for other in track.boxes[_window(step)]:
        box = around(box, other)
    return box


def _window(step: int) -> slice:
    return slice(max(0, step - SLID_FRAMES), step + SLID_FRAMES + 1)


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


def cover_of(box: Box) -> Box:
    """The box of the oval that covers the face in a detector's box."""
    grown = box.scaled(COVER_SCALE)
    return Box(grown.x0 - COVER_PX, grown.y0 - COVER_PX, grown.x1 + COVER_PX, grown.y1 + COVER_PX)


def doubted_box(face: Face, motion: Motion, model: FaceModel) -> Box | None:
    """A box to erase as well, where the hole made from the landmarks may not hold all of the face."""
    code = reduce_motion(motion.pose, motion.expression, motion.gaze, photo_baseline(motion.expression, model), model)
    facing = float(rotation_from_vector(code.rotation)[2, 2])
    guessed = facing < PROFILE_COS or FACE_WIDTH_CM * code.scale_px_per_cm < GUESSED_WIDTH_CM_PX
    odd = face.confidence < SURE_PRESENCE or motion.residual_px > SURE_RESIDUAL_CM * np.exp(motion.pose[2])
    if guessed or odd or facing < GUESSED_TURN_COS:
        agreed = face.detected_box is not None and face.box_px.iou(face.detected_box) >= AGREED_IOU
        scale = GUESSED_SCALE if guessed or (odd and not agreed) else AGREED_SCALE
        scale = scale if abs(face.roll_rad) < LYING_RAD else LYING_SCALE
        return around(face.box_px, face.detected_box or face.box_px).scaled(scale)
    if face.detected_box is None:
        return None
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    core = face.detected_box.scaled(BOX_CORE)
    (x, y), half = core.center, (core.width / 2, core.height / 2)
    points = np.stack([x + half[0] * np.cos(angle), y + half[1] * np.sin(angle)], 1)
    held = in_outline(points, hull(code, "face", model))
    return None if held.all() else face.detected_box.scaled(OVAL_SCALE)


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
