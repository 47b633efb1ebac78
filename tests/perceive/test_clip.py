"""A clip's plan: short gaps are bridged by motion, long ones by covers, and stills go from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from anonymizer.faces import Box, Face, PlannedFace
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.clip import LONGEST_GAP, ClipPlanner, ClipSettings, plan_still
from anonymizer.perceive.doubts import DOUBT_FRAMES, MANY_DOUBTS
from anonymizer.perceive.finder import Finder, FinderSettings
from tests.heads import MODEL, code, seen_face

STILL = Frame(np.full((240, 320, 3), 120, np.uint8))


class KnownFinder(Finder):
    """Sees just what it is told, frame by frame."""

    def __init__(self, *seen: tuple[Face, ...]) -> None:
        self._left = iter(seen)
        self.settings = FinderSettings()

    def find(self, frame: Frame, thorough: bool = False) -> tuple[Face, ...]:
        return next(self._left)

    def find_first(self, frame: Frame) -> tuple[Face, ...]:
        return self.find_tracked(frame)

    def trace_back(self, frames: Sequence[Frame], face: Face) -> list[Face]:
        return []

    def find_tracked(self, frame: Frame, witness: bool = True, further: bool = False) -> tuple[Face, ...]:
        return next(self._left)

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
        return True

    def reset(self) -> None:
        pass


def plan(*seen: tuple[Face, ...]) -> list[PlannedFace]:
    """The one face planned in each frame."""
    planner = ClipPlanner(KnownFinder(*seen), MODEL, ClipSettings(3, 0.12, 30))
    for _ in seen:
        planner.observe(STILL)
    plans = [faces or () for faces in planner.plan()]
    assert {len(faces) for faces in plans} == {1}
    return [faces[0] for faces in plans]


FACE = seen_face(code((160, 120), 5))


def test_odd_landmarks_where_the_detector_is_get_a_smaller_oval() -> None:
    """Presence of .95: 1.45 of both boxes where these agree, 1.6 where the detector's is elsewhere or missing."""

    def cover(detected: Box | None) -> Box:
        (planned,) = plan((replace(FACE, confidence=0.95, detected_box=detected),))
        assert planned.cover_box is not None
        return planned.cover_box

    box = FACE.box_px
    beside = Box(box.x0 + 0.4 * box.width, box.y0, box.x1 + 0.4 * box.width, box.y1)
    assert cover(box).width == pytest.approx(1.45 * box.width, rel=1e-3)
    assert cover(None).width == pytest.approx(1.6 * box.width, rel=1e-3)
    assert cover(beside).width == pytest.approx(1.6 * 1.4 * box.width, rel=1e-3)


@pytest.mark.parametrize(("gap", "bridged"), [(1, True), (LONGEST_GAP, True), (LONGEST_GAP + 1, False), (40, False)])
def test_short_gaps_are_bridged_and_long_ones_covered(gap: int, bridged: bool) -> None:
    """Within LONGEST_GAP the motion is drawn between; beyond it a growing box stands; a box is there in both."""
    faces = plan(*[(FACE,)] * 10, *[()] * gap, *[(FACE,)] * 10)
    missing = faces[10 : 10 + gap]
    assert all((face.code is not None) is bridged for face in missing)
    assert all(face.cover_box is not None and face.cover_box.width > FACE.box_px.width for face in missing)
    seen = faces[:10] + faces[10 + gap :]
    assert all(face.code is not None and face.cover_box is None for face in seen)
    assert {face.slot for face in faces} == {0}


def test_a_face_without_landmarks_is_covered_by_its_box() -> None:
    """Detectors saw it, landmarks did not: a cover a little larger than the box."""
    bare = Face(FACE.box_px, 0.9)
    for face in plan(*[(bare,)] * 12):
        assert face.code is None
        assert face.cover_box is not None
        assert face.cover_box.width > bare.box_px.width


