"""The face model moves as codes say: expressions, eyes that look, a mouth that opens."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.errors import WeightsError
from anonymizer.faces import Floats, MotionCode
from anonymizer.generate.guide import pose
from anonymizer.persona import atlas
from anonymizer.persona.face_model import (
    FIRST_LID_VERTEX,
    LIDS,
    MESH_VERTICES,
    MOUTH_VERTICES,
    PATCH_SHADE,
    SKIN_VERTICES,
    attributes,
    face_model_from,
    light_in_mouth,
    load_face_model,
    project,
)
from anonymizer.persona.landmark_groups import (
    EYE_LEFT,
    LIP_LOWER_INNER,
    LIP_UPPER_INNER,
)
from anonymizer.persona.persona import Persona
from anonymizer.weights.locate import weight_path
from tests.heads import MODEL, code, turned

NOBODY = np.zeros((468, 3), np.float32)
JAW_OPEN = 25  # of the coefficients


def test_the_mesh_has_eyes_and_a_mouth() -> None:
    """Every triangle's corners exist, patches lie in their places of the atlas, skin in its own."""
    vertices, uv = MODEL.animate(code(), NOBODY)
    assert vertices.shape == (MESH_VERTICES, 3)
    assert attributes(uv).shape == (MESH_VERTICES, 3)
    assert MODEL.triangles.max() == MESH_VERTICES - 1
    assert (MODEL.triangles[: MODEL.skin_triangles] < SKIN_VERTICES).all()
    assert (MODEL.triangles[MODEL.skin_triangles :] >= SKIN_VERTICES).all()
    px = uv * (atlas.WIDTH_PX, atlas.HEIGHT_PX)
    eye = px[SKIN_VERTICES : SKIN_VERTICES + len(EYE_LEFT) + 1]
    patch = atlas.EYE_LEFT
    assert ((eye >= (patch.x0, patch.y0)) & (eye <= (patch.x1, patch.y1))).all()
    assert (px[:SKIN_VERTICES, 1] <= 440).all()
    assert ((PATCH_SHADE > 0) & (PATCH_SHADE <= 1)).all()


def test_gaze_moves_what_the_eye_shows_and_nothing_else() -> None:
    """Looking to the image's right, the lids stay and the texture under them moves the other way."""
    head = MODEL.head(MODEL.resting_expression)
    straight = MODEL.with_patches(head, np.zeros((2, 2), np.float32), head[LIP_UPPER_INNER])
    aside = MODEL.with_patches(head, np.array([[0.3, 0], [0, 0]], np.float32), head[LIP_UPPER_INNER])
    np.testing.assert_array_equal(straight[0], aside[0])
    moved = aside[1] - straight[1]
    eye = slice(SKIN_VERTICES, SKIN_VERTICES + len(EYE_LEFT) + 1)
    assert (moved[eye, 0] < 0).all()
    moved[eye] = 0
    assert not moved.any()


def test_teeth_come_out_of_the_lips_shadow_as_a_mouth_opens() -> None:
    """Dark at rest, lighter with every step, wholly lit when it is wide open; and so is the mouth that is drawn, and
    nothing else of a posed persona."""

    def jaw(opening: float) -> MotionCode:
        expression = MODEL.resting_expression.copy()
        expression[JAW_OPEN] = opening
        return code(expression=expression)

    light = [light_in_mouth(MODEL.animate(jaw(opening), NOBODY)[0]) for opening in (0, 0.1, 0.2, 0.6)]
    assert light[0] < 0.7
    assert light == sorted(light)
    assert light[-1] == 1
    persona = Persona(NOBODY, np.zeros((576, 512, 3), np.uint8), (0, 0, 0), 3, np.zeros((2, 2), np.float32))
    shut = pose(jaw(0), persona, (persona.texture_rgb,), MODEL).drawn[:, 2] / PATCH_SHADE
    assert (shut[MOUTH_VERTICES] < 0.7).all()
    np.testing.assert_allclose(np.delete(shut, np.r_[MOUTH_VERTICES]), 1, rtol=1e-6)


def test_coefficients_move_their_own_part_of_the_face_alone() -> None:
    """A blink leaves chin and outline alone, raised brows the mouth, a smile the forehead; both sides alike."""
    chin, outline, brow_rim = [152, 148, 377], [234, 454, 132, 361], [10, 109, 338]
    basis = MODEL.expression_basis_cm
    for coefficients, places in (
        (range(9, 23), [*chin, *outline]),
        (range(1, 6), [*chin, 13, 14]),
        (range(27, 50), brow_rim),
    ):
        for number in coefficients:
            assert np.linalg.norm(basis[number][places], axis=1).max() < 0.1
    assert np.linalg.norm(basis[25][[152]]) > 1
    left, right = basis[9] * np.array([-1, 1, 1]), basis[10]  # landmarks 386 and 159 are each other's mirror images
    np.testing.assert_allclose(left[386], right[159], atol=2e-3)


