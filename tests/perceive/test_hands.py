"""Hands are found where a hand is and only there; in a clip they stay in front only when seen for some frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from anonymizer.faces import Box, PlannedFace
from anonymizer.frames import RgbImage
from anonymizer.guard.hands import sure_mask
from anonymizer.perceive.hands import LOOKS, Hand, HandFinder
from anonymizer.perceive.hands_in_time import LEAST_RUN, LONGEST_GAP, RAMP_FRAMES, HandsInTime, planned_hand, with_hands
from tests.heads import code, seen_face
from tests.joints import hand_at
from tests.scenes.camera import room
from tests.scenes.layers import Pose, stack
from tests.scenes.stories import mannequins
from tests.scenes.things import hand as flat_hand

FACE = seen_face(code((160, 120), 8))
BLACK = np.zeros((240, 320, 3), np.uint8)


@dataclass
class Told:
    """Sees the hands it is told, by frame; None for none."""

    hands: Sequence[Hand | None]
    asked: int = 0

    def find(self, rgb: RgbImage, faces: Iterable[Box]) -> tuple[Hand, ...]:
        assert list(faces)
        hand = self.hands[int(rgb[0, 0, 0])]
        self.asked += 1
        return () if hand is None else (hand,)


def shown(hands: Sequence[Hand | None], cut: int | None = None) -> list[float]:
    """How far a hand stands in front, frame by frame."""
    seen = HandsInTime(Told(hands))
    for index in range(len(hands)):
        seen.observe(index, np.full((8, 8, 3), index, np.uint8), [FACE], index == cut)
    planned = [[PlannedFace(0, code((160, 120), 8))] for _ in hands]
    seen.plan(planned)
    return [max((hand.strength for hand in faces[0].hands), default=0.0) for faces in planned]


def test_a_hand_comes_and_goes_smoothly() -> None:
    """Over RAMP_FRAMES, and it is whole between; nothing is left of it after its last frame."""
    strengths = shown([hand_at((160, 140))] * 20 + [None] * 4)
    rise = [(n + 1) / (RAMP_FRAMES + 1) for n in range(RAMP_FRAMES)]
    assert strengths[:RAMP_FRAMES] == pytest.approx(rise)
    assert strengths[RAMP_FRAMES:16] == pytest.approx([1] * 12)
    assert strengths[20:] == [0] * 4


@pytest.mark.parametrize(("frames", "there"), [(LEAST_RUN - 1, False), (LEAST_RUN, True)])
def test_a_hand_seen_shortly_is_painted_over(frames: int, there: bool) -> None:
    """Fewer frames than LEAST_RUN are a mistake or a blink of the network."""
    assert any(shown([hand_at((160, 140))] * frames + [None] * 8)) is there


@pytest.mark.parametrize(("gap", "bridged"), [(1, True), (LONGEST_GAP, True), (LONGEST_GAP + 2, False)])
def test_a_frame_or_two_without_a_hand_are_bridged(gap: int, bridged: bool) -> None:
    """What it moved meanwhile is what its joints may be wrong by."""
    hands = [hand_at((160, 140))] * 8 + [None] * gap + [hand_at((163, 144))] * 8
    assert all(shown(hands)[8 : 8 + gap]) is bridged
    seen = HandsInTime(Told(hands))
    for index in range(len(hands)):
        seen.observe(index, np.full((8, 8, 3), index, np.uint8), [FACE], False)
    planned = [[PlannedFace(0, code((160, 120), 8))] for _ in hands]
    seen.plan(planned)
    if bridged:
        assert planned[8][0].hands[0].spread_px == pytest.approx(np.full(21, 5.0))


def test_a_hand_that_jumps_is_another_one() -> None:
    """Two short runs, neither of which counts."""
    near, far = hand_at((120, 100)), hand_at((200, 180))
    assert not any(shown([near] * 4 + [far] * 4))


def test_a_cut_ends_what_was_seen_before_it() -> None:
    """Though the next shot has a hand at the same place."""
    assert not any(shown([hand_at((160, 140))] * 8, cut=4)[4:8])
    assert all(shown([hand_at((160, 140))] * 8))


def test_hands_belong_to_the_nearest_face_with_a_code() -> None:
    """None is given to a cover, or to a face that is far away."""
    near, far = PlannedFace(0, code((160, 120), 8)), PlannedFace(1, code((900, 120), 8))
    cover = PlannedFace(2, None, Box(120, 90, 200, 180))
    out = with_hands([far, cover, near], BLACK, Told([hand_at((160, 140))]))
    assert [len(face.hands) for face in out] == [0, 0, 1]


def test_small_faces_are_not_looked_at() -> None:
    """A hand before them has fingers of three px."""
    told = Told([hand_at((160, 140))])
    with pytest.raises(AssertionError):  # Told wants faces to look at
        with_hands([PlannedFace(0, code((160, 120), 1.5))], BLACK, told)


@pytest.fixture(scope="module")
def finder() -> HandFinder:
    return HandFinder()


@pytest.mark.parametrize("turn_deg", [0.0, 25.0])
def test_a_made_hand_is_found_where_it_is(finder: HandFinder, turn_deg: float) -> None:
    """Joints of a drawn hand lie on it, and looks agree."""
    layer = flat_hand((240, 180), 150, turn_deg)
    rgb, _ = stack(room(3, (480, 360)), [layer])
    hands = finder.find(rgb, [Box(170, 110, 310, 250)])
    assert len(hands) == 1
    alpha = np.zeros((360, 480), np.float32)
    alpha[layer.y : layer.y + layer.alpha.shape[0], layer.x : layer.x + layer.alpha.shape[1]] = layer.alpha
    inside = [alpha[int(y), int(x)] > 0.5 for x, y in hands[0].points_px[[5, 9, 13, 17, 6, 10, 14, 18]]]
    assert all(inside)
    assert np.median(hands[0].spread_px) < 0.1 * hands[0].palm_px


def test_a_face_is_no_hand(finder: HandFinder) -> None:
    """Heads of twelve people, plainly in view: whatever is found, nothing of it is sure."""
    for number in range(12):
        rgb, _ = stack(room(number, (480, 360)), [mannequins(number).draw(Pose((240, 160), 130, 5.0 * number - 30))])
        found = [planned_hand(hand) for hand in finder.find(rgb, [Box(170, 80, 310, 240)])]
        assert not sure_mask(found, np.zeros((360, 480), np.uint8)).any()


def test_looks_differ() -> None:
    """No two of the looks that judge one another are the same, and some are mirrored."""
    assert len(set(LOOKS)) == len(LOOKS) >= 5
    assert {look[-1] for look in LOOKS} == {True, False}
