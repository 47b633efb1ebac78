"""Folds and shadows that an expression draws into skin: beside a smile's mouth, between lowered brows.

Moving a mesh moves its texture and draws nothing new into it, so a smile was a wide mouth on a face at rest. What each
coefficient does to brightness was found in photos (`training/fit_folds.py`), as Cootes et al. find appearance
("Active appearance models", 1998).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.persona import atlas

FOLD_ROWS, FOLD_COLUMNS = 110, 128  # over the atlas's face rows: a fourth of it
FOLD_RGB = np.array([0.84, 1.03, 1.13], np.float32)  # of it in each channel (200 portraits): folds are redder, too
FOLD_STEP = 0.01  # log brightness of a step of the 8-bit folds in the face model's file
MOST_LOG = 0.6  # of brightness, either way: coefficients together may ask for more than skin does


def fold_log(folds: Floats, expression: Floats) -> Floats:
    """folds (52, 110, 128) log brightness a unit; expression (52,), 0 at rest -> (110, 128) log brightness."""
    log = (expression @ folds.reshape(len(folds), -1)).reshape(folds.shape[1:])
    return np.asarray(np.clip(log, -MOST_LOG, MOST_LOG), np.float32)


def fold_gain(folds: Floats, expression: Floats) -> Floats:
    """The same as a gain (110, 128, 3) of the atlas's face."""
    return np.asarray(np.exp(fold_log(folds, expression)[..., None] * FOLD_RGB), np.float32)


def lid_gain(gain: Floats, skin_uv: Floats) -> Floats:
    """Gain (110, 128, 3) of the face -> of a shut lid's strip of the atlas (24, 3): that of the skin it shows (9, 2).

    Not that of the fold below: what is brightened there by half is the lashes of open eyes; on skin it glowed.
    """
    y, x = np.rint(skin_uv * (FOLD_COLUMNS, FOLD_ROWS * atlas.HEIGHT_PX / atlas.FACE_ROWS)).astype(int).T[::-1]
    return atlas.lid_columns(gain[np.clip(y, 0, FOLD_ROWS - 1), x])


def folded(texture_rgb: npt.NDArray[np.uint8], gain: Floats, lid_gains: Floats) -> npt.NDArray[np.uint8]:
    """The atlas (h, w, 3) at any size, its face brighter by gain (110, 128, 3), lids by lid_gains (2, 24, 3); eyes and
    mouth stay."""
    import cv2

    height, width = texture_rgb.shape[:2]
    rows = height * atlas.FACE_ROWS // atlas.HEIGHT_PX
    at_size = cv2.resize(gain, (width, rows), interpolation=cv2.INTER_LINEAR)
    out = texture_rgb.copy()
    cv2.multiply(texture_rgb[:rows], at_size, out[:rows], dtype=cv2.CV_8U)
    for columns, each in zip(atlas.LID_COLUMNS, lid_gains, strict=True):
        lid = out[rows:, columns.start * width // atlas.WIDTH_PX : columns.stop * width // atlas.WIDTH_PX]
        lid[:] = np.clip(lid * cv2.resize(each[None], (lid.shape[1], 1), interpolation=cv2.INTER_AREA), 0, 255)
    return out
