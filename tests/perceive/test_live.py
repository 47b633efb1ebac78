"""The live planner over made-up sights: follow, hold and widen, then the person; rubbish is a lost face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from anonymizer.faces import Box, Face, Mask, PlannedFace
from anonymizer.frames import Frame, RgbImage
from anonymizer.guard.coverage import hull
from anonymizer.perceive.live import HELD_POSE_S, HOLD_S, PERSON_S, LivePlanner
from anonymizer.perceive.live_finder import Sight
from tests.heads import MODEL, code, distance_outside, seen_face

SIZE_PX = (640, 360)
STEP_S = 1 / 30


def face(x: float = 300, y: float = 180, scale: float = 8.0) -> Face:
    """With landmarks of an average head."""
    return seen_face(code((x, y), scale))


def bare(box: Box, confidence: float = 0.8) -> Face:
    return Face(box, confidence)


@dataclass
class Script:
    """Sights by frame number, the last one for good; masks likewise."""

    sights: Callable[[int], Sight]
    person: Callable[[int], Mask | Exception] = lambda n: np.zeros(SIZE_PX[::-1], np.uint8)
    hears: Callable[[int], bool] = lambda n: True
    index: int = -1
    masked: list[int] = field(default_factory=list)

    def look(self, frame: Frame) -> Sight:
        self.index = frame.index
        return self.sights(frame.index)

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
        return self.hears(self.index)

    def mask(self, frame: Frame) -> Mask:
        self.masked.append(frame.index)
        answer = self.person(frame.index)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None: ...


def plans(script: Script, count: int) -> list[tuple[PlannedFace, ...] | None]:
    planner = LivePlanner(script, script, MODEL)
    return [planner.plan(Frame(picture(), n, n * STEP_S)) for n in range(count)]


def picture() -> RgbImage:
    """Of something, so that the planner does not take it for a covered lens."""
    return np.broadcast_to(np.linspace(0, 255, SIZE_PX[0]).astype(np.uint8)[None, :, None], (*SIZE_PX[::-1], 3)).copy()


def seen_until(last: int, someone: Face) -> Callable[[int], Sight]:
    """In sight up to a frame, witnessed, then gone."""
    return lambda n: Sight((someone,), witnessed=(someone.box_px,)) if n <= last else Sight(())


def person_mask(x0: int, x1: int) -> Mask:
    mask = np.zeros(SIZE_PX[::-1], np.uint8)
    mask[60:, x0:x1] = 255
    return mask


def holds(planned: PlannedFace, box: Box) -> bool:
    cover = planned.cover_box
    return cover is not None and cover.intersection(box) >= 0.999 * box.width * box.height


def test_a_face_in_sight_has_its_persona_and_keeps_its_slot() -> None:
    """Through a whole move; its hole holds all landmarks in every frame."""
    out = plans(Script(lambda n: Sight((face(200 + 6 * n),))), 40)
    assert {len(faces) for faces in out if faces is not None} == {1}
    for n, faces in enumerate(out):
        assert faces is not None
        assert faces[0].slot == 0
        assert faces[0].code is not None
        outline = hull(faces[0].code, "face", MODEL)
        points = face(200 + 6 * n).landmarks_px
        assert points is not None
        assert distance_outside(outline, points[:, :2]).max() <= 0


def test_a_lost_face_is_held_widened_and_then_covered_as_a_person() -> None:
    """The persona for a moment, a growing box, the person's outline while somebody stands there."""
    someone = face()
    script = Script(seen_until(9, someone), lambda n: person_mask(230, 380))
    out = plans(script, 80)
    areas = []
    for n in range(10, 80):
        planned = out[n]
        assert planned is not None
        assert len(planned) == 1
        assert holds(planned[0], someone.box_px)
        gone_s = (n - 9) * STEP_S
        assert (planned[0].code is not None) == (gone_s <= HELD_POSE_S)
        assert (planned[0].cover_outline is not None) == (gone_s > HOLD_S)
        assert planned[0].cover_box is not None
        areas.append(planned[0].cover_box.width)
    assert areas == sorted(areas)
    outline = out[79][0].cover_outline  # type: ignore[index]
    assert outline is not None
    assert outline[:, 0].min() <= 230
    assert outline[:, 0].max() >= 380
    assert outline[:, 1].max() >= 359
    assert min(script.masked) * STEP_S > HOLD_S


