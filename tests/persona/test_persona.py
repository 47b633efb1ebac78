"""Personas: drawn from a secret alone, each another, each mixed of three."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from anonymizer.errors import WeightsError
from anonymizer.persona import atlas
from anonymizer.persona.atlas import FACE_ROWS
from anonymizer.persona.bank import bank_from, decode_rgb, load_bank
from anonymizer.persona.face_model import LIDS, lid_top
from anonymizer.persona.persona import (
    LOOKS,
    PORES,
    Persona,
    _no_cold_shine,
    _pores,
    _random,
    _recoloured,
    draw_persona,
    eyeball,
    tinted,
)
from anonymizer.persona.tone import TINT_RANGE
from anonymizer.weights.locate import weight_path
from tests.heads import MODEL

SECRET = b"a secret of thirty-two bytes, no less"
BANK = load_bank()
SKIN = (slice(120, 300), slice(150, 360))


def draw(slot: int, tone: int = 3, look: str = "any", secret: bytes = SECRET) -> Persona:
    return draw_persona(secret, slot, tone, look, BANK, MODEL)


@pytest.fixture(scope="module")
def many() -> list[Persona]:
    """64 personas of one secret."""
    return [draw(slot) for slot in range(64)]


def test_64_personas_are_64_people(many: list[Persona]) -> None:
    """Any two differ in shape and in skin, by far more than noise."""
    shapes = np.stack([p.shape_cm.ravel() for p in many])
    skins = np.stack([p.texture_rgb[:FACE_ROWS:8, ::8].astype(np.float32).ravel() for p in many])
    for rows, least in ((shapes, 0.03), (skins, 2.0)):
        distance = np.sqrt(((rows[:, None, ::3] - rows[None, :, ::3]) ** 2).mean(2))
        assert (distance[~np.eye(64, dtype=bool)] > least).all()


def test_each_is_mixed_of_three_portraits_and_repeats_none(many: list[Persona]) -> None:
    """Three different portraits without a beard; no persona has the shape of any portrait."""
    for persona in many:
        assert len(set(persona.portraits)) == 3
        assert not BANK.bearded[list(persona.portraits)].any()
        apart = BANK.shapes_cm[list(persona.portraits)] - persona.shape_cm
        apart -= np.average(apart, axis=1, weights=MODEL.alignment_weights)[:, None]
        nearest = np.sqrt((apart**2).mean((1, 2))).min()
        assert nearest > 0.03


def test_a_shape_does_not_move_the_head(many: list[Persona]) -> None:
    """A turned persona stands where the average head stands: no part of its shape is a shift of the whole."""
    for persona in many:
        assert np.abs(np.average(persona.shape_cm, axis=0, weights=MODEL.alignment_weights)).max() < 0.1


def test_people_side_by_side_have_different_skin(many: list[Persona]) -> None:
    """The dominating portrait of the first 16 slots of one secret is never the same, all three never are."""
    assert len({persona.portraits[0] for persona in many[:16]}) == 16
    assert len({persona.portraits for persona in many}) == len(many)


def test_the_same_secret_and_slot_draw_the_same_person() -> None:
    """Bit for bit; another secret or another slot draws somebody else."""
    first, again = draw(5), draw(5)
    np.testing.assert_array_equal(first.shape_cm, again.shape_cm)
    np.testing.assert_array_equal(first.texture_rgb, again.texture_rgb)
    for other in (draw(6), draw(5, secret=SECRET[::-1])):
        assert np.abs(other.shape_cm - first.shape_cm).max() > 0.1
        assert (other.texture_rgb != first.texture_rgb).mean() > 0.5


def test_tone_steps_go_from_dark_to_light() -> None:
    """Each step is brighter than the one before; eyes and mouth have textures of their own."""
    brightness = [np.mean([draw(slot, tone).texture_rgb[SKIN].mean() for slot in (1, 2)]) for tone in range(6)]
    assert brightness == sorted(brightness)
    assert brightness[-1] > brightness[0] + 40
    for patch in (atlas.EYE_LEFT, atlas.EYE_RIGHT, atlas.MOUTH):
        assert draw(1, 3).texture_rgb[patch.y0 : patch.y1, patch.x0 : patch.x1].std() > 10


def test_a_tone_does_not_change_who_it_is() -> None:
    """Portraits and shape are those of the secret and the slot, so that features do not go with the wearer's skin."""
    for slot in range(3):
        dark, light = draw(slot, 0), draw(slot, 5)
        assert dark.portraits == light.portraits
        np.testing.assert_array_equal(dark.shape_cm, light.shape_cm)