@pytest.mark.parametrize("size", [0.7, 1.0])
def test_lids_shut_and_open_eyes_stay_as_they_are(size: float) -> None:
    """A blink of .8 leaves no gap, also of narrow eyes; at rest and wide open the mesh is the model's own."""
    shape = NOBODY.copy()
    for upper, lower in ((159, 145), (386, 374), (158, 153), (160, 144), (385, 380), (387, 373)):
        shape[upper, 1] += (1 - size) * (MODEL.neutral_cm[lower, 1] - MODEL.neutral_cm[upper, 1])

    def gap(blink: float) -> float:
        expression = MODEL.resting_expression.copy()
        expression[[9, 10]] = blink
        return opening(MODEL.animate(code(expression=expression), shape)[0])

    def opening(vertices: Floats) -> float:
        return float((vertices[145, 1] - vertices[159, 1]) / np.linalg.norm(vertices[33, :2] - vertices[133, :2]))

    resting = float(MODEL.resting_expression[9])
    assert gap(0.85) < 0.02 < gap(0.5) < gap(resting) < gap(0)
    head = MODEL.head(MODEL.resting_expression, shape)
    assert opening(MODEL.animate(code(), shape)[0]) == pytest.approx(opening(head), rel=1e-3)


def test_a_shut_lid_is_a_strip_of_its_own() -> None:
    """The skin above follows in order and little, no texture moves; the strip reaches from the lashes to the fold and
    over its middle, nearer than the skin behind it, and has no height while the eye is open."""
    shut = MODEL.resting_expression.copy()
    shut[[9, 10]] = 1
    opened, open_uv = MODEL.animate(code(), NOBODY)
    closed, shut_uv = MODEL.animate(code(expression=shut), NOBODY)
    np.testing.assert_array_equal(open_uv[: len(MODEL.uv)], MODEL.uv)
    np.testing.assert_array_equal(shut_uv[: len(MODEL.uv)], MODEL.uv)
    for at, (ring, (fold, below_brow)) in enumerate(LIDS):
        edge = ring[:8:-1]
        rows = [list(row[1:6]) for row in (edge, fold, below_brow)]
        fallen = [float((closed[row, 1] - opened[row, 1]).mean()) for row in rows]
        assert fallen[0] > 2 * fallen[1] > 2 * fallen[2]
        first = FIRST_LID_VERTEX + at * 18
        lashes, top = slice(first + 1, first + 8), slice(first + 10, first + 17)
        np.testing.assert_array_equal(opened[lashes], opened[top])
        np.testing.assert_allclose(closed[lashes, :2], closed[list(edge), :2], atol=1e-4)
        risen = (closed[list(fold), 1] - closed[top, 1]) / (closed[list(fold), 1] - closed[list(below_brow), 1])
        np.testing.assert_allclose(risen, [0, 0.18, 0.3, 0.3, 0.3, 0.18, 0], atol=1e-3)
        assert (closed[top, 2] < closed[list(fold), 2]).all()


def test_lips_that_are_shut_over_an_open_jaw_are_shut() -> None:
    """Pursed lips: the jaw is open and so is the coefficient that shuts the lips over it; the chin stays low."""
    pursed, wide = MODEL.resting_expression.copy(), MODEL.resting_expression.copy()
    pursed[[25, 27]], wide[25] = 0.5, 0.5
    gap = [float(np.diff(MODEL.head(e)[[LIP_UPPER_INNER, LIP_LOWER_INNER], 1])[0]) for e in (pursed, wide)]
    assert gap[0] < 0.2 < 1 < gap[1]
    assert MODEL.head(pursed)[152, 1] == pytest.approx(MODEL.head(wide)[152, 1], abs=0.02)


def test_an_open_jaw_opens_the_mouth_and_lowers_the_chin() -> None:
    """Coefficient 25 parts the lips; the mouth's texture stays with the upper jaw."""
    wide = MODEL.resting_expression.copy()
    wide[25] = 0.9
    shut, opened = MODEL.head(MODEL.resting_expression), MODEL.head(wide)
    gap = [head[LIP_LOWER_INNER, 1] - head[LIP_UPPER_INNER, 1] for head in (shut, opened)]
    assert gap[1] > gap[0] + 1.0
    assert opened[152, 1] > shut[152, 1] + 0.5
    patches = [
        MODEL.animate(code(expression=e), NOBODY)[1][FIRST_LID_VERTEX - 1, 1] for e in (MODEL.resting_expression, wide)
    ]
    assert patches[1] > patches[0]


def test_projection_turns_scales_and_moves() -> None:
    """Ten px per cm, centred, and a head turned by 90 degrees has its depth in x."""
    points = np.array([[1, 2, 3]], np.float32)
    np.testing.assert_allclose(project(code((100, 50), 10), points), [[110, 70, 30]], atol=1e-4)
    side = project(code((100, 50), 10, turned(90)), points)[0]
    assert abs(side[0] - 100) == pytest.approx(30, abs=1e-3)
    assert side[1] == pytest.approx(70, abs=1e-3)


def test_another_version_is_refused() -> None:
    """Arrays of another version, or of another shape, are no face model."""
    with np.load(weight_path("face_model")) as file:
        arrays = {name: file[name] for name in file.files}
    assert face_model_from(arrays).skin_triangles == load_face_model().skin_triangles
    with pytest.raises(WeightsError, match="version 99"):
        face_model_from(arrays | {"version": np.array(99)})
