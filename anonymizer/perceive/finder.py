"""Finds every face of a frame by several witnesses: CenterFace, the full-range detector and the landmarks themselves.

The landmark network's presence is near 1 on faces and near 0 elsewhere, so it confirms what a detector only suspects;
a box on which it sees nothing (a profile, a face half hidden, a tiny one) is kept where a detector is believed alone
(`looks`). Raises rather than saying "no face" after a failure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from anonymizer.faces import Box, Face, Floats
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.detections import Detection, same_face, suppressed
from anonymizer.perceive.landmarks import FacePoints, Landmarker, bounds, roll_of
from anonymizer.perceive.looks import Looks, LookSettings
from anonymizer.perceive.views import further_views, still_views

DOUBTFUL_ROLL_RAD = math.radians(25)  # beyond it an upright look is tried too
QUARTERS = (0.0, math.pi / 2, -math.pi / 2, math.pi)
LOST_LOOKS = 12  # frames in which a face that was lost is still looked for closely where it was
MAX_NEAR_LOOKS = 6  # of one frame; each takes about a tenth of a look at a frame of 640 px
SETTLING_LOOKS = 4  # at a first frame; landmarks then move by less than a webcam's noise moves them
BARE_POINTS_EVERY = 3  # frames from one look for landmarks to the next, of a face that had none the frame before


@dataclass(frozen=True, slots=True)
class FinderSettings(LookSettings):
    """How hard to look (see LookSettings), and which landmarks to believe.

    presence: least presence for landmarks to count in a believed box or along a clip. confirming_presence: the same
    in a doubted box, which the landmarks alone make a face. min_landmark_px: smaller boxes get no landmarks.
    sure_score: what CenterFace says above it is no mistake.
    """

    presence: float = 0.5
    confirming_presence: float = 0.8
    min_landmark_px: float = 24.0
    sure_score: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A face of the frame before, how far (px) it moved since the one before that, and for how long it is lost."""

    face: Face
    shift_px: tuple[float, float]
    lost: int = 0

    def predicted(self, landmarks_px: Floats) -> Floats:
        moved = landmarks_px.copy()
        moved[:, :2] += np.array(self.shift(), np.float32)
        return moved

    def box(self) -> Box:
        (dx, dy), box = self.shift(), self.face.box_px
        return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)

    def shift(self) -> tuple[float, float]:
        reach = 0.5 * self.face.box_px.width
        dx, dy = np.clip(self.shift_px, -reach, reach)
        return (float(dx), float(dy)) if not self.lost else (0.0, 0.0)


