"""Plans live frames one by one, knowing the past only: follow, hold and widen, then the person, then the frame.

A face in sight with landmarks gets its persona; one without, a cover. A lost one is held where it was, as it was for
a moment, then as a growing cover; then the whole person that stands there is covered, found by another network, until
the face is seen again or nobody is there any more. What cannot be told makes the frame blank: `plan` gives None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Face, PlannedFace
from anonymizer.frames import Frame, RgbImage
from anonymizer.guard.coverage import hull
from anonymizer.perceive.boxes import box_distance, is_outside
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.doubts import OVAL_SCALE, cover_of, doubted_box
from anonymizer.perceive.live_doubts import LiveDoubts
from anonymizer.perceive.live_finder import Sight
from anonymizer.perceive.live_track import LiveTrack
from anonymizer.perceive.motion import Motion, fit_motion
from anonymizer.perceive.person import MOST_PERSON, MasksWhenAsked, PersonRegion
from anonymizer.perceive.tracks import LOW_SCORE, MIN_STEP, SHORT, STEP_GROWTH
from anonymizer.persona.face_model import FaceModel
from anonymizer.stages import PersonMasker

HELD_POSE_S = 0.12  # a lost face keeps its persona for so long: a blink of the landmarks is not seen
HOLD_S = 0.5  # then the cover grows for so long before the whole person is covered
PERSON_S = 10.0  # and the person for so long: by then both detectors have looked some seventy times and seen no face
MISTAKE_S = 0.27  # so long is a face covered that was seen once or twice, unsure and without landmarks
MOST_RESIDUAL_CM = 1.0  # rms of landmarks against the average head; 772 faces of 13 clips stay below .6
LEAST_PX_PER_CM = 0.6  # a face of nine px; landmarks are only looked for in boxes of 24
SPARSE, LEAST_CONTRAST = 16, 2.0  # every 16th px and row; standard deviation of 255, the noise of a covered lens
MOST_STEP = 1.5  # how far, in box sides, a face may have gone while it was out of sight
JUMP_STEP = 4.0  # a face that appears so near to where one was lost is the same; where it was stays covered for a while


class Looks(Protocol):
    """Gives the faces of the next frame; TimeoutError when it cannot tell for now, other errors when it is broken.
    And hears of a face about one place, or not."""

    def look(self, frame: Frame) -> Sight: ...
    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    face: Face
    motion: Motion | None


class LivePlanner:
    """Frames in order, gaps allowed. Used by one thread. believe_all: what any detector hears of is a face."""

    def __init__(self, finder: Looks, masker: PersonMasker, model: FaceModel, believe_all: bool = False) -> None:
        self._finder, self._masker, self._model = finder, MasksWhenAsked(masker), model
        self._doubts = LiveDoubts(finder, self._masker, believe_all)
        self._tracks: list[LiveTrack] = []

    def warm_up(self, frame: Frame) -> None:
        """Use every network once, so that none is slow, or takes more memory, when it is needed first."""
        self.plan(frame)
        self._masker.mask(frame)
        self._finder.heard_of(frame.rgb, Box(0, 0, 100, 100), 1.0)

    def plan(self, frame: Frame) -> tuple[PlannedFace, ...] | None:
        """The faces of a frame; None when it must be blanked."""
        if _is_blind(frame.rgb):
            return None  # whoever was in sight is not forgotten: a camera that shows black tells nothing of them
        try:
            sight = self._finder.look(frame)
        except TimeoutError:
            return None
        if sight.cut:
            for track in self._tracks:
                track.restart()
        seen = [_Seen(face, motion) for face in sight.faces for motion in self._motions(face)]
        self._link(seen, frame, sight.witnessed)
        for track in self._tracks:
            track.witnessed |= any(same_face(track.box, box) for box in sight.witnessed)
        planned: list[PlannedFace] = []
        person: list[PersonRegion] = []
        for track in list(self._tracks):
            faces = self._planned(track, frame, person)
            if faces is None:
                return None
            planned += faces
        return tuple(planned)

    def close(self) -> None:
        self._finder.close()

    def _motions(self, face: Face) -> list[Motion | None]:
        """The face's motion; nothing at all when its landmarks are rubbish, so that its track counts as lost."""
        if face.landmarks_px is None:
            return [None]
        try:
            motion = fit_motion(face, self._model)
        except (ValueError, np.linalg.LinAlgError):
            return []
        px_per_cm = float(np.exp(motion.pose[2]))
        believable = px_per_cm >= LEAST_PX_PER_CM and motion.residual_px <= MOST_RESIDUAL_CM * px_per_cm
        return [motion] if believable else []

    def _link(self, seen: Sequence[_Seen], frame: Frame, witnessed: Sequence[Box]) -> None:
        """Give each face to the track it goes on with, nearest first; the others begin tracks, unless denied."""
        at_s = frame.captured_at_s
        pairs = sorted(
            (distance, t, s)
            for t, track in enumerate(self._tracks)
            for s, each in enumerate(seen)
            if not track.ghost and (distance := _distance(track, each.face.box_px, at_s)) <= _reach(track, at_s)
        )
        free, left = set(range(len(self._tracks))), set(range(len(seen)))
        for _, t, s in pairs:
            if t in free and s in left:
                free.remove(t)
                left.remove(s)
                self._see(self._tracks[t], seen[s], at_s)
        for s in sorted(left, key=lambda each: seen[each].face.box_px.x0):
            if self._doubts.denies(frame, seen[s].face, witnessed):
                continue
            if self._jumped(seen[s], [self._tracks[t] for t in free], frame):
                continue
            track = LiveTrack(self._free_slot(), seen[s].face.box_px, at_s)
            self._see(track, seen[s], at_s)
            self._tracks.append(track)

    def _see(self, track: LiveTrack, seen: _Seen, at_s: float) -> None:
        track.see(seen.face, seen.motion, self._model, at_s)
        track.doubted = doubted_box(seen.face, seen.motion, self._model) if seen.motion is not None else None

    def _jumped(self, seen: _Seen, lost: Sequence[LiveTrack], frame: Frame) -> bool:
        """Let the nearest lost track go on with a face that appeared too far away for a movement, and cover both, if
        anything speaks for a face where it was."""
        at_s = frame.captured_at_s
        near = [
            (distance, n) for n, t in enumerate(lost) if (distance := _distance(t, seen.face.box_px, at_s)) <= JUMP_STEP
        ]
        near = [(d, n) for d, n in near if lost[n].seen_at_s < at_s and not lost[n].ghost]
        if not near:
            return False
        track = lost[min(near)[1]]
        if self._doubts.is_there(frame, track.box):
            self._tracks.append(LiveTrack(track.slot, track.box, track.seen_at_s, ghost=True))
        track.restart()
        self._see(track, seen, at_s)
        return True

    def _free_slot(self) -> int:
        """The lowest that no track has: who leaves and comes back alone is the same persona."""
        taken = {track.slot for track in self._tracks}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _planned(self, track: LiveTrack, frame: Frame, person: list[PersonRegion]) -> list[PlannedFace] | None:
        """What is covered for a track in this frame; None: unknown. Drops tracks that have ended."""
        gone_s = frame.captured_at_s - track.seen_at_s
        if gone_s <= 0:
            return [self._in_sight(track)]
        size_px = (frame.rgb.shape[1], frame.rgb.shape[0])
        box = cover_of(track.lost_box(frame.captured_at_s))
        if is_outside(box, size_px) or gone_s > _longest_s(track):
            self._tracks.remove(track)
            return []
        if gone_s <= HELD_POSE_S and track.code is not None:
            return [PlannedFace(track.slot, track.code, box)]
        if gone_s <= HOLD_S:
            return [PlannedFace(track.slot, None, box)]
        if not person:
            person.append(PersonRegion(self._masker.mask(frame)))
        return self._person(track, box, person[0])

    def _in_sight(self, track: LiveTrack) -> PlannedFace:
        if track.code is None:
            return PlannedFace(track.slot, None, cover_of(track.box))
        outline = hull(track.code, "face", self._model)
        held = _holds(outline, track.box)
        return PlannedFace(track.slot, track.code, track.doubted if held else track.box.scaled(OVAL_SCALE))

    def _person(self, track: LiveTrack, box: Box, region: PersonRegion) -> list[PlannedFace] | None:
        """The person who stands where the face was lost; nobody there: the track has ended."""
        if region.share > MOST_PERSON:
            return None
        outline = region.around(box)
        if outline is None:
            self._tracks.remove(track)
            return []
        return [PlannedFace(track.slot, None, box, outline)]