def test_a_face_that_left_is_let_go_when_nobody_stands_there() -> None:
    """Not before the hold is over; a person elsewhere does not count."""
    out = plans(Script(seen_until(9, face()), lambda n: person_mask(600, 640)), 40)
    held = [n for n in range(10, 40) if out[n]]
    assert held == list(range(10, held[-1] + 1))
    assert held[-1] == 9 + int(HOLD_S / STEP_S + 1e-9)


def test_a_person_without_a_face_is_not_covered_for_ever() -> None:
    """After PERSON_S both detectors have looked often enough."""
    out = plans(Script(seen_until(9, face()), lambda n: person_mask(230, 380)), 10 + int(PERSON_S * 30) + 20)
    assert out[int(PERSON_S * 30)]
    assert out[-1] == ()


def test_what_only_the_landmarks_saw_is_not_kept_as_a_person() -> None:
    """A hand taken for a face for a moment: held, but not escalated."""
    someone = face()
    out = plans(Script(lambda n: Sight((someone,) if n < 10 else ()), lambda n: person_mask(230, 380)), 60)
    assert all(faces is not None and all(each.cover_outline is None for each in faces) for faces in out)
    assert out[12]
    assert out[-1] == ()


def test_a_masker_that_fails_fails_the_frame_and_one_that_sees_people_everywhere_blanks_it() -> None:
    """Fails closed both ways."""
    broken = Script(seen_until(2, face()), lambda n: RuntimeError("planned"))
    with pytest.raises(RuntimeError):
        plans(broken, 40)
    everywhere = Script(seen_until(2, face()), lambda n: np.full(SIZE_PX[::-1], 255, np.uint8))
    assert plans(everywhere, 40)[-1] is None


@pytest.mark.parametrize("rubbish", ["nan", "scattered", "flat"])
def test_rubbish_landmarks_are_a_lost_face(rubbish: str) -> None:
    """Not finite, or nothing like a head: what was there before stays covered."""
    someone = face()
    rng = np.random.default_rng(3)

    def bad() -> Face:
        points = np.array(someone.landmarks_px)
        if rubbish == "nan":
            points[7] = np.nan
        elif rubbish == "scattered":
            points[:, :2] = rng.uniform(0, 300, (478, 2))
        else:
            points[:] = points[0]
        return Face(Box(0, 0, 300, 300), 1.0, points.astype(np.float32), someone.expression)

    out = plans(Script(lambda n: Sight((someone if n < 10 else bad(),), witnessed=(someone.box_px,))), 20)
    for planned in out[10:]:
        assert planned is not None
        assert any(holds(each, someone.box_px) for each in planned)


def test_a_face_that_jumps_keeps_its_slot_and_its_old_place_is_covered() -> None:
    """Landmarks that went astray leave no bare face behind."""
    before, after = face(200), face(420)
    out = plans(Script(lambda n: Sight((before if n < 10 else after,), witnessed=(before.box_px,))), 40)
    first = out[10]
    assert first is not None
    assert [each.slot for each in first] == [0, 0]
    assert any(holds(each, before.box_px) for each in first)
    assert [each.slot for each in out[39] or ()] == [0]


def test_a_jump_leaves_no_cover_where_nothing_speaks_for_a_face() -> None:
    """As when somebody moves the camera."""
    before, after = face(200), face(420)
    sights = lambda n: Sight((before if n < 10 else after,), witnessed=(before.box_px, after.box_px))  # noqa: E731
    out = plans(Script(sights, hears=lambda n: False), 12)
    assert [len(planned or ()) for planned in out] == [1] * 12


