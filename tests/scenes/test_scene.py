"""What is known of a made frame is true."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.persona.face_model import project
from tests.heads import MODEL
from tests.scenes.layers import Pose
from tests.scenes.mannequin import FEATURES, mannequin
from tests.scenes.scene import Actor, Scene, SceneSource, film, made_frame
from tests.scenes.stories import STORIES, story
from tests.scenes.things import bar, worn

SIZE_PX = (320, 240)
GREY = np.full((240, 320, 3), 128, np.uint8)


def scene(*poses: Pose, **changes: object) -> Scene:
    """One frame with a head in each pose, the first in front."""
    actors = tuple(
        Actor(mannequin(number), lambda _, pose=pose: pose, depth=lambda _, n=number: n)  # type: ignore[misc]
        for number, pose in enumerate(poses)
    )
    return Scene("test", SIZE_PX, 1, lambda _: GREY, actors, **changes)  # type: ignore[arg-type]


def test_a_frame_is_the_same_each_time() -> None:
    """Truth and pixels of a frame do not depend on when it is asked for."""
    told = story("dark", 2)
    one, other = made_frame(told, 17), made_frame(told, 17)
    assert np.array_equal(one.frame.rgb, other.frame.rgb)
    assert all(np.array_equal(a.inner, b.inner) for a, b in zip(one.faces, other.faces, strict=True))


@pytest.mark.parametrize("yaw", [0, 40, -40])
def test_the_inner_region_is_where_the_features_are(yaw: int) -> None:
    """Eyes, nose and mouth, projected by the true pose, lie in the region that is marked, or on its rim."""
    face = made_frame(scene(Pose((160, 120), 90, yaw)), 0).faces[0]
    assert face.code is not None
    points = project(face.code, MODEL.head(face.code.expression))
    near = points[list(FEATURES)][np.argsort(points[list(FEATURES), 2])[:30], :2]  # those that look into the camera
    box = face.box
    assert (near >= (box.x0 - 8, box.y0 - 8)).all()  # the average head's points; everybody's shape is their own
    assert (near <= (box.x1 + 8, box.y1 + 8)).all()
    assert face.inner.mean() > 0.4
    assert face.share == pytest.approx(1.0)


def test_who_looks_away_shows_nothing_of_the_face() -> None:
    """From behind no pixel of the inner region is visible, in profile about half of what is seen from the front."""
    shown = [int(made_frame(scene(Pose((160, 120), 90, yaw)), 0).faces[0].inner.sum()) for yaw in (0, 90, 180)]
    assert shown[2] == 0
    assert 0.2 * shown[0] < shown[1] < 0.7 * shown[0]


def test_what_is_in_front_hides_and_what_is_outside_is_not_there() -> None:
    """A person in front, a thing and the frame's edge take pixels off the truth."""
    alone = made_frame(scene(Pose((160, 120), 90)), 0).faces[0]
    behind = made_frame(scene(Pose((190, 120), 90), Pose((160, 120), 90)), 0).faces
    by_person = {face.person: face for face in behind}
    assert by_person[1].inner.sum() < 0.8 * alone.inner.sum()
    barred = made_frame(scene(Pose((160, 120), 90), things=lambda _: [bar(160, 0, 60, 240)]), 0)
    assert 0.3 < barred.faces[0].share < 0.7
    assert not (barred.faces[0].within(GREY.shape) & barred.occluder).any()
    outside = made_frame(scene(Pose((-100, 120), 90)), 0).faces[0]
    assert not outside.visible
    assert outside.share == 0


def test_what_is_worn_hides_too() -> None:
    """A mask hides nose and mouth, sunglasses the eyes, glasses next to nothing."""
    head = mannequin(1).draw(Pose((160, 120), 90))
    for kind, least, most in (("mask", 0.2, 0.75), ("sunglasses", 0.1, 0.5), ("glasses", 0.0, 0.2)):
        hidden = (head.inner & (worn(kind, head).alpha >= 0.5)).sum() / head.inner.sum()  # type: ignore[arg-type]
        assert least <= hidden <= most, kind


@pytest.mark.parametrize("name", STORIES)
def test_every_story_can_be_told(name: str) -> None:
    """Each gives frames of the size asked for; all but the empty one show somebody."""
    told = story(name, 5, count=6, size_px=SIZE_PX)
    frames = list(film(told))
    assert [made.frame.rgb.shape for made in frames] == [(240, 320, 3)] * 6
    assert any(face for made in frames for face in made.faces) is (name != "nobody")


def test_a_source_plays_a_scene_and_keeps_its_truth() -> None:
    """Over and over, with numbers and times that go on, and the truth of each."""
    source = SceneSource(story("talking", 1, count=2, size_px=SIZE_PX), times=2)
    frames = list(iter(source.read, None))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.captured_at_s for frame in frames] == [0, 0.04, 0.08, 0.12]
    assert source.truth[3].frame is frames[3]
    assert np.array_equal(frames[3].rgb, frames[1].rgb)
