"""Tracks over a clip: linked by place, kept over gaps, reaching beyond their ends, stopped by cuts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.faces import Box, Face
from anonymizer.perceive.tracks import MAX_GAP, REACH, Track, link_clip

SIZE_PX = (1280, 720)
POINTS = np.zeros((478, 3), np.float32)
NOTHING: tuple[Face, ...] = ()


def _face(x: float, y: float = 300.0, side: float = 100.0, confidence: float = 0.9, points: bool = True) -> Face:
    box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return Face(box, confidence, POINTS if points else None)


def _contains(outer: Box, inner: Box) -> bool:
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and outer.x1 >= inner.x1 and outer.y1 >= inner.y1


def test_two_people_who_pass_each_other_keep_their_tracks() -> None:
    """Speed is carried through the crossing: each track ends on the side it was heading for."""
    clip = [(_face(300 + 20 * t, 300), _face(900 - 20 * t, 345)) for t in range(31)]
    left, right = link_clip(clip, SIZE_PX)
    assert left.boxes[-1].center[0] == pytest.approx(900)
    assert right.boxes[-1].center[0] == pytest.approx(300)


def test_slots_count_up_by_first_appearance() -> None:
    """Who comes first has the lower slot; at the same moment, who is further left."""
    clip = [(_face(900), _face(200))] * 10 + [(_face(900), _face(550), _face(200))] * 10
    assert [round(track.boxes[-1].center[0]) for track in link_clip(clip, SIZE_PX)] == [200, 900, 550]
    assert [track.slot for track in link_clip(clip, SIZE_PX)] == [0, 1, 2]


@given(st.integers(1, MAX_GAP - 1), st.floats(-8, 8))
@settings(max_examples=30)
def test_a_gap_is_filled_by_a_box_that_covers_the_straight_way(gap: int, speed: float) -> None:
    """Lost and found again within the allowed time: one track, and every frame between covers the way taken."""
    clip = [(_face(600 + speed * t),) if t < 10 or t >= 10 + gap else NOTHING for t in range(20 + gap)]
    (track,) = link_clip(clip, SIZE_PX)
    assert track.first_index == 0
    assert len(track.boxes) == 20 + gap
    for t in range(10, 10 + gap):
        known = track.at(t)
        assert known is not None
        face, box = known
        assert face is None
        assert _contains(box, _face(600 + speed * t, side=99.0).box_px)


def test_a_face_is_covered_before_it_was_seen_and_after_with_growing_boxes() -> None:
    """Backward and forward in time the box grows with the doubt."""
    clip = [(_face(600),) if 20 <= t < 30 else NOTHING for t in range(60)]
    (track,) = link_clip(clip, SIZE_PX)
    assert (track.first_index, track.end_index) == (20 - REACH, 30 + REACH)
    widths = [box.width for box in track.boxes]
    assert widths[: REACH + 1] == sorted(widths[: REACH + 1], reverse=True)
    assert widths[-REACH - 1 :] == sorted(widths[-REACH - 1 :])
    assert widths[0] > 1.2 * widths[REACH]


def test_a_moving_face_is_covered_where_it_came_from_and_where_it_was() -> None:
    """Before the first sighting both the way back and the place itself are covered."""
    clip = [(_face(400 + 10 * t),) if t >= 10 else NOTHING for t in range(30)]
    (track,) = link_clip(clip, SIZE_PX)
    known = track.at(7)
    assert known is not None
    assert _contains(known[1], _face(470).box_px)
    assert _contains(known[1], _face(500).box_px)


def test_nothing_reaches_over_a_cut() -> None:
    """A cut ends every track, and no box is carried into another shot."""
    clip = [(_face(600),) if t != 22 else NOTHING for t in range(40)]
    first, second = link_clip(clip, SIZE_PX, frozenset({20}))
    assert (first.first_index, first.end_index) == (0, 20)
    assert (second.first_index, second.end_index) == (20, 40)
    late = link_clip([(_face(600),) if t > 24 else NOTHING for t in range(40)], SIZE_PX, frozenset({22, 38}))
    assert [(track.first_index, track.end_index) for track in late] == [(22, 38), (38, 40)]


def test_a_doubtful_flicker_is_covered_but_reaches_less_far() -> None:
    """Of low score, without landmarks and short: it is covered where it is seen and one frame beyond, not eight."""

    def covered(face: Face, sightings: int) -> int:
        (track,) = link_clip([NOTHING] * 20 + [(face,)] * sightings + [NOTHING] * 20, SIZE_PX)
        return len(track.boxes)

    assert covered(_face(600, confidence=0.3, points=False), 1) == 3
    assert covered(_face(600, confidence=0.3, points=False), 3) == 3 + 2 * REACH
    assert covered(_face(600, confidence=0.9, points=False), 1) == 1 + 2 * REACH
    assert covered(_face(600, confidence=0.98), 1) == 1 + 2 * REACH
    assert covered(_face(600, confidence=0.94), 1) == 3
    assert covered(_face(600, confidence=0.94), 3) == 3 + 2 * REACH


def test_hair_that_was_taken_for_a_face_once_is_covered_for_that_moment_only() -> None:
    """A bare box on the head of a plain face, once in a clip, is no second person who may be about for a second."""
    plain, hair = _face(600, confidence=0.99), _face(640, confidence=0.51, points=False)
    apart = _face(800, confidence=0.51, points=False)
    clip = [(plain,)] * 40 + [(plain, hair)] + [(plain,)] * 40
    beside = [(plain,)] * 40 + [(plain, apart)] + [(plain,)] * 40
    assert [len(track.boxes) for track in link_clip(clip, SIZE_PX)] == [81, 3]
    assert [len(track.boxes) for track in link_clip(beside, SIZE_PX)] == [81, 1 + 2 * REACH]


def test_who_lingers_at_the_edge_stays_covered_and_who_walks_out_is_gone() -> None:
    """A face half outside is covered long after its last sighting, to the edge; one that left at speed is not."""
    still = link_clip([(_face(30),)] * 10 + [NOTHING] * 80, SIZE_PX)[0]
    assert still.end_index >= 10 + 50
    assert all(box.x0 <= 0 < box.x1 for box in still.boxes)
    gone = link_clip([(_face(230 - 20 * t),) for t in range(10)] + [NOTHING] * 80, SIZE_PX)[0]
    assert gone.end_index < 10 + 20
    jumping: list[tuple[Face, ...]] = [(_face(1310, side=140),)]
    jumping += [(_face(1300 - 6 * t, side=100),) for t in range(1, 20)]
    came = link_clip([NOTHING] * 60 + jumping, SIZE_PX)[0]
    assert 60 - 2 * REACH < came.first_index <= 60 - 4  # a jumping box does not make a walk a lingering
    unsure = link_clip([NOTHING] * 60 + [(_face(30, confidence=0.2, points=False),)] * 2 + [NOTHING] * 60, SIZE_PX)[0]
    assert (unsure.first_index, unsure.end_index) == (60 - REACH, 62 + REACH)  # nor do two glimpses


def test_boxes_that_jump_at_the_edge_are_held_together() -> None:
    """A sliver's box lay a third too high; the next frame's, with landmarks, says how low the face reaches."""
    whole = _face(1255, side=100)
    top, bottom = whole.box_px.y0, whole.box_px.y1
    sliver = Face(Box(1225, top - 30, 1280, bottom - 40), 0.45)
    track = link_clip([(sliver,), (whole,)] * 3, SIZE_PX)[0]
    assert all(box.y0 == top - 30 and box.y1 == bottom for box in track.boxes[0:6:2])
    assert track.boxes[1].y0 == top


def test_a_face_elsewhere_or_of_another_size_is_another_track() -> None:
    """Place and size decide: a far jump or a sudden tripling begins a new track."""
    assert len(link_clip([(_face(200),)] * 5 + [(_face(900),)] * 5, SIZE_PX)) == 2
    assert len(link_clip([(_face(600, side=60),)] * 5 + [(_face(600, side=180),)] * 5, SIZE_PX)) == 2


@given(st.lists(st.lists(st.tuples(st.floats(0, 1280), st.floats(0, 720)), max_size=4), max_size=40))
@settings(max_examples=40)
def test_every_believable_sighting_is_in_exactly_one_track(places: list[list[tuple[float, float]]]) -> None:
    """No face with landmarks is ever lost between tracks, whatever the clip."""
    clip = [tuple(_face(x, y) for x, y in frame) for frame in places]
    tracks = link_clip(clip, SIZE_PX)
    for index, faces in enumerate(clip):
        held = [known[0] for track in tracks if (known := track.at(index)) is not None and known[0] is not None]
        assert sorted(map(id, held)) == sorted(map(id, faces))


def test_a_track_without_a_box_for_each_face_is_refused() -> None:
    """The two series belong together."""
    with pytest.raises(ValueError, match="a box for each face"):
        Track(0, 0, (None,), ())


def test_boxes_of_a_face_that_is_hardly_seen_are_held_by_those_about_them() -> None:
    """Beside a post a curl was taken for the face two frames before it was seen well; the gap before holds both too."""
    curl, face = Box(351, 89, 381, 169), Box(319, 85, 368, 177)
    seen = [(Face(Box(330, 89, 360, 169), 0.3),), (), (Face(curl, 0.39),), (), (Face(face, 0.7),), (Face(face, 0.9),)]
    (track,) = link_clip(seen, (480, 270))
    boxes = track.boxes[-track.first_index :][: len(seen)]
    assert all(box.x0 <= face.x0 and box.x1 >= curl.x1 for box in boxes[1:4])
    assert (boxes[4].x0, boxes[4].x1) == (face.x0, face.x1)


def test_slivers_at_one_edge_are_one_face_whatever_their_size() -> None:
    """A sliver of a fourth of the height, where three frames later somebody comes in, is no second person who waits."""
    sliver = Face(Box(1271, 290, 1279, 320), 0.21)
    coming = [(_face(1290 - 9 * t, side=120, points=t > 2),) for t in range(20)]
    (track,) = link_clip([NOTHING] * 40 + [(sliver,), NOTHING, NOTHING, *coming], SIZE_PX)
    assert track.first_index > 40 - REACH
    elsewhere = Face(Box(1271, 490, 1279, 520), 0.21)
    assert len(link_clip([NOTHING] * 40 + [(elsewhere,), NOTHING, NOTHING, *coming], SIZE_PX)) == 2


def test_from_landmarks_to_a_bare_box_is_no_movement() -> None:
    """The detector's box of who goes out lay 30 px higher; expected yet higher, the next one began a new track."""
    landmarks = [(_face(411 + 9 * t, 138, side=96),) for t in range(9)]
    bare, next_bare = Face(Box(449, 72, 483, 145), 0.3), Face(Box(440, 69, 567, 198), 0.18)
    assert len(link_clip([*landmarks, (bare,), NOTHING, (next_bare,), *[NOTHING] * 40], (480, 270))) == 1