def test_landmarks_that_are_no_numbers_leave_a_cover() -> None:
    """A fit that fails still covers the face."""
    assert FACE.landmarks_px is not None
    wild = Face(FACE.box_px, 0.9, np.full_like(FACE.landmarks_px, np.nan), FACE.expression)
    assert all(face.code is None and face.cover_box is not None for face in plan(*[(wild,)] * 12))


def test_tremble_is_smoothed_and_motion_is_not() -> None:
    """A still head that trembles by a pixel trembles less in the plan; a fast one is where it was seen."""
    rng = np.random.default_rng(0)
    tremble = rng.normal(0, 0.5, (40, 2))
    faces = plan(*[(seen_face(code((160 + x, 120 + y), 5)),) for x, y in tremble])
    kept = np.array([face.code.center_px for face in faces if face.code is not None]) - (160, 120)
    assert kept.std() < 0.6 * tremble.std()
    ramp = [100 + 60 * abs((t % 12) - 6) / 6 for t in range(40)]
    faces = plan(*[(seen_face(code((x, 120), 5)),) for x in ramp])
    places = [face.code.center_px[0] for face in faces if face.code is not None]
    assert np.abs(np.array(places) - ramp).max() <= 0.25 * 5 + 0.2


def test_faces_of_a_photo_count_from_the_left() -> None:
    """Slots go from left to right; landmarks give a code, none a cover."""
    right, left = seen_face(code((250, 100), 4)), seen_face(code((60, 100), 4))
    middle = Face(Box(150, 90, 170, 115), 0.8)
    planned = plan_still(STILL, KnownFinder((right, middle, left)), MODEL)
    assert [face.slot for face in planned] == [0, 1, 2]
    assert [face.code is not None for face in planned] == [True, False, True]
    assert planned[0].code is not None
    assert planned[0].code.center_px[0] == pytest.approx(60, abs=0.5)
    assert planned[1].cover_box is not None


@pytest.mark.parametrize(("presence", "slid_cm", "doubted"), [(1.0, 0.0, False), (0.95, 0.0, True), (1.0, 1.6, True)])
def test_landmarks_that_may_have_slid_are_not_trusted_alone(presence: float, slid_cm: float, doubted: bool) -> None:
    """Behind a hand landmarks are half sure, or fit no head: then more is erased than their hole, all around."""
    assert FACE.landmarks_px is not None
    points = FACE.landmarks_px.copy()
    points[::2, 0] += slid_cm * 5  # px; half of them, so no turn of a head explains it
    slid = replace(FACE, confidence=presence, landmarks_px=points)
    for face in plan(*[(slid,)] * 6):
        assert face.code is not None
        assert (face.cover_box is not None) is doubted
        if face.cover_box is not None:
            assert face.cover_box.width > 1.2 * FACE.box_px.width
            assert face.cover_box.height > 1.2 * FACE.box_px.height


@pytest.mark.parametrize("odd", [0, 3, 5])
def test_landmarks_of_another_size_than_before_and_after_are_not_trusted_alone(odd: int) -> None:
    """For one frame they fit a much smaller head: all places of the frames about it are erased there as well."""
    small = seen_face(code((160, 124), 3))
    planned = plan(*[(small if step == odd else FACE,) for step in range(6)])
    cover = planned[odd].cover_box
    assert cover is not None
    assert cover.width > 1.2 * FACE.box_px.width
    assert [face.cover_box is not None for face in planned] == [step == odd for step in range(6)]


def test_sure_landmarks_among_doubted_ones_are_doubted_too() -> None:
    """A profile's are sure again before they are right: boxes are erased about them until a while after the doubts."""
    half_sure = replace(FACE, confidence=0.95)
    faces = [(half_sure,)] * 4 + [(FACE,)] * 12
    doubted = [face.cover_box is not None for face in plan(*faces)]
    assert doubted == [True] * (4 + DOUBT_FRAMES - MANY_DOUBTS + 1) + [False] * (12 - DOUBT_FRAMES + MANY_DOUBTS - 1)
    once = [face.cover_box is not None for face in plan((half_sure,), *[(FACE,)] * 8)]
    assert once == [True] + [False] * 8