def test_a_tint_colours_the_skin_alone() -> None:
    """Red skin, but white eyes; no tint leaves dark and middle colours as they are."""
    texture = draw(1).texture_rgb
    red = tinted(texture, np.array([1.3, 0.9, 0.9], np.float32))
    assert red[SKIN][..., 0].mean() > texture[SKIN][..., 0].mean() + 5
    for patch in (atlas.EYE_LEFT, atlas.EYE_RIGHT, atlas.MOUTH):
        part = slice(patch.y0, patch.y1), slice(patch.x0, patch.x1)
        np.testing.assert_array_equal(red[part], texture[part])


def test_in_the_dark_eyes_and_teeth_are_dark_too() -> None:
    """With a tint of .1 they are no brighter beside the skin than with the darkest of skin in sight, to 5 %."""
    texture = draw(1).texture_rgb.astype(np.float32)
    dark = tinted(texture.astype(np.uint8), np.full(3, 0.1, np.float32)).astype(np.float32)
    skin = dark[SKIN].mean() / texture[SKIN].mean()
    for patch in (atlas.EYE_LEFT, atlas.EYE_RIGHT, atlas.MOUTH):
        part = slice(patch.y0, patch.y1), slice(patch.x0, patch.x1)
        assert dark[part].mean() < 1.05 / TINT_RANGE[0] * skin * texture[part].mean()


def test_lids_have_the_skin_above_the_eye() -> None:
    """Where a shut lid begins it has the colours of the skin there, from corner to corner; its edge is dark, and a tint
    reaches it."""
    texture = draw(1).texture_rgb
    red = tinted(texture, np.array([1.3, 0.9, 0.9], np.float32))
    for columns, (ring, rows) in zip(atlas.LID_COLUMNS, LIDS, strict=True):
        strip = texture[FACE_ROWS:, columns].astype(np.float32)
        x, y = np.rint(lid_top(MODEL.uv, ring, rows)[2:7] * (atlas.WIDTH_PX, atlas.HEIGHT_PX)).astype(int).T
        above = np.array([texture[b - 2 : b + 3, a - 2 : a + 3].mean((0, 1)) for a, b in zip(x, y, strict=True)])
        between = (above[:-1] + above[1:]) / 2  # columns 10 to 13 lie half way between the lid's points 2 to 6
        np.testing.assert_allclose(strip[0, 10:14], between, atol=5)
        assert strip[-4:].mean() < 0.5 * strip[70, 8:16].mean()
        assert red[FACE_ROWS:, columns][..., 0].mean() > strip[..., 0].mean() + 5


@pytest.mark.parametrize(("look", "feminine"), [("feminine", True), ("masculine", False)])
def test_a_look_chooses_the_portraits(look: str, feminine: bool) -> None:
    """A chosen look holds for all three portraits."""
    for slot in range(4):
        assert [bool(BANK.feminine[i]) for i in draw(slot, look=look).portraits] == [feminine] * 3


def test_sparse_brows_are_given_to_nobody(many: list[Persona]) -> None:
    """Their owners are in the bank and among the faces, and no second portrait is one of them."""
    assert any(BANK.sparse_brows[p.portraits[0]] for p in many)
    assert not any(BANK.sparse_brows[p.portraits[1]] for p in many)


def test_everyone_has_nostrils(many: list[Persona]) -> None:
    """Both are darker than the nose's tip and than the skin below, whoever the portraits are."""
    places = {"left": (244, 235), "right": (244, 279), "tip": (224, 257), "below": (272, 257)}
    for persona in many:
        grey = np.log(persona.texture_rgb[:FACE_ROWS].astype(np.float32).mean(2) + 1)
        seen = {name: float(grey[y - 3 : y + 4, x - 4 : x + 5].mean()) for name, (y, x) in places.items()}
        assert max(seen["left"], seen["right"]) < min(seen["tip"], seen["below"]) - 0.3, (persona.portraits, seen)


@pytest.mark.parametrize(("tone", "look"), [(6, "any"), (-1, "any"), (3, "old")])
def test_unknown_choices_are_refused(tone: int, look: str) -> None:
    """Steps beyond the six and unknown looks are no personas."""
    with pytest.raises(ValueError, match=str(LOOKS[0])):
        draw(0, tone, look)


