"""The surroundings go on to the persona where people end, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.background import ClearBackground, with_wall
from anonymizer.generate.lit import seen_crop
from anonymizer.generate.person_hue import in_hue_of_person
from anonymizer.perceive.person import PersonMasker
from anonymizer.persona.surroundings import LUMA

S = 128
WALL, PAINT = np.array([0.2, 0.5, 0.8], np.float32), np.array([0.9, 0.1, 0.1], np.float32)
y, x = np.mgrid[:S, :S] + 0.5
HOLE = (np.hypot((x - 64) / 36, (y - 64) / 46) < 1).astype(np.float32)
GUIDE = (np.hypot((x - 64) / 24, (y - 64) / 34) < 1).astype(np.float32)


class Painter:
    """Paints the hole red, guide and all."""

    size_px = S

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        grid = np.ones((16, 16, 3), np.float32)
        painted = np.broadcast_to(PAINT, (S, S, 3)).astype(np.float32)
        return tuple(SyntheticFace(grid, grid * 0, painted.copy(), np.full((S, S), 0.5, np.float32)) for _ in crops)


def crop(turned: float = 0.0, zoom: float = 0.5, context: Floats | None = None) -> FaceCrop:
    seen = np.broadcast_to(WALL, (S, S, 3)) if context is None else context
    matrix = np.array([[zoom, 0, 0], [0, zoom, 0]], np.float64)
    guide = GUIDE[..., None] * np.array([0.6, 0.5, 0.4], np.float32)
    return FaceCrop(
        (seen * (1 - HOLE[..., None])).astype(np.float32),
        HOLE,
        guide,
        GUIDE,
        np.zeros((S, S, 3), np.float32),
        matrix,
        turned,
    )


def below(picture: Floats) -> Floats:
    """A person from the chin downwards, and the guide."""
    return np.where((y > 104) | (GUIDE > 0), np.float32(1), np.float32(0))


def cleared(one: FaceCrop, share=below) -> SyntheticFace:  # type: ignore[no-untyped-def]
    face = ClearBackground(Painter(), share).generate([one])[0]
    return face if face.wall is None else with_wall(face, face.wall)


def test_beside_the_jaw_there_is_wall() -> None:
    """Where the erased crop shows no person beside the jaw, the wall goes on to the guide."""
    face = cleared(crop())
    assert face.inpaint_rgb[82, 36] == pytest.approx(WALL, abs=0.02)
    assert face.matte[82, 36] > 0.95


def eared(picture: Floats) -> Floats:
    """A person from the chin downwards, the guide, and what is red: the painted ears and hair down to row 70."""
    painted = (picture[..., 0] > 2 * picture[..., 2]) & (y < 70)
    return np.where((y > 104) | (GUIDE > 0) | painted, np.float32(1), np.float32(0))


def test_painted_ears_and_hair_stay_and_walls_about_them_go_on() -> None:
    """The segmenter is asked about the painted crop, and what it takes for a person there stays as bright as painted;
    what it does not is wall, at the height of ears, too."""
    kept, gone = cleared(crop(), eared), cleared(crop())
    for face in (kept, gone):
        assert face.inpaint_rgb[106, 64] @ LUMA == pytest.approx(PAINT @ LUMA, abs=0.02)  # the neck, to both a person
    for row, column in ((60, 32), (22, 64)):
        assert kept.inpaint_rgb[row, column] @ LUMA == pytest.approx(PAINT @ LUMA, abs=0.02), (row, column)
        assert kept.matte[row, column] == pytest.approx(0.5, abs=0.02), (row, column)
        assert gone.inpaint_rgb[row, column] == pytest.approx(WALL, abs=0.02), (row, column)


def test_what_is_painted_of_a_person_takes_no_hue_of_the_wall() -> None:
    """Painted blue as the wall before which it is, an ear becomes as red as the guide, and no brighter."""
    one, face = crop(), Painter().generate([crop()])[0]
    blue = replace(face, inpaint_rgb=np.broadcast_to(WALL, (S, S, 3)).astype(np.float32))
    ear = np.where((GUIDE > 0) | (HOLE > 0), np.float32(1), np.float32(0))
    blue = replace(blue, matte=np.ones((S, S), np.float32))
    got = in_hue_of_person(blue, one, seen_crop(blue, one), ear).inpaint_rgb[60, 35]
    assert got[0] > got[2]
    assert got @ LUMA == pytest.approx(WALL @ LUMA, abs=1e-3)


@pytest.mark.parametrize("turned", [0.8, -0.8])
def test_a_turned_head_has_wall_before_it_and_its_ear_behind(turned: float) -> None:
    """The side a face looks to is cleared at every height, the other is left alone."""
    face = cleared(crop(turned))
    ahead, behind = (93, 30) if turned > 0 else (34, 98)
    assert face.inpaint_rgb[60, ahead] == pytest.approx(WALL, abs=0.02)
    assert face.inpaint_rgb[82, behind] == pytest.approx(PAINT, abs=1e-6)


def test_people_all_around_leave_everything_as_it_was() -> None:
    """Where the segmenter finds people everywhere, not one pixel changes."""
    face = cleared(crop(), lambda picture: np.ones((S, S), np.float32))
    assert (face.inpaint_rgb == PAINT).all()
    assert (face.matte == 0.5).all()


def test_small_faces_are_left_alone_and_only_the_two_largest_are_asked_about() -> None:
    """Time is spent on the two largest faces of a frame, on none that is small."""
    asked = []

    def share(picture: Floats) -> Floats:
        asked.append(picture)
        return below(picture)

    ClearBackground(Painter(), share).generate([crop(zoom=z) for z in (2.0, 0.5, 0.4, 0.6)])
    assert len(asked) == 2
    asked.clear()
    ClearBackground(Painter(), share).generate([crop(zoom=2.0)])
    assert not asked


def test_the_real_network_sees_a_person_where_there_is_one() -> None:
    """The vendored segmenter, asked about the sample, says person in the middle and none in the corner."""
    from anonymizer.adapters.video_reader import VideoReader
    from anonymizer.app import SAMPLE

    reader = VideoReader(SAMPLE, 1)
    try:
        frame = reader.read()
    finally:
        reader.close()
    assert frame is not None
    rgb = frame.rgb
    share = PersonMasker().share(rgb.astype(np.float32) / np.float32(255))
    assert share.shape == rgb.shape[:2]
    assert share[rgb.shape[0] // 2, rgb.shape[1] // 2] > 0.9
    assert share[4, 4] < 0.3
