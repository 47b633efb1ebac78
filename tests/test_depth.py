"""More than 8 bits: nothing under a hole matters there either, and what is not touched keeps every bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.frames import Depth, Frame, SafeFrame, Verdict
from anonymizer.stills.still import depth_of_16bit
from tests.planned import Actor, anonymizer, hole_of, planned, room

ACTOR = Actor("persona", 1.0, (150.0, 120.0), (10.0, 5.0, 3.0), (0.0, 0.0), 4)


def deep_room(seed: int) -> npt.NDArray[np.uint16]:
    """A room with 16 bits, the lower 8 of them noise."""
    low = np.random.default_rng(seed).integers(-120, 121, (240, 320, 3))
    deep: npt.NDArray[np.int64] = room(seed).astype(np.int64) * 257 + low
    return np.clip(deep, 0, 65535).astype(np.uint16)


def rendered(rgb16: npt.NDArray[np.uint16]) -> SafeFrame:
    depth = depth_of_16bit(rgb16)
    return anonymizer().render(Frame(depth.shown(), depth=depth), planned([ACTOR], 0))


def deep_of(safe: SafeFrame) -> Depth:
    assert safe.verdict is Verdict.REPLACED
    assert safe.depth is not None
    return safe.depth


def test_nothing_under_a_hole_matters_to_the_deep_picture() -> None:
    """The 16-bit values under the hole, lower bits and all, repainted: the deep frame is the same to the bit."""
    hole = hole_of([ACTOR], 0, "face") > 0
    before = deep_room(3)
    other = before.copy()
    other[hole] = np.random.default_rng(9).integers(0, 65536, (np.count_nonzero(hole), 3))
    one, two = deep_of(rendered(before)), deep_of(rendered(other))
    np.testing.assert_array_equal(one.rgb16, two.rgb16)
    assert (one.rgb16[hole] % 257 == 0).all()  # 8-bit values in 16-bit clothes: no old lower bits


def test_what_is_not_touched_keeps_every_bit() -> None:
    """Where the 8-bit picture is as it was, so are the 16 bits."""
    rgb16 = deep_room(3)
    safe = rendered(rgb16)
    hole = hole_of([ACTOR], 0, "face") > 0
    same = (safe.rgb == depth_of_16bit(rgb16).shown()).all(2) & ~hole
    assert same.mean() > 0.5
    np.testing.assert_array_equal(deep_of(safe).rgb16[same], rgb16[same])


def test_a_frame_without_faces_keeps_its_depth_and_a_blank_one_has_none() -> None:
    """Nothing to hide means nothing changed; a blank frame must not carry the picture along."""
    rgb16 = deep_room(5)
    depth = depth_of_16bit(rgb16)
    frame = Frame(depth.shown(), depth=depth)
    free = anonymizer().render(frame, ())
    assert free.depth is not None
    np.testing.assert_array_equal(free.depth.rgb16, rgb16)
    assert anonymizer().blank(frame).depth is None


def test_a_badge_is_drawn_on_frames_with_faces_only() -> None:
    """It changes the lower left corner, in the deep picture too, and nothing where no face was replaced."""
    depth = depth_of_16bit(deep_room(3))
    frame = Frame(depth.shown(), depth=depth)
    plain, badged = (anonymizer(badge=badge).render(frame, planned([ACTOR], 0)) for badge in (False, True))
    changed = (plain.rgb != badged.rgb).any(2)
    assert changed[220:, :80].mean() > 0.3
    assert not changed[:200].any()
    assert (deep_of(plain).rgb16 != deep_of(badged).rgb16).any(2)[changed].all()
    np.testing.assert_array_equal(anonymizer(badge=True).render(frame, ()).rgb, frame.rgb)