@pytest.mark.parametrize(("x", "confidence", "hears", "standing", "covered"), [
    (100, 0.4, False, False, 0), (100, 0.4, True, False, 1), (100, 0.4, False, True, 0), (100, 0.7, False, False, 1),
    (-20, 0.4, False, False, 0), (-20, 0.4, False, True, 1),
])  # fmt: skip
def test_a_new_large_face_that_nothing_speaks_for_is_not_covered(
    x: int, confidence: float, hears: bool, standing: bool, covered: int
) -> None:
    """A close look speaks for it, or the detector is sure; at the frame's edge also a person in its place."""
    mask = person_mask(0, SIZE_PX[0] if standing else 1)
    script = Script(lambda n: Sight((bare(Box(x, 100, x + 60, 180), confidence),)), lambda n: mask, lambda n: hears)
    assert [len(planned or ()) for planned in plans(script, 3)] == [covered] * 3


def test_a_small_face_is_believed_and_a_denied_one_asked_about_again() -> None:
    """After a second, or as soon as a detector is surer."""
    small = Script(lambda n: Sight((bare(Box(100, 100, 120, 126), 0.3),)), hears=lambda n: False)
    assert [len(planned or ()) for planned in plans(small, 3)] == [1] * 3
    later = Script(lambda n: Sight((bare(Box(100, 100, 160, 180), 0.3),)), hears=lambda n: n > 5)
    out = plans(later, 60)
    assert not out[29]
    assert out[31]  # after a second
    surer = Script(lambda n: Sight((bare(Box(100, 100, 160, 180), 0.3 if n < 8 else 0.45),)), hears=lambda n: n > 5)
    assert [bool(planned) for planned in plans(surer, 10)] == [False] * 8 + [True] * 2


def test_landmarks_inside_the_frame_need_a_plain_face() -> None:
    """A person behind them is not enough: landmarks lay on a plant beside somebody's hair."""
    everywhere = np.full(SIZE_PX[::-1], 255, np.uint8)
    out = plans(Script(lambda n: Sight((face(),)), lambda n: everywhere, lambda n: n >= 3), 40)
    assert [len(planned or ()) for planned in out[:30]] == [0] * 30
    assert out[31]


def test_strict_denies_nothing() -> None:
    """What either detector hears of is covered."""
    script = Script(lambda n: Sight((bare(Box(100, 100, 160, 180), 0.3),)), hears=lambda n: False)
    planner = LivePlanner(script, script, MODEL, believe_all=True)
    assert planner.plan(Frame(picture(), 0, 0.0))


def test_a_black_picture_is_blanked_and_nobody_is_forgotten() -> None:
    """Who was in sight before a camera fails, and is hidden when it works again, is still covered."""
    someone = face()
    script = Script(seen_until(9, someone), lambda n: person_mask(200, 400))
    planner = LivePlanner(script, script, MODEL)
    noise = np.random.default_rng(0).normal(3, 1.2, (*SIZE_PX[::-1], 3)).clip(0, 255).astype(np.uint8)
    frames = [picture() if n < 10 or n >= 40 else noise for n in range(60)]
    out = [planner.plan(Frame(rgb, n, n * STEP_S)) for n, rgb in enumerate(frames)]
    assert out[10:40] == [None] * 30
    assert script.masked == list(range(40, 60))
    assert all(planned and planned[0].cover_outline is not None for planned in out[40:])


def test_a_bare_box_is_covered_with_room_around_it() -> None:
    """A detector's box ends at the brows."""
    box = Box(100, 100, 160, 180)
    planned = plans(Script(lambda n: Sight((bare(box),))), 3)[-1]
    assert planned is not None
    assert planned[0].code is None
    assert holds(planned[0], box.scaled(1.5))


def test_two_faces_have_two_slots_and_a_free_one_is_used_again() -> None:
    """Who leaves and comes back while another stays gets the slot that is free."""
    left, right = face(150), face(480)

    def sights(n: int) -> Sight:
        return Sight((left, right) if n < 10 or n > 60 else (right,))

    out = plans(Script(sights), 80)
    assert sorted(each.slot for each in out[5] or ()) == [0, 1]
    assert [each.slot for each in out[60] or ()] == [1]
    assert sorted(each.slot for each in out[79] or ()) == [0, 1]
