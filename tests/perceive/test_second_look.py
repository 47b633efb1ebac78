"""Which faces are looked at again, and what speaks for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from anonymizer.faces import Box, Face, Mask
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.finder import Finder
from anonymizer.perceive.person import MasksWhenAsked
from anonymizer.perceive.second_look import MOST_LOOKS, SecondLook
from tests.heads import code, seen_face

FRAME = Frame(np.full((240, 320, 3), 120, np.uint8))
AT_EDGE = Box(-20, 60, 60, 160)


class Hearing(Finder):
    """Hears of a face, or not; counts."""

    def __init__(self, hears: bool) -> None:
        self.hears, self.asked = hears, 0

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
        self.asked += 1
        return self.hears


@dataclass
class Person:
    """A person from the frame's left to x."""

    x: int
    asked: int = 0

    def mask(self, frame: Frame) -> Mask:
        self.asked += 1
        mask = np.zeros(frame.rgb.shape[:2], np.uint8)
        mask[:, : self.x] = 255
        return mask


@pytest.mark.parametrize(("hears", "x", "backed"), [(False, 20, False), (True, 20, True), (False, 40, True)])
def test_either_a_close_look_or_a_person_speaks_for_it(hears: bool, x: int, backed: bool) -> None:
    """60 px of the box are in the frame; a person on a third of them is none, on two thirds is."""
    look, face = SecondLook(Hearing(hears), Person(x)), Face(AT_EDGE, 0.3)
    look.observe(FRAME, [face], [False])
    assert look.backed == {id(face): backed}


def test_only_the_doubted_are_looked_at() -> None:
    """At the edge and unsure, or landmarks that are new; never more than a few in a frame."""
    finder = Hearing(False)
    look = SecondLook(finder, Person(0))
    plain = seen_face(code((160, 120), 5))
    others = [Face(Box(100, 60, 180, 160), 0.3), Face(AT_EDGE, 0.7), plain]
    look.observe(FRAME, others, [True, True, False])
    assert (look.backed, finder.asked) == ({}, 0)
    look.observe(FRAME, [plain], [True])
    assert look.backed == {id(plain): False}
    faces = [Face(AT_EDGE, 0.3) for _ in range(MOST_LOOKS + 2)]
    look.observe(FRAME, faces, [False] * len(faces))
    assert id(faces[-1]) not in look.backed
    assert finder.asked == 1 + MOST_LOOKS


def test_what_a_look_raises_is_raised() -> None:
    """An answer that did not come is not taken for one."""

    class Broken(Hearing):
        def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
            raise RuntimeError("the network broke")

    look = SecondLook(Broken(True), Person(0))
    look.observe(FRAME, [Face(AT_EDGE, 0.3)], [False])
    with pytest.raises(RuntimeError, match="broke"):
        _ = look.backed


def test_a_real_network_hears_of_half_a_face_and_not_of_a_wall() -> None:
    """CenterFace over made heads that are cut by the frame's edge, and over grain (of 40 heads 37 are)."""
    from anonymizer.perceive.looks import Looks, LookSettings
    from anonymizer.perceive.second_look import LEAST_SCORE
    from tests.scenes.scene import made_frame
    from tests.scenes.stories import story

    looks = Looks(LookSettings())
    for seed in (103, 104, 105):
        made = made_frame(story("half out", seed, count=30), 10)
        face = made.faces[0].box
        assert looks.heard_of(made.frame.rgb, face, LEAST_SCORE)
    grain = np.random.default_rng(0).integers(100, 140, made.frame.rgb.shape, np.uint8)
    assert not looks.heard_of(grain, face, LEAST_SCORE)


def test_one_look_at_a_frame_for_all_who_ask() -> None:
    """The mask of a frame is made once."""
    people = Person(10)
    masks = MasksWhenAsked(people)
    assert masks.mask(FRAME) is masks.mask(FRAME)
    masks.mask(Frame(FRAME.rgb))
    assert people.asked == 2
