"""An expression draws folds into skin, on its own side; rest draws none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.audit.expression_names import EXPRESSION_NAMES
from anonymizer.faces import Floats
from anonymizer.persona import atlas
from anonymizer.persona.face_model import LID_REACH, LIDS, lid_top
from anonymizer.persona.folds import FOLD_COLUMNS, FOLD_ROWS, MOST_LOG, fold_gain, fold_log, folded, lid_gain
from tests.heads import MODEL
from training.expression_regions import swapped

TEXTURE = np.random.default_rng(3).integers(0, 256, (atlas.HEIGHT_PX, atlas.WIDTH_PX, 3), np.uint8)


def coefficients(**share: float) -> Floats:
    out = np.zeros(52, np.float32)
    for name, value in share.items():
        out[EXPRESSION_NAMES.index(name)] = value
    return out


def at(log: Floats, vertex: int, around: int = 2) -> float:
    """Its mean about a landmark."""
    x, y = np.rint(MODEL.uv[vertex] * (FOLD_COLUMNS, FOLD_ROWS * atlas.HEIGHT_PX / atlas.FACE_ROWS)).astype(int)
    return float(log[y - around : y + around + 1, x - around : x + around + 1].mean())


def drawn(texture: npt.NDArray[np.uint8], **share: float) -> npt.NDArray[np.uint8]:
    gain = fold_gain(MODEL.folds, coefficients(**share))
    return folded(texture, gain, np.stack([lid_gain(gain, lid_top(MODEL.uv, *each, LID_REACH / 2)) for each in LIDS]))


def test_rest_changes_no_px() -> None:
    """Of a face at rest the texture is shown as it is."""
    assert (drawn(TEXTURE) == TEXTURE).all()


def test_eyes_and_mouth_stay() -> None:
    """Below the rows of the atlas that the face takes lids alone are folded."""
    out = drawn(TEXTURE, mouthSmileLeft=1, browDownLeft=1)
    for patch in (atlas.EYE_LEFT, atlas.EYE_RIGHT, atlas.MOUTH):
        part = slice(patch.y0, patch.y1), slice(patch.x0, patch.x1)
        assert (out[part] == TEXTURE[part]).all()
    assert (out[: atlas.FACE_ROWS] != TEXTURE[: atlas.FACE_ROWS]).any()


def test_a_shut_lid_is_folded_as_the_skin_it_shows() -> None:
    """It has the gain of the skin above it, less than what brightens the lashes of an open eye."""
    gain = fold_gain(MODEL.folds, coefficients(eyeBlinkLeft=0.8, eyeBlinkRight=0.8))
    plain = np.full(TEXTURE.shape, 120, np.uint8)
    blink = drawn(plain, eyeBlinkLeft=0.8, eyeBlinkRight=0.8)
    for columns, (ring, rows) in zip(atlas.LID_COLUMNS, LIDS, strict=True):
        x, y = np.rint(lid_top(MODEL.uv, ring, rows, LID_REACH / 2)[4] * (atlas.WIDTH_PX, atlas.HEIGHT_PX)).astype(int)
        lid = blink[atlas.FACE_ROWS :, columns][:, 12].mean()
        assert lid == pytest.approx(blink[y, x].mean(), rel=0.12)  # the maps are coarse
        fold = np.rint(MODEL.uv[list(rows[0])] * (FOLD_COLUMNS, 144)).astype(int).T
        assert lid < 0.9 * 120 * gain[fold[1], fold[0]].max()


@pytest.mark.parametrize("size_px", [512, 256, 128, 64])
def test_every_mip_gets_the_same(size_px: int) -> None:
    """A smile shows at every size of the texture, which keeps its shape."""
    plain = np.full((size_px * atlas.HEIGHT_PX // atlas.WIDTH_PX, size_px, 3), 120, np.uint8)
    out = drawn(plain, mouthSmileLeft=1, mouthSmileRight=1)
    assert out.shape == plain.shape
    fold = MODEL.uv[426] * (size_px, len(plain))  # beside the mouth, where the cheek begins
    x, y = fold.astype(int)
    assert out[y, x].mean() != 120


def test_a_smile_darkens_the_fold_of_its_own_side() -> None:
    """From the nose's wing to the mouth's corner; the person's left is at the image's right."""
    log = fold_log(MODEL.folds, coefficients(mouthSmileLeft=0.8))
    left, right = min(at(log, v) for v in (423, 426, 436)), min(at(log, v) for v in (203, 206, 216))
    assert left < -0.08
    assert right > left / 2


def test_lowered_brows_darken_what_lies_between_brow_and_eye() -> None:
    """On both sides."""
    log = fold_log(MODEL.folds, coefficients(browDownLeft=0.8, browDownRight=0.8))
    assert at(log, 221) < -0.05
    assert at(log, 441) < -0.05


def test_both_sides_are_alike() -> None:
    """A mirrored coefficient draws the mirrored fold."""
    assert MODEL.folds[swapped()][:, :, ::-1] == pytest.approx(MODEL.folds, abs=0.021)


def test_not_more_than_skin_does() -> None:
    """Absurd coefficients are held to MOST_LOG."""
    assert np.abs(fold_log(MODEL.folds, np.full(52, 9, np.float32))).max() <= MOST_LOG


def test_folds_are_no_flat_light() -> None:
    """They are detail: over the face, each adds nothing."""
    assert np.abs(MODEL.folds.mean((1, 2))).max() < 0.02
