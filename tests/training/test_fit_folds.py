"""Folds are found where an expression draws them, and on the other side for its mirror image."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.audit.expression_names import EXPRESSION_NAMES
from anonymizer.persona.folds import FOLD_COLUMNS, FOLD_ROWS
from tests.heads import MODEL
from training.fit_folds import RIDGE, explained, fit, growth

SMILE_LEFT, SMILE_RIGHT = (EXPRESSION_NAMES.index(f"mouthSmile{side}") for side in ("Left", "Right"))


def test_a_planted_fold_is_found_on_its_side_and_on_the_other() -> None:
    """200 made photos with noise and one dark spot for half a smile: it comes out nearly as deep, nothing elsewhere."""
    rng = np.random.default_rng(5)
    expression = np.zeros((200, 52), np.float32)
    expression[:, SMILE_LEFT], expression[:, SMILE_RIGHT] = rng.uniform(0, 1, (2, 200))
    detail = rng.normal(0, 0.1, (200, FOLD_ROWS, FOLD_COLUMNS)).astype(np.float32)
    rows, columns = slice(68, 72), slice(78, 82)  # beside the person's left corner of the mouth, at the image's right
    detail[:, rows, columns] -= 0.4 * expression[:, SMILE_LEFT, None, None]
    detail[:, rows, FOLD_COLUMNS - 82 : FOLD_COLUMNS - 78] -= 0.4 * expression[:, SMILE_RIGHT, None, None]
    sure = np.ones_like(detail)
    folds = fit(expression, detail, sure, RIDGE * growth(MODEL))
    assert folds[SMILE_LEFT, rows, columns].mean() == pytest.approx(-0.4, abs=0.1)
    assert folds[SMILE_RIGHT][:, ::-1] == pytest.approx(folds[SMILE_LEFT], abs=1e-3)
    assert abs(float(folds[SMILE_LEFT, 20:40, 20:40].mean())) < 0.01
    assert 0 < explained(folds, expression, detail, sure, np.arange(200) % 10 == 9) < 0.2


def test_what_was_not_seen_counts_for_nothing() -> None:
    """Photos whose texel was hidden do not change what is found there."""
    rng = np.random.default_rng(6)
    expression = rng.uniform(0, 1, (60, 52)).astype(np.float32)
    detail = np.zeros((60, FOLD_ROWS, FOLD_COLUMNS), np.float32)
    sure = np.ones_like(detail)
    sure[:30] = 0
    detail[:30] = 5
    assert np.abs(fit(expression, detail, sure, RIDGE * growth(MODEL))).max() == 0