class Finder:
    """Holds the networks, and for `find_tracked` the faces of the frame before."""

    def __init__(self, settings: FinderSettings | None = None) -> None:
        self.settings = settings or FinderSettings()
        self._looks = Looks(self.settings)
        self._landmarker = Landmarker(self.settings.threads)
        self._beside = ThreadPoolExecutor(1, "witness")  # CenterFace looks while landmarks are followed
        self._tracked: tuple[Tracked, ...] = ()
        self._step = self._frames = 0

    def find(self, frame: Frame, thorough: bool = False) -> tuple[Face, ...]:
        """Faces of one frame on its own. thorough: several scales, tiles and turned views, for stills."""
        rgb = frame.rgb
        found = self._faces(rgb, self._looks.both(rgb), thorough)
        if thorough:
            for view in still_views((rgb.shape[1], rgb.shape[0]), self.settings.side_px):
                fresh = [each for each in self._looks.in_view(rgb, view) if not covered(each.box, found)]
                found += self._faces(rgb, suppressed(fresh), thorough)
        return one_a_face(found)

    def find_tracked(self, frame: Frame, witness: bool = True, further: bool = False) -> tuple[Face, ...]:
        """Faces of the next frame of a clip: landmarks are looked for where they were, without a detector.

        witness: also run CenterFace over the frame for faces that are new. It runs anyway when a face was lost;
        with nothing in sight the fast detector runs at least. further: one more look, at the frame turned, each time
        another way. Call `reset` at a cut.
        """
        rgb = frame.rgb
        self._frames += 1
        looking = self._beside.submit(self._looks.at_all, rgb) if witness else None
        kept = self._follow(rgb)
        lost = [old for old in self._tracked if old not in kept]
        just_lost = any(old.face.landmarks_px is not None and not old.lost for old in lost)
        if witness or just_lost:
            first = looking.result() if looking is not None else self._looks.at_all(rgb)
            detections = self._looks.both(rgb, first) if just_lost or not kept or self.settings.agreed else first
        else:
            detections = () if kept else self._looks.fast(rgb)
        found = [_with_box(face, detections) for face in kept.values()]
        fresh = [each for each in detections if not covered(each.box, found)]
        if further:
            fresh += [each for each in self._look_further(rgb) if not covered(each.box, found)]
        found += self._faces(rgb, suppressed(fresh))
        missing = [old for old in lost if not covered(old.box(), found)]
        again = self._look_near(rgb, missing)
        faces = one_a_face([*found, *(face for face in again.values() if face is not None)])
        self._tracked = self._remembered(faces, again)
        return faces

    def find_first(self, frame: Frame) -> tuple[Face, ...]:
        """Faces of a clip's or a shot's first frame: a thorough look, from which `find_tracked` goes on."""
        self._tracked = ()
        faces = tuple(self._settled(frame.rgb, face) for face in self.find(frame, thorough=True))
        self._tracked = self._remembered(faces, {})
        return faces

    def trace_back(self, frames: Sequence[Frame], face: Face) -> list[Face]:
        """Where a face that is new was before: frames from the latest to the earliest -> its faces in the same order,
        as far as it can be seen without a break."""
        out: list[Face] = []
        for frame in frames:
            at = self._again(frame.rgb, Tracked(face, (0.0, 0.0)))
            if at is None:
                break
            out.append(at)
            face = at
        return out

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
        """Does CenterFace hear of a face about `box`, rolled so far, in any of several close looks, however faintly?"""
        return self._looks.heard_of(rgb, box, least_score, roll_rad)

    def reset(self) -> None:
        """Forget the frame before."""
        self._tracked = ()

    def close(self) -> None:
        """Drop the networks."""
        self._beside.shutdown()
        self._landmarker.close()
        self.__dict__.clear()

    def __enter__(self) -> Finder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, rgb: RgbImage) -> dict[Tracked, Face]:
        """Faces re-found by their landmarks from the frame before."""
        kept: dict[Tracked, Face] = {}
        for old in self._tracked:
            face = None if old.lost else self._followed(rgb, old)
            if face is not None and not covered(face.box_px, kept.values()):
                kept[old] = face
        return kept

    def _followed(self, rgb: RgbImage, old: Tracked) -> Face | None:
        if old.face.landmarks_px is None:
            return None
        points = self._landmarker.at_landmarks(rgb, old.predicted(old.face.landmarks_px))
        return _face(points) if points is not None and points.presence >= self.settings.presence else None

    def _settled(self, rgb: RgbImage, face: Face) -> Face:
        """The face as following it will see it: landmarks looked for at a box move over the next few frames, up to
        half a px each, until they look where they themselves point."""
        for _ in range(SETTLING_LOOKS):
            again = self._followed(rgb, Tracked(face, (0.0, 0.0)))
            if again is None or not same_face(face.box_px, again.box_px):
                break
            face = replace(again, detected_box=face.detected_box)
        return face

    def _look_further(self, rgb: RgbImage) -> tuple[Detection, ...]:
        views = further_views((rgb.shape[1], rgb.shape[0]))
        self._step += 1
        return self._looks.in_view(rgb, views[self._step % len(views)])

    def _look_near(self, rgb: RgbImage, missing: Sequence[Tracked]) -> dict[Tracked, Face | None]:
        """A close look where faces were lost, those lost last first."""
        order = sorted(missing, key=lambda old: old.lost)
        return {old: self._again(rgb, old) if number < MAX_NEAR_LOOKS else None for number, old in enumerate(order)}

    def _again(self, rgb: RgbImage, old: Tracked) -> Face | None:
        face = self._followed(rgb, old)
        if face is not None:
            return face
        found = self._looks.near(rgb, old.box(), old.face.roll_rad)
        if found is None:
            return None
        points = self._points(rgb, found, False) if self._due(found) else None
        return _face(points, found) if points is not None else _bare(found)

    def _remembered(self, faces: Iterable[Face], again: dict[Tracked, Face | None]) -> tuple[Tracked, ...]:
        """The faces of this frame with their movement, and for a while those that were lost."""
        now = []
        for face in faces:
            before = min(self._tracked, key=lambda old: _apart(old.face, face), default=None)
            shift = (0.0, 0.0)
            if before is not None and same_face(before.face.box_px, face.box_px) and not before.lost:
                shift = _shift(before.face, face)
            now.append(Tracked(face, shift))
        gone = [old for old, face in again.items() if face is None and old.lost < LOST_LOOKS]
        return (*now, *(replace(old, lost=old.lost + 1) for old in gone))

    def _faces(self, rgb: RgbImage, detections: Iterable[Detection], thorough: bool = False) -> list[Face]:
        faces: list[Face] = []
        for detection in detections:
            points = self._points(rgb, detection, thorough) if thorough or self._due(detection) else None
            if points is not None:
                faces.append(_face(points, detection))
            elif detection.score >= self.settings.min_score:
                faces.append(_bare(detection))
        return faces

    def _due(self, detection: Detection) -> bool:
        """Is it this frame's turn to look for landmarks there? Where there were none the frame before, seldom are."""
        if self._frames % BARE_POINTS_EVERY == 0:
            return True
        bare = (old.face for old in self._tracked if old.face.landmarks_px is None and not old.lost)
        return not covered(detection.box, bare)

    def _points(self, rgb: RgbImage, detection: Detection, thorough: bool) -> FacePoints | None:
        """Landmarks that are there and on the face that was meant; detectors misjudge the roll of turned heads."""
        if detection.side_px < self.settings.min_landmark_px:
            return None
        believed = detection.score >= self.settings.min_score
        needed = self.settings.presence if believed else self.settings.confirming_presence
        rolls = [detection.roll_rad + turn for turn in (QUARTERS if thorough else QUARTERS[:1])]
        if abs(detection.roll_rad) > DOUBTFUL_ROLL_RAD:
            rolls.insert(1, 0.0)
        for roll in rolls:
            points = self._landmarker.at_box(rgb, detection.box, roll)
            if points is not None and points.presence >= needed and _fits(points, detection.box):
                return points
        return None


