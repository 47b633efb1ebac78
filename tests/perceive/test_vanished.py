"""Who is lost for good stays covered while a person is there, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from anonymizer.faces import Box, Face, Mask, PlannedFace
from anonymizer.frames import Frame
from anonymizer.perceive.clip import ClipPlanner, ClipSettings
from anonymizer.perceive.tracks import COAST, EDGE_REACH, REACH
from anonymizer.perceive.vanished import HIDDEN, PERSON_S
from tests.heads import MODEL, code, distance_outside, seen_face
from tests.perceive.test_clip import KnownFinder

FPS_HZ = 25.0
FACE = seen_face(code((160, 120), 5))
STILL = np.full((240, 320, 3), 120, np.uint8)
OTHER_SHOT = np.where(np.arange(320)[:, None] < 160, np.uint8(250), np.uint8(5))[None].repeat(240, 0).repeat(3, 2)


@dataclass
class People:
    """A person of 60 by 160 px whose middle is at x(n), None when nobody is there; counts its looks."""

    x: Callable[[int], float | None]
    wide_px: int = 60
    looks: list[int] = field(default_factory=list)

    def mask(self, frame: Frame) -> Mask:
        self.looks.append(frame.index)
        mask, x = np.zeros((240, 320), np.uint8), self.x(frame.index)
        if x is not None:
            mask[80:, max(0, int(x - self.wide_px / 2)) : max(0, int(x + self.wide_px / 2))] = 255
        return mask


def plans(
    people: People, seen: int, count: int, face: Face = FACE, cut_at: int | None = None
) -> list[tuple[PlannedFace, ...] | None]:
    """Of a clip in which a face is seen in the first frames, and then by no detector any more."""
    finder = KnownFinder(*[(face,)] * seen, *[()] * (count - seen))
    planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), people)
    for index in range(count):
        shot = OTHER_SHOT if cut_at is not None and index >= cut_at else STILL
        planner.observe(Frame(shot.copy(), index, index / FPS_HZ))
    return planner.plan()


def test_somebody_no_detector_sees_any_more_stays_covered_to_the_end() -> None:
    """Frame after frame the whole person, from before the track's own reach ends on."""
    people = People(lambda n: 160)
    out = plans(people, 10, 100)
    assert all(faces for faces in out)
    corners = np.array([[131, 81], [189, 81], [189, 239], [131, 239]], np.float64)
    for faces in out[10 + COAST :]:
        outlines = [each.cover_outline for each in faces or () if each.cover_outline is not None]
        assert len(outlines) == 1
        assert (distance_outside(outlines[0], corners) <= 0).all()
    assert people.looks == list(range(10, 100))


def test_nobody_is_looked_for_while_the_face_is_in_sight() -> None:
    """A face that goes on needs no cover of its surroundings."""
    people = People(lambda n: 160)
    assert all(faces is not None and faces[0].cover_outline is None for faces in plans(people, 40, 40))
    assert people.looks == []


def test_a_person_is_followed_while_walking() -> None:
    """Two px a frame: after forty frames nobody stands where the face was."""
    out = plans(People(lambda n: 160 + 2 * max(0, n - 10)), 10, 60)
    for index in (20, 40, 59):
        outline = next(each.cover_outline for each in out[index] or () if each.cover_outline is not None)
        x = 160 + 2 * (index - 10)
        assert outline[:, 0].min() <= x - 29
        assert outline[:, 0].max() >= x + 29
        assert outline[:, 0].min() > x - 60


def test_who_is_hidden_and_comes_out_elsewhere_is_covered_again() -> None:
    """Behind a pillar for twenty frames, out of it sixty px further on; between, all around is covered."""
    out = plans(People(lambda n: 160 if n < 30 else None if n < 50 else 220), 10, 80)
    assert all(out[30:50])
    for faces in out[50:]:
        (outline,) = (each.cover_outline for each in faces or () if each.cover_outline is not None)
        assert outline[:, 0].min() <= 190 <= 250 <= outline[:, 0].max()


def test_a_person_who_left_a_glimpse_and_another_shot_are_not_covered() -> None:
    """The track's own reach is all that is left."""
    gone = plans(People(lambda n: 160 if n < 30 else None), 10, 100)
    assert gone[30 + HIDDEN - 1]
    assert not any(gone[30 + HIDDEN :])
    glimpse = plans(People(lambda n: 160), 2, 80, Face(FACE.box_px, 0.9))
    assert not any(glimpse[2 + REACH :])
    cut = plans(People(lambda n: 160), 10, 80, cut_at=40)
    assert all(cut[:40])
    assert not any(cut[40:])


def test_a_face_that_comes_back_after_long_is_covered_between() -> None:
    """Two tracks, and the person in the gap."""
    finder = KnownFinder(*[(FACE,)] * 10, *[()] * 80, *[(FACE,)] * 10)
    planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), People(lambda n: 160))
    for index in range(100):
        planner.observe(Frame(STILL, index, index / FPS_HZ))
    assert all(planner.plan())


def test_a_person_whose_face_is_in_sight_did_not_vanish() -> None:
    """What was taken for a second face, on the shirt, is not followed; a face elsewhere changes nothing."""
    shirt = Face(Box(140, 170, 180, 215), 0.9)
    for face, followed in ((FACE, False), (seen_face(code((40, 60), 5)), True)):
        finder = KnownFinder(*[(face, shirt)] * 10, *[(face,)] * 60)
        planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), People(lambda n: 160))
        for index in range(70):
            planner.observe(Frame(STILL, index, index / FPS_HZ))
        out = planner.plan()
        assert any(each.cover_outline is not None for each in out[50] or ()) is followed