def _is_blind(rgb: RgbImage) -> bool:
    """Is there next to nothing in the picture, as when the lens is covered or the driver fails?"""
    return bool(rgb[::SPARSE, ::SPARSE].reshape(-1, 3).std(0).max() < LEAST_CONTRAST)


def _holds(outline: npt.NDArray[np.float64], box: Box) -> bool:
    """Does the hole reach around the middle of every side of the landmarks' bounds?"""
    low, high = outline.min(0), outline.max(0)
    return bool(low[0] <= box.x0 and low[1] <= box.y0 and high[0] >= box.x1 and high[1] >= box.y1)


def _distance(track: LiveTrack, box: Box, at_s: float) -> float:
    """From where it was or, having gone on, should be; in box sides."""
    return min(box_distance(track.box, box), box_distance(track.lost_box(at_s), box))


def _reach(track: LiveTrack, at_s: float) -> float:
    frames = max(0.0, (at_s - track.seen_at_s) * 30 - 1)
    return min(MOST_STEP, MIN_STEP + STEP_GROWTH * frames)


def _longest_s(track: LiveTrack) -> float:
    """How long a track is covered out of sight."""
    if track.witnessed and not track.ghost:
        return PERSON_S
    mistake = track.sightings <= SHORT and not track.had_landmarks and track.best_confidence < LOW_SCORE
    return MISTAKE_S if mistake else HOLD_S


__all__ = ["LivePlanner", "Looks"]
