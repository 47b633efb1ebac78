"""The finder on drawn scenes: plain, thorough, and along a clip."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from anonymizer.faces import Box, Face
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.detections import Detection
from anonymizer.perceive.finder import Finder, FinderSettings
from anonymizer.perceive.looks import Looks
from anonymizer.perceive.views import View, still_views
from tests.perceive.drawn_face import draw_face, empty_room


@pytest.fixture
def finder() -> Iterator[Finder]:
    with Finder() as made:
        yield made


def _scene(*faces: tuple[int, int, int]) -> RgbImage:
    rgb = empty_room()
    for x, y, height in faces:
        draw_face(rgb, (x, y), height)
    return rgb


def test_two_faces_are_found_with_landmarks_and_an_empty_room_has_none(finder: Finder) -> None:
    """One Face a face, each with landmarks and expression; nothing is made up."""
    faces = finder.find(Frame(_scene((170, 170, 120), (460, 180, 140))))
    assert sorted(round(face.box_px.center[0] / 100) for face in faces) == [2, 5]
    assert all(face.landmarks_px is not None and face.expression is not None for face in faces)
    assert finder.find(Frame(empty_room()), thorough=True) == ()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_thorough_look_finds_a_face_on_its_side_or_head(finder: Finder, turns: int) -> None:
    """A still that lies on its side gives the same face."""
    rgb = np.ascontiguousarray(np.rot90(_scene((300, 170, 150)), turns))
    faces = finder.find(Frame(rgb), thorough=True)
    assert len(faces) == 1
    assert faces[0].landmarks_px is not None


def test_a_face_is_followed_without_a_witness_and_a_new_one_is_seen_by_the_witness(finder: Finder) -> None:
    """Between witness frames tracks go on; the witness adds who came in."""
    assert len(finder.find_tracked(Frame(_scene((150, 170, 130))))) == 1
    for step in range(1, 6):
        (face,) = finder.find_tracked(Frame(_scene((150 + 12 * step, 170, 130))), witness=False)
        assert abs(face.box_px.center[0] - (150 + 12 * step)) < 8
        assert face.landmarks_px is not None
    both = _scene((222, 170, 130), (480, 170, 130))
    assert len(finder.find_tracked(Frame(both), witness=False)) == 1
    assert len(finder.find_tracked(Frame(both), witness=True)) == 2


def _moved(face: Face, other: Face) -> float:
    """Mean way of the landmarks, px."""
    assert face.landmarks_px is not None
    assert other.landmarks_px is not None
    return float(np.abs(face.landmarks_px - other.landmarks_px)[:, :2].mean())


def test_a_first_frame_shows_a_face_where_following_it_leaves_it(finder: Finder) -> None:
    """Landmarks looked for at a detector's box are up to half a px and more off where they settle: not drawn."""
    frame = Frame(_scene((300, 180, 140)))
    (first,) = finder.find_first(frame)
    for _ in range(6):
        (later,) = finder.find_tracked(frame, witness=False)
    (looked,) = finder.find(frame)
    assert _moved(first, later) < _moved(looked, later) / 4
    assert first.detected_box is not None  # what doubts landmarks


def test_a_face_that_jumps_is_found_again_on_the_same_frame(finder: Finder) -> None:
    """When landmarks are lost the detectors run, witness or not."""
    finder.find_tracked(Frame(_scene((150, 170, 130))))
    (face,) = finder.find_tracked(Frame(_scene((480, 170, 130))), witness=False)
    assert abs(face.box_px.center[0] - 480) < 12


def test_with_nothing_in_sight_a_detector_still_looks(finder: Finder) -> None:
    """An empty answer is never given without a look: a face that comes in off-beat is seen."""
    assert finder.find_tracked(Frame(empty_room()), witness=True) == ()
    assert len(finder.find_tracked(Frame(_scene((300, 170, 150))), witness=False)) == 1