def _face(points: FacePoints, detection: Detection | None = None) -> Face:
    return Face(
        bounds(points.landmarks_px),
        points.presence,
        points.landmarks_px,
        points.expression,
        None if detection is None else detection.box,
        roll_of(points.landmarks_px),
    )


def _bare(detection: Detection) -> Face:
    return Face(detection.box, min(1.0, detection.score), None, None, detection.box, detection.roll_rad)


def _with_box(face: Face, detections: Iterable[Detection]) -> Face:
    """A face with the box that a detector drew around it in the same frame, where one did."""
    boxes = [each.box for each in detections if same_face(each.box, face.box_px)]
    return replace(face, detected_box=max(boxes, key=face.box_px.iou)) if boxes else face


def _shift(before: Face, face: Face) -> tuple[float, float]:
    if before.landmarks_px is not None and face.landmarks_px is not None:
        dx, dy = (face.landmarks_px - before.landmarks_px)[:, :2].mean(axis=0)
        return float(dx), float(dy)
    (x0, y0), (x1, y1) = before.box_px.center, face.box_px.center
    return x1 - x0, y1 - y0


def _apart(one: Face, other: Face) -> float:
    (x0, y0), (x1, y1) = one.box_px.center, other.box_px.center
    return math.hypot(x1 - x0, y1 - y0)


def _fits(points: FacePoints, box: Box) -> bool:
    """Did the landmarks stay on the face that the box means?"""
    return same_face(bounds(points.landmarks_px), box, 0.2)


def covered(box: Box, faces: Iterable[Face]) -> bool:
    return any(same_face(box, face.box_px) for face in faces)


def one_a_face(faces: Iterable[Face]) -> tuple[Face, ...]:
    """Each face once, those with landmarks before bare boxes, otherwise in the given order."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda each: each.landmarks_px is None):
        if not covered(face.box_px, kept):
            kept.append(face)
    return tuple(kept)


__all__ = ["Finder", "FinderSettings"]
