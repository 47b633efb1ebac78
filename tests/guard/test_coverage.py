"""The hole holds the true face, whoever it is, however it looks and turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.faces import Box, Floats
from anonymizer.guard.coverage import Coverage, box_outline, fill_hole, hull
from anonymizer.perceive.motion import fit_motion, photo_baseline, reduce_motion, track_baseline
from tests.heads import CHIN, INNER, MODEL, code, distance_outside, random_expression, random_shape, seen_face, turned


def outside_cm(rng: np.random.Generator, expression: Floats, baseline: Floats | None = None) -> Floats:
    """(478,) how far a stranger's landmarks lie outside the `face` hole made of them; negative inside."""
    rotation = turned(rng.uniform(-60, 60), rng.uniform(-25, 25), rng.uniform(-30, 30))
    face = seen_face(code(scale=10, rotation=rotation, expression=expression), random_shape(rng))
    assert face.landmarks_px is not None
    motion = fit_motion(face, MODEL)
    taken_off = photo_baseline(motion.expression, MODEL) if baseline is None else baseline
    reduced = reduce_motion(motion.pose, motion.expression, motion.gaze, taken_off, MODEL)
    distance = distance_outside(hull(reduced, "face", MODEL), face.landmarks_px[:, :2]) / reduced.scale_px_per_cm
    return np.asarray(distance, np.float32)


def test_strangers_faces_lie_inside_their_holes() -> None:
    """Eyes, nose, mouth and chin of random heads: 99.9 % of the points inside; the mesh's rim leaves it rarely."""
    rng = np.random.default_rng(0)
    outside = np.stack([outside_cm(rng, random_expression(rng)) for _ in range(250)])
    assert (outside[:, np.append(INNER, CHIN)] <= 0).mean() >= 0.999
    assert (outside.max(1) > 0).mean() <= 0.01
    assert outside.max() < 0.1


@pytest.mark.parametrize("jaw", [0.2, 0.5, 0.8])
def test_a_mouth_that_stays_open_keeps_its_chin_in_the_hole(jaw: float) -> None:
    """A track's baseline takes the resting values off, not an open mouth: the hole reaches down to the chin."""
    rng = np.random.default_rng(1)
    expression = MODEL.resting_expression.copy()
    expression[25] = jaw
    baseline = track_baseline(np.repeat(expression[None], 60, 0))
    outside = np.stack([outside_cm(rng, expression, baseline) for _ in range(60)])
    assert (outside[:, np.append(INNER, CHIN)] <= 0).mean() >= 0.999


@pytest.mark.parametrize(("smaller", "larger"), [("face", "head"), ("head", "box")])
def test_coverages_hold_each_other(smaller: Coverage, larger: Coverage) -> None:
    """`head` covers all that `face` does, `box` all that `head` does, in any pose."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        pose = code(rotation=turned(*rng.uniform(-60, 60, 3)), expression=random_expression(rng))
        grow = 0.01 if smaller == "head" else 0.5 * pose.scale_px_per_cm  # the face's own margin may pass the ears
        assert distance_outside(hull(pose, larger, MODEL), hull(pose, smaller, MODEL)).max() <= grow


def test_the_hole_is_the_same_for_everybody_in_a_pose() -> None:
    """The outline is made of the code alone and has as many corners for all."""
    pose = code(rotation=turned(20))
    np.testing.assert_array_equal(hull(pose, "face", MODEL), hull(pose, "face", MODEL))
    assert hull(pose, "face", MODEL).shape == hull(pose, "head", MODEL).shape == (64, 2)


@given(st.floats(-20, 90), st.floats(-20, 90), st.floats(0.4, 60), st.floats(0.4, 60))
@settings(max_examples=50)
def test_every_pixel_whose_centre_is_inside_is_filled(x: float, y: float, width: float, height: float) -> None:
    """No pixel centre inside an outline is left out, also at and beyond the picture's border."""
    mask = np.zeros((64, 80), np.uint8)
    outline = box_outline(Box(x, y, x + width, y + height))
    fill_hole(mask, outline)
    centres = np.stack(np.meshgrid(np.arange(80) + 0.5, np.arange(64) + 0.5), -1).reshape(-1, 2)
    inside = distance_outside(outline, centres).reshape(64, 80) < -0.07  # corners are kept to 1/16 px
    assert (mask[inside] == 255).all()
    assert set(np.unique(mask)) <= {0, 255}
