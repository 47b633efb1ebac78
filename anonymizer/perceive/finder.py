"""Finds every face of a frame by several witnesses: CenterFace, the full-range detector and the landmarks themselves.

What is believed, measured on scenes with and without faces: the landmark network's presence is near 1 on faces and
near 0 elsewhere, so it confirms weak boxes; a box it does not confirm (a profile, a face half hidden, a tiny one) is
kept when CenterFace alone is sure, or when both detectors agree. Raises rather than saying "no face" after a failure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from anonymizer.faces import Box, Face, Floats
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.centerface import CenterFace
from anonymizer.perceive.detections import Detection, same_face, suppressed
from anonymizer.perceive.fullrange import FullRange
from anonymizer.perceive.landmarks import FacePoints, Landmarker, bounds
from anonymizer.perceive.views import View, still_views

DOUBTFUL_ROLL_RAD = math.radians(25)  # beyond it an upright look is tried too


@dataclass(frozen=True, slots=True)
class FinderSettings:
    """How hard to look, and what to believe.

    detector_side_px: the frame's longer side as CenterFace sees it in video. threads: of each network.
    min_score: below it CenterFace is not heard. full_range_score: the same for the other detector.
    sure_score: CenterFace alone is believed. sure_full_range_score: the other alone is believed.
    presence: least presence for landmarks to count in a sure box or along a clip. confirming_presence: the same in a
    weak box, which the landmarks alone make a face. min_landmark_px: smaller boxes get no landmarks.
    """

    detector_side_px: int = 640
    threads: int = 1
    min_score: float = 0.3
    full_range_score: float = 0.5
    sure_score: float = 0.5
    sure_full_range_score: float = 0.85
    presence: float = 0.5
    confirming_presence: float = 0.8
    min_landmark_px: float = 24.0


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    """A face with landmarks, and how far (px) it moved since the frame before."""

    landmarks_px: Floats
    shift_px: tuple[float, float]

    def predicted(self) -> Floats:
        reach = 0.5 * bounds(self.landmarks_px).width
        shift = np.clip(self.shift_px, -reach, reach)
        moved = self.landmarks_px.copy()
        moved[:, :2] += shift.astype(np.float32)
        return moved


class Finder:
    """Holds the networks, and for `find_tracked` the faces of the frame before."""

    def __init__(self, settings: FinderSettings | None = None) -> None:
        self.settings = settings or FinderSettings()
        self._centerface = CenterFace(self.settings.threads)
        self._full_range = FullRange()
        self._landmarker = Landmarker(self.settings.threads)
        self._beside = ThreadPoolExecutor(1, "witness")  # CenterFace looks while landmarks are followed
        self._tracked: tuple[_Tracked, ...] = ()

    def find(self, frame: Frame, thorough: bool = False) -> tuple[Face, ...]:
        """Faces of one frame on its own. thorough: several scales, tiles and turned views, for stills."""
        rgb = frame.rgb
        found = self._faces(rgb, self._detections(rgb), thorough)
        if thorough:
            for view in still_views((rgb.shape[1], rgb.shape[0]), self.settings.detector_side_px):
                fresh = [each for each in self._in_view(rgb, view) if not covered(each.box, found)]
                found += self._faces(rgb, suppressed(fresh), thorough, only_confirmed=view.turns != 0)
        return one_a_face(found)

    def find_tracked(self, frame: Frame, witness: bool = True) -> tuple[Face, ...]:
        """Faces of the next frame of a clip: landmarks are looked for where they were, without a detector.

        witness: also run CenterFace over the frame for faces that are new. It runs anyway when a face was lost;
        with nothing in sight the fast detector runs at least. Call `reset` at a cut.
        """
        rgb = frame.rgb
        looking = self._beside.submit(self._centerface_detections, rgb) if witness else None
        kept, shifts = self._follow(rgb)
        lost = len(kept) < len(self._tracked)
        if witness or lost:
            first = looking.result() if looking is not None else self._centerface_detections(rgb)
            detections = self._weighed_together(rgb, first) if lost or not kept else first
        else:
            detections = () if kept else self._full_range.detect(rgb, self.settings.full_range_score)
        fresh = self._faces(rgb, [each for each in detections if not covered(each.box, kept)])
        faces = one_a_face([*kept, *fresh])
        self._track(faces, shifts)
        return faces

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

    def _follow(self, rgb: RgbImage) -> tuple[list[Face], dict[int, tuple[float, float]]]:
        """Faces re-found from the frame before, and by id() of each how far it moved."""
        kept: list[Face] = []
        shifts: dict[int, tuple[float, float]] = {}
        for old in self._tracked:
            points = self._landmarker.at_landmarks(rgb, old.predicted())
            if points is None or points.presence < self.settings.presence:
                continue
            face = _face(points)
            if not covered(face.box_px, kept):
                dx, dy = (points.landmarks_px - old.landmarks_px)[:, :2].mean(axis=0)
                shifts[id(face)] = (float(dx), float(dy))
                kept.append(face)
        return kept, shifts

    def _track(self, faces: Iterable[Face], shifts: dict[int, tuple[float, float]]) -> None:
        """Follow these faces from now on. shifts: how far each moved, by id()."""
        self._tracked = tuple(
            _Tracked(face.landmarks_px, shifts.get(id(face), (0.0, 0.0)))
            for face in faces
            if face.landmarks_px is not None
        )

    def _centerface_detections(self, rgb: RgbImage) -> tuple[Detection, ...]:
        return self._centerface.detect(rgb, self.settings.detector_side_px, self.settings.min_score)

    def _detections(self, rgb: RgbImage) -> tuple[Detection, ...]:
        """Both detectors; a box on which they agree counts as sure."""
        return self._weighed_together(rgb, self._centerface_detections(rgb))

    def _weighed_together(self, rgb: RgbImage, first: tuple[Detection, ...]) -> tuple[Detection, ...]:
        """CenterFace's detections `first` and the other detector's, weighed against each other."""
        second = self._full_range.detect(rgb, self.settings.full_range_score)
        agreed = [_with_support(each, second, self.settings.sure_score) for each in first]
        alone = [self._weighed(each) for each in second if not _covered_by(each.box, first)]
        return tuple(agreed + alone)

    def _weighed(self, detection: Detection) -> Detection:
        """A full-range detection on CenterFace's scale: sure only where it is very sure itself."""
        sure = detection.score >= self.settings.sure_full_range_score
        score = detection.score if sure else min(detection.score, self.settings.sure_score * 0.99)
        return Detection(detection.box, score, detection.roll_rad)

    def _in_view(self, rgb: RgbImage, view: View) -> tuple[Detection, ...]:
        part = np.ascontiguousarray(np.rot90(view.cut(rgb), -view.turns))
        found = self._centerface.detect(part, view.detector_side_px, self.settings.min_score)
        return tuple(view.to_frame(each, (part.shape[1], part.shape[0])) for each in found)

    def _faces(
        self, rgb: RgbImage, detections: Iterable[Detection], thorough: bool = False, only_confirmed: bool = False
    ) -> list[Face]:
        faces: list[Face] = []
        for detection in detections:
            points = self._points(rgb, detection, thorough)
            if points is not None:
                faces.append(_face(points))
            elif detection.score >= self.settings.sure_score and not only_confirmed:
                faces.append(Face(detection.box, min(1.0, detection.score)))
        return faces

    def _points(self, rgb: RgbImage, detection: Detection, thorough: bool) -> FacePoints | None:
        """Landmarks that are there and on the face that was meant; detectors misjudge the roll of turned heads."""
        if detection.side_px < self.settings.min_landmark_px:
            return None
        sure = detection.score >= self.settings.sure_score
        needed = self.settings.presence if sure else self.settings.confirming_presence
        turns = [0.0, math.pi / 2, -math.pi / 2, math.pi] if thorough else [0.0]
        rolls = [detection.roll_rad + turn for turn in turns]
        if abs(detection.roll_rad) > DOUBTFUL_ROLL_RAD:
            rolls.insert(1, 0.0)
        for roll in rolls:
            points = self._landmarker.at_box(rgb, detection.box, roll)
            if points is not None and points.presence >= needed and _fits(points, detection.box):
                return points
        return None


def _face(points: FacePoints) -> Face:
    return Face(bounds(points.landmarks_px), points.presence, points.landmarks_px, points.expression)


def _fits(points: FacePoints, box: Box) -> bool:
    """Did the landmarks stay on the face that the box means?"""
    return same_face(bounds(points.landmarks_px), box, 0.2)


def covered(box: Box, faces: Iterable[Face]) -> bool:
    return any(same_face(box, face.box_px) for face in faces)


def _covered_by(box: Box, detections: Iterable[Detection]) -> bool:
    return any(same_face(box, each.box) for each in detections)


def _with_support(detection: Detection, others: Iterable[Detection], sure_score: float) -> Detection:
    if detection.score < sure_score and _covered_by(detection.box, others):
        return Detection(detection.box, sure_score, detection.roll_rad)
    return detection


def one_a_face(faces: Iterable[Face]) -> tuple[Face, ...]:
    """Each face once, those with landmarks before bare boxes, otherwise in the given order."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda each: each.landmarks_px is None):
        if not covered(face.box_px, kept):
            kept.append(face)
    return tuple(kept)


__all__ = ["Finder", "FinderSettings"]