class Hearing(Looks):
    """CenterFace sees nothing; the other detector hears of a face, faintly."""

    def __init__(self, agreed: bool) -> None:
        self.settings = FinderSettings(agreed=agreed)

    def at_all(self, rgb: RgbImage) -> tuple[Detection, ...]:
        return ()

    def fast(self, rgb: RgbImage) -> tuple[Detection, ...]:
        return (Detection(Box(10, 10, 20, 20), 0.55),)


@pytest.mark.parametrize("agreed", [False, True])
def test_where_both_must_agree_one_faint_witness_is_enough_for_a_cover(finder: Finder, agreed: bool) -> None:
    """What one detector hears of and no landmark confirms is covered in strict use, and only there."""
    finder._looks, finder.settings = Hearing(agreed), FinderSettings(agreed=agreed)
    assert len(finder.find_tracked(Frame(empty_room()))) == agreed


def test_a_face_that_shrinks_away_from_its_landmarks_is_found_by_a_close_look(finder: Finder) -> None:
    """Where it was, half the size and too small for any look at the whole frame but one."""
    rgb = _scene((300, 170, 60))
    (found,) = finder.find(Frame(rgb))
    near = finder._looks.near(rgb, Box(*(side + 12 for side in (270, 140, 330, 200))))
    assert near is not None
    assert near.box.iou(found.detected_box or found.box_px) > 0.5
    assert finder._looks.near(empty_room(), Box(270, 140, 330, 200)) is None


@pytest.mark.parametrize("roll_deg", [40, 90, 180])
def test_a_close_look_undoes_the_roll(finder: Finder, roll_deg: int) -> None:
    """A turned face is found where it is, and its roll is told."""
    rgb = _scene((300, 170, 90))
    matrix = cv2.getRotationMatrix2D((300, 170), -roll_deg, 1)
    size = rgb.shape[1], rgb.shape[0]
    turned = np.asarray(cv2.warpAffine(rgb, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    near = finder._looks.near(turned, Box(255, 125, 345, 215), math.radians(roll_deg))
    assert near is not None
    assert math.hypot(near.box.center[0] - 300, near.box.center[1] - 170) < 15
    assert abs(math.remainder(near.roll_rad - math.radians(roll_deg), 2 * math.pi)) < 0.4


def test_a_new_face_is_traced_back_to_where_it_came_from(finder: Finder) -> None:
    """Frames before its first sighting are searched, the latest first, until it is gone."""
    walk = [Frame(_scene((150 + 10 * step, 170, 120))) for step in range(4)]
    (last,) = finder.find(walk[-1])
    before = finder.trace_back([*walk[2::-1], Frame(empty_room()), walk[0]], last)
    assert [round(face.box_px.center[0] / 10) for face in before] == [17, 16, 15]


def test_views_cover_every_pixel_of_a_huge_still_and_stay_inside() -> None:
    """Tiles overlap, reach every border and never leave the frame."""
    for size in ((4000, 3000), (6000, 1000), (1301, 999)):
        tiles = [view for view in still_views(size, 640) if view.turns == 0 and (view.width, view.height) != size]
        seen = np.zeros((size[1], size[0]), bool)
        for tile in tiles:
            assert tile.x >= 0
            assert tile.y >= 0
            assert tile.x + tile.width <= size[0]
            assert tile.y + tile.height <= size[1]
            seen[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] = True
        assert seen.all()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_views_box_comes_back_to_where_it_was(turns: int) -> None:
    """A marked rectangle, turned with its view, maps back onto itself."""
    rgb = np.zeros((300, 400, 3), np.uint8)
    rgb[110:130, 70:110] = 255
    view = View(50, 60, 200, 150, 320, turns)
    part = np.rot90(view.cut(rgb), -turns)
    ys, xs = np.nonzero(part[..., 0])
    seen = Detection(Box(float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)), 1.0, 0.0)
    back = view.to_frame(seen, (part.shape[1], part.shape[0]))
    assert (back.box.x0, back.box.y0, back.box.x1, back.box.y1) == (70, 110, 110, 130)
    assert math.cos(back.roll_rad + turns * math.pi / 2) == pytest.approx(1)
