"""Detail around a hole: whence it comes, and that nothing comes out of the hole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, Mask, SyntheticFace
from anonymizer.generate.detail import LIMIT, detail_around
from anonymizer.guard.erase import blend_outside, erase

SIZE, SIDE = 64, 256
MIDDLE = slice(80, 176)
WHERE = (slice(60, 196), slice(60, 196))


def crop_of(erased: npt.NDArray[np.uint8], hole: Mask) -> FaceCrop:
    """The whole picture as the generator sees it, shrunk by areas."""
    cell = SIDE // SIZE
    small = erased.reshape(SIZE, cell, SIZE, cell, 3).mean((1, 3), dtype=np.float32) / 255
    small_hole = hole.reshape(SIZE, cell, SIZE, cell).mean((1, 3), dtype=np.float32) / 255
    nothing = np.zeros((SIZE, SIZE, 3), np.float32)
    matrix = np.array([[1 / cell, 0, 0], [0, 1 / cell, 0]], np.float64)
    return FaceCrop(small, small_hole, nothing, nothing[..., 0], nothing, matrix)


def around(picture: npt.NDArray[np.uint8], painted_rgb: Floats | None = None) -> tuple[Floats, Mask, Floats]:
    """(detail, hole, blend) of a picture (256, 256, 3) with a square hole, all of the part WHERE."""
    hole = np.zeros((SIDE, SIDE), np.uint8)
    hole[MIDDLE, MIDDLE] = 255
    erased = erase(picture, hole)
    blend = blend_outside(hole[WHERE], 10)
    painted = np.full((SIZE, SIZE, 3), 0.5, np.float32) if painted_rgb is None else painted_rgb
    detail = detail_around(erased, hole, WHERE, blend, crop_of(erased, hole), answer(painted))
    return detail.astype(np.float32), hole[WHERE], blend


def answer(painted_rgb: Floats) -> SyntheticFace:
    """All painted, no guide in sight."""
    grid = np.zeros((8, 8, 3), np.float32)
    return SyntheticFace(grid, grid, painted_rgb, np.zeros((SIZE, SIZE), np.float32))


def noise(seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(90, 166, (SIDE, SIDE, 3)).astype(np.uint8)


def test_what_lies_in_the_hole_changes_nothing() -> None:
    """Two pictures that differ in the hole alone, bit for bit, although the caller gave it erased."""
    one, other = noise(), noise()
    other[MIDDLE, MIDDLE] = 255 - other[MIDDLE, MIDDLE]
    np.testing.assert_array_equal(around(one)[0], around(other)[0])


def test_a_smooth_picture_has_no_detail() -> None:
    """A ramp: what a blur leaves as it is is not added again; half a crop px off at the edge at most."""
    ramp = np.broadcast_to(np.linspace(60, 180, SIDE)[None, :, None], (SIDE, SIDE, 3)).astype(np.uint8)
    assert np.abs(around(ramp)[0]).max() <= 4


def test_on_the_ring_the_frames_own_detail_stays() -> None:
    """Frame less its coarse part, where the hole is not and the blend reaches."""
    picture = noise()
    detail, hole, blend = around(picture)
    ring = (hole == 0) & (blend > 0)
    own = picture[WHERE].astype(np.float32) - 127.5
    assert np.corrcoef(detail[ring].ravel(), own[ring].ravel())[0, 1] > 0.9
    assert not detail[blend == 0].any()


def test_inside_it_goes_on_from_across_the_edge_and_fades_out() -> None:
    """Near the upper edge as strong as outside, at the hole's middle nothing; never more than LIMIT."""
    detail, hole, _ = around(noise())
    near, deep = detail[22:26, 40:96], detail[60:76, 60:76]
    assert near.std() > 10
    assert not deep.any()
    assert np.abs(detail[hole > 0]).max() <= LIMIT


def test_below_the_chin_nothing_goes_on() -> None:
    """A collar or a chain would come back on the neck."""
    detail, _, _ = around(noise())
    assert not detail[108:116, 50:86].any()


def test_other_holes_are_no_source() -> None:
    """Erased px of a neighbour are black: they must not come in as dark strands."""
    picture = np.full((SIDE, SIDE, 3), 128, np.uint8)
    hole = np.zeros((SIDE, SIDE), np.uint8)
    hole[MIDDLE, MIDDLE] = 255
    hole[MIDDLE, 56:76] = 255
    erased = erase(picture, hole)
    blend = blend_outside(hole[WHERE], 10)
    grey = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    assert np.abs(detail_around(erased, hole, WHERE, blend, crop_of(erased, hole), answer(grey))).max() <= 2


def test_hair_does_not_go_on_over_what_is_painted_as_skin() -> None:
    """Detail of dark surroundings is none of a bright patch; on the ring the frame's own stays."""
    detail, hole, blend = around(noise(), np.full((SIZE, SIZE, 3), 0.95, np.float32))
    assert not detail[hole > 0].any()
    assert detail[(hole == 0) & (blend > 0)].std() > 10