def test_landmarks_wholly_within_the_frame_are_of_nobody_half_outside() -> None:
    """Seen once near the edge, but not over it: covered REACH frames about, not as long as somebody may linger."""
    clip = [*[NOTHING] * 60, (_face(1225, confidence=0.99),), *[NOTHING] * 60]
    (track,) = link_clip(clip, SIZE_PX)
    assert (track.first_index, track.end_index) == (60 - REACH, 61 + REACH)


def test_who_is_hidden_bit_by_bit_is_covered_as_large_as_before() -> None:
    """Behind somebody's hair the box of what was left had half its height, its score .5; an eye lay above it."""
    boxes = [Box(251, 94, 293, 151), Box(254, 95, 289, 150), Box(258, 119, 279, 148)]
    (track,) = link_clip([*[(Face(box, 0.7),) for box in boxes], *[NOTHING] * 60], (480, 270))
    assert track.boxes[2].y0 <= 95


def test_a_faint_box_over_the_edge_does_not_hold_back_who_walks_out() -> None:
    """Where it is then is told by the last plain sighting and its speed."""
    walking = [(_face(1130 + 20 * t),) for t in range(6)]
    (alone,) = link_clip([*walking, *[NOTHING] * 60], SIZE_PX)
    faint = Face(Box(1160, 250, 1280, 350), 0.18)
    (held,) = link_clip([*walking, NOTHING, (faint,), *[NOTHING] * 60], SIZE_PX)
    assert held.end_index <= alone.end_index