def test_not_for_ever() -> None:
    """After PERSON_S the detectors, which looked at every frame, are believed."""
    most = round(PERSON_S * FPS_HZ)
    out = plans(People(lambda n: 160), 10, 10 + most + 20)
    assert out[10 + most - 1]
    assert not any(out[10 + most :])


def test_a_frame_full_of_person_is_blank() -> None:
    """A region that large says nothing about where the face is."""

    class Crowd(People):
        def mask(self, frame: Frame) -> Mask:
            return np.full((240, 320), 255, np.uint8)

    out = plans(Crowd(lambda n: 160), 10, 60)
    assert all(faces is not None for faces in out[: 10 + COAST])
    assert all(faces is None for faces in out[10 + COAST :])


@pytest.mark.parametrize("seen", [3, 7])
def test_the_track_itself_reaches_as_far_as_before(seen: int) -> None:
    """With nobody to be seen by the other network, and a face seen for a moment, nothing changes."""
    out = plans(People(lambda n: None), seen, 80)
    assert all(out[: seen + REACH])
    assert not any(out[seen + REACH :])


@dataclass
class Parted:
    """A person of 60 by 160 px at x = 160; from `parted` on only the lowest 24 px of it are marked."""

    parted: int

    def mask(self, frame: Frame) -> Mask:
        mask = np.zeros((240, 320), np.uint8)
        mask[80 if frame.index < self.parted else 216 :, 130:190] = 255
        return mask


def test_of_a_person_half_heard_of_all_stays_covered() -> None:
    """The network hears of the feet alone from frame 30 on: the face, which moves on at a px a frame, stays covered."""
    finder = KnownFinder(*[(FACE,)] * 10, *[()] * 60)
    planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), Parted(30))
    for index in range(70):
        planner.observe(Frame(STILL.copy(), index, index / FPS_HZ))
    for index, faces in list(enumerate(planner.plan()))[30:]:
        x, half = 160 + index - 30, FACE.box_px.width / 2
        corners = np.array([(x - half, 80), (x + half, 80), (x + half, 160), (x - half, 160)], np.float64)
        (outline,) = (each.cover_outline for each in faces or () if each.cover_outline is not None)
        assert (distance_outside(outline, corners) <= 0).all(), index


def test_who_is_left_when_two_had_become_one_is_not_taken_for_the_lost() -> None:
    """Somebody large walks up to the lost person, whom the network forgets: where that person was stays covered."""

    class Two(Parted):
        def mask(self, frame: Frame) -> Mask:
            mask = np.zeros((240, 320), np.uint8)
            if frame.index < 30:
                mask[100:200, 140:180] = 255
            mask[20:, 260 if frame.index < 25 else 160 : 310] = 255
            return mask

    finder = KnownFinder(*[(FACE,)] * 10, *[()] * 50)
    planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), Two(0))
    for index in range(60):
        planner.observe(Frame(STILL.copy(), index, index / FPS_HZ))
    box = FACE.box_px
    corners = np.array([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)], np.float64)
    for faces in planner.plan()[30:]:
        outlines = [each.cover_outline for each in faces or () if each.cover_outline is not None]
        assert any((distance_outside(outline, corners) <= 0).all() for outline in outlines)


@pytest.mark.parametrize(("others", "left_px", "kept"), [(1, 60, True), (0, 60, True), (1, 3, True), (0, 3, False)])
def test_when_everybody_is_lost_at_once_the_detectors_failed(others: int, left_px: float, kept: bool) -> None:
    """Small people of whom the other network sees nothing: two in one frame are no coincidence, nor is one in plain
    view; one at the edge may have left."""
    faces = (Face(Box(left_px, 60, left_px + 30, 95), 0.9), Face(Box(200, 60, 230, 95), 0.9))[: 1 + others]
    finder = KnownFinder(*[faces] * 10, *[()] * 60)
    planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), People(lambda n: None))
    for index in range(70):
        planner.observe(Frame(STILL.copy(), index, index / FPS_HZ))
    plan = planner.plan()
    assert len(plan[10 + REACH - 1] or ()) >= len(faces)
    for planned in plan[10 + (REACH if left_px > 30 else EDGE_REACH) :]:
        outlines = [each.cover_outline for each in planned or () if each.cover_outline is not None]
        assert len(outlines) == (len(faces) if kept else 0)
        for face, outline in zip(faces, outlines, strict=kept):
            box = face.box_px
            corners = np.array([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)], np.float64)
            assert (distance_outside(outline, corners) <= 0).all()


def test_who_is_forgotten_for_a_few_frames_stays_covered() -> None:
    """Two lost people have become one to the network, which then forgets one of them in three frames."""

    class Forgets(Parted):
        def mask(self, frame: Frame) -> Mask:
            mask = np.zeros((240, 320), np.uint8)
            mask[100:200, (164 if frame.index in (30, 31, 32) else 130) : 230] = 255
            return mask

    finder = KnownFinder(*[(FACE,)] * 10, *[()] * 50)
    planner = ClipPlanner(finder, MODEL, ClipSettings(1, 0.12, FPS_HZ), Forgets(0))
    for index in range(60):
        planner.observe(Frame(STILL.copy(), index, index / FPS_HZ))
    corners = np.array([(130, 101), (160, 101), (160, 199), (130, 199)], np.float64)
    for faces in planner.plan()[10 + COAST :]:
        outlines = [each.cover_outline for each in faces or () if each.cover_outline is not None]
        assert any((distance_outside(outline, corners) <= 0).all() for outline in outlines)