def test_the_bank_decodes() -> None:
    """Every array fits the others; details and mouths are pictures of the promised size."""
    count = len(BANK)
    assert count >= 30
    assert BANK.low.shape == (count, 28, 32, 3)
    assert BANK.shapes_cm.shape == (count, 468, 3)
    assert len(BANK.feminine) == len(BANK.bearded) == len(BANK.brightness) == count
    assert BANK.detail(0).shape == (FACE_ROWS, atlas.WIDTH_PX, 3)
    assert abs(float(BANK.detail(count - 1).mean())) < 0.1
    patch = atlas.MOUTH
    assert decode_rgb(BANK.teeth_webp[0]).shape == (patch.y1 - patch.y0, patch.x1 - patch.x0, 3)
    patch = atlas.NOSE
    assert len(BANK.noses_webp) == len(BANK.nose_brightness)
    assert BANK.nose(0).shape == (patch.y1 - patch.y0, patch.x1 - patch.x0, 3)


def test_a_bank_that_does_not_fit_is_refused() -> None:
    """Another version, or bytes that are no picture, in words."""
    with np.load(weight_path("persona_bank")) as file:
        arrays = {name: file[name] for name in file.files}
    with pytest.raises(WeightsError, match="version 99"):
        bank_from(arrays | {"version": np.array(99)})
    with pytest.raises(WeightsError, match="lacks low"):
        bank_from({name: value for name, value in arrays.items() if name != "low"})
    with pytest.raises(WeightsError, match="cannot be decoded"):
        decode_rgb(np.arange(50, dtype=np.uint8))


def test_an_eyeball_has_a_pupil_in_an_iris_in_white() -> None:
    """Dark in the middle, coloured around, bright outside."""
    eye = eyeball(np.array([88, 108, 124], np.float32)).astype(int)
    assert eye.shape == (128, 128, 3)
    assert eye[66, 66].mean() < eye[66, 80].mean() < eye[66, 115].mean()


def test_shine_and_lips_of_dark_skin_do_not_turn_white_on_light_skin() -> None:
    """The lightest and most colourful px of a persona on light skin stay nearer to its own skin than recolouring alone
    leaves them; on its own tone nothing changes."""
    shine = np.full((4, 4, 3), (0.3, 0.4, 0.5), np.float32)
    dull = _recoloured(shine, 0.5)
    assert (dull > 0).all()
    assert (dull < 0.6 * shine).all()
    assert np.ptp(dull[0, 0]) == pytest.approx(0.5 * np.ptp(shine[0, 0]))
    fold = np.full((4, 4, 3), -0.4, np.float32)
    assert np.allclose(_recoloured(fold, 0.5), fold)
    assert _recoloured(shine, 1.2) is shine


def test_shut_lids_are_lighter_than_open_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """From their top on less and less of the shadow above an open eye lies on them; nowhere are they darker for it."""
    lids = np.concatenate([draw(slot).texture_rgb[FACE_ROWS:, slice(136, 160)] for slot in range(8)], 1).astype(int)
    monkeypatch.setattr("anonymizer.persona.persona.LID_LIGHTER", 0.0)
    plain = np.concatenate([draw(slot).texture_rgb[FACE_ROWS:, slice(136, 160)] for slot in range(8)], 1).astype(int)
    assert (lids >= plain).all()
    np.testing.assert_array_equal(lids[0], plain[0])
    assert lids[40:100].mean() > 1.015 * plain[40:100].mean()


def test_skin_has_pores_of_its_own() -> None:
    """Fine grain on a cheek, of about PORES, which nobody else with the same portraits has."""
    cheek = slice(210, 250), slice(130, 180)
    first, second = (_pores(_random(bytes([seed]) * 32))[..., 0] for seed in (1, 2))
    assert first.std() == pytest.approx(PORES, rel=0.25)
    assert abs(np.corrcoef(first[cheek].ravel(), second[cheek].ravel())[0, 1]) < 0.3
    texture = draw(1).texture_rgb[cheek].astype(np.float32).mean(2)
    fine = np.log(texture) - np.log(cv2.GaussianBlur(texture, (0, 0), 3))
    assert fine.std() > 0.5 * PORES


def test_lit_skin_is_not_blue() -> None:
    """Lavender shine becomes nearly neutral, as bright as before; as blue a shadow, and warm shine, stay."""
    shine, shadow, warm = (
        np.array([[each]], np.float32) for each in ((0.1, 0.2, 0.4), (-0.5, -0.4, -0.2), (0.4, 0.2, 0))
    )
    got = _no_cold_shine(shine)
    assert got.mean() == pytest.approx(shine.mean(), abs=1e-6)
    assert np.ptp(got) < 0.3 * np.ptp(shine)
    for each in (shadow, warm):
        np.testing.assert_allclose(_no_cold_shine(each), each, atol=1e-6)
