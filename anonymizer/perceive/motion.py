"""Reduce a face to its motion code: pose, expression without resting values, gaze. Nothing else passes.

A person's resting coefficients identify (method: .08 of AUC from one photo), so a baseline is taken
off and the population's resting values are put in its place; a dead zone hides what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, Face, Floats, MotionCode
from anonymizer.geometry import fit_similarity, rotation_from_vector, vector_from_rotation
from anonymizer.persona.face_model import BLINKS, FaceModel
from anonymizer.persona.landmark_groups import EYE_CORNERS, IRIS_CENTERS

DEAD_ZONE, PHOTO_DEAD_ZONE = 0.02, 0.04  # of a coefficient; what still jitters of a still face is held elsewhere
# Lids are shut from .6 on (1,673 photos: opening .11 of the eye's width there, .41 at 0); narrow eyes have less way to
# go, and a baseline and a dead zone are taken off: so what is left of a blink is drawn out until it shuts.
BLINK_GAIN = 1.4
# Of lids drawn a little lower the landmark network reads a third, of half shut ones more: so much is drawn in a clip,
# for it to read what moved (36 photos with a persona each; between those and what 40 personas on grey would need, .32
# to .69). Photos keep BLINK_GAIN.
LIDS_MOVED, LIDS_DRAWN = (0.0, 0.1, 0.25, 0.4, 0.55), (0.0, 0.24, 0.46, 0.62, 0.76)
GAZE_GAIN = np.array([1.4, 1.0], np.float32)  # sideways, in clips: of a turned eye .6 is read (150 photos)
GAZE_LIMIT = 0.55  # of half an eye's width; the iris touches the corner there
JAW_OPEN = 25  # of the 52 coefficients; the only one that moves the chin
MAX_RESTING_JAW = 0.2  # a mouth open throughout is not at rest; the hole makes room for what is taken off
STEPS_PX = 1 / 8
STEP_SCALE = 1 / 512  # relative
STEP_ROTATION_RAD = np.deg2rad(0.1)
STEP_EXPRESSION = 1 / 64
STEP_GAZE = 1 / 64

# A face is still within so much of where it was drawn: cm, relative size, radians, of a coefficient, of half an eye.
# About three standard deviations of what is left after smoothing of a still face under a webcam's noise (.06 px at
# 16 px a cm, .05 to .12°, .007 to .03), which its shading and lids would show as a shimmer.
# Noise is of px: of smaller faces more is left, up to MOST_UNMOVED times as much.
UNMOVED_PX_PER_CM, MOST_UNMOVED = 16.0, 2.0
UNMOVED = np.concatenate([[0.01, 0.01, 0.0015], np.full(3, np.deg2rad(0.15)), np.full(EXPRESSION_COUNT + 4, 0.02)])
# What ranges over so many of these bands about a moment moves: from the first on a little, from the second on it is
# followed wholly. Noise alone ranges over 1.2.
MOVES_FROM, MOVES_WHOLLY = 1.5, 2.5
MOVES_S = 0.25  # how far about a moment; before it only, where what comes is not known

# What a photo's expression tells recognisers is most of what the product itself does (docs/evaluation.md): with a dead
# zone of .12 dlib's area over the floor was .037 (to .061), MobileFaceNet's .021 (to .053), with .18 .035 (to .059)
# and .017 (to .049), with weights of 533,192 images; .25 and later weights: no difference but noise.
STILL_DEAD_ZONE, STILL_STEP, STILL_GAZE_STEP = 0.18, 1 / 4, 1 / 8
# Both sides of brows, cheeks, lids, nose and mouth (not of eyeLookIn and eyeLookOut, which go together otherwise): in a
# photo they move alike unless they differ plainly, so that a wink passes and the face's own asymmetry does not.
_LEFT = np.array([1, 4, 7, 9, 11, 17, 19, 21, 28, 30, 34, 36, 44, 46, 48, 50])
_RIGHT = _LEFT + 1
ONE_SIDED = 0.5
# What tells people in photos apart best of all coefficients (docs/evaluation.md) is how low brows lie, how narrow eyes
# and how thin lips are: of browDown, cheekSquint, eyeSquint, mouthDimple, mouthPress, mouthRoll, mouthShrug, noseSneer
# only plain ones pass, and all alike.
SHAPED = (1, 2, 7, 8, 19, 20, 28, 29, 36, 37, 40, 41, 42, 43, 50, 51)
SHAPED_LEAST, SHAPED_AS = 0.7, 0.5
# Of people who look into the camera: median of 76 photos of the training set, made symmetrical.
RESTING_GAZE = np.array([[-0.055, -0.18], [0.055, -0.18]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A fitted, not yet reduced face. Private like the face itself.

    pose (6,) float64: centre x, y in px, log of px per cm, rotation vector. expression (52,), raw.
    gaze (2, 2), raw. residual_px: rms of landmarks against the fitted average head.
    """

    pose: npt.NDArray[np.float64]
    expression: Floats
    gaze: Floats
    residual_px: float


def fit_motion(face: Face, model: FaceModel) -> Motion:
    """Fit pose and gaze to a face that has landmarks. ValueError if it has none or they are not finite."""
    if face.landmarks_px is None or face.expression is None:
        raise ValueError("this face has no landmarks to fit")
    points = face.landmarks_px.astype(np.float64)
    if not np.isfinite(points).all():
        raise ValueError("landmarks are not finite")
    head = model.head(face.expression)
    scale, rotation, shift = fit_similarity(head, points[:468], model.alignment_weights)
    fitted = scale * head @ rotation.T + shift
    residual = float(np.sqrt(((fitted - points[:468])[:, :2] ** 2).sum(1).mean()))
    pose = np.concatenate([shift[:2], [np.log(max(scale, 1e-3))], vector_from_rotation(rotation)])
    in_head = (points - shift) @ rotation / scale
    return Motion(pose, face.expression, _gaze(in_head), residual)


def _gaze(in_head: npt.NDArray[np.float64]) -> Floats:
    """Iris offset from the middle of the eye's corners, in half eye widths; landmarks (478, 3) in head space."""
    rows = []
    for (left, right), iris in zip(EYE_CORNERS, IRIS_CENTERS, strict=True):
        a, b = in_head[left, :2], in_head[right, :2]
        rows.append((in_head[iris, :2] - (a + b) / 2) / max(float(np.linalg.norm(b - a)) / 2, 1e-6))
    return np.array(rows, np.float32)


def reduce_motion(
    pose: npt.NDArray[np.float64],
    expression: Floats,
    gaze: Floats,
    baseline: Floats,
    model: FaceModel,
    photo: bool = False,
) -> MotionCode:
    """The motion code: baseline (52,) off, dead zone, clipped, quantised. photo: drawn no stronger than it is."""
    moved = expression - baseline
    size = np.abs(moved)
    dead_zone = PHOTO_DEAD_ZONE if photo else DEAD_ZONE
    moved = np.sign(moved) * np.minimum(size, np.maximum(1.5 * (size - dead_zone), 0))  # whole from three dead zones on
    lids = moved[list(BLINKS)]
    moved[list(BLINKS)] = BLINK_GAIN * lids if photo else _drawn_lids(lids)
    if not photo:
        gaze = RESTING_GAZE + GAZE_GAIN * (gaze - RESTING_GAZE)
    kept = np.clip(model.resting_expression + moved, 0, 1)
    step = np.log1p(STEP_SCALE)
    return MotionCode(
        center_px=_quantised(pose[:2], STEPS_PX),
        scale_px_per_cm=float(np.exp(round(float(pose[2]) / step) * step)),
        rotation=_quantised(pose[3:], STEP_ROTATION_RAD),
        expression=_quantised(kept, STEP_EXPRESSION),
        gaze=_quantised(np.clip(gaze, -GAZE_LIMIT, GAZE_LIMIT), STEP_GAZE),
    )


def _drawn_lids(moved: Floats) -> Floats:
    """Offsets of the blinks (2,) -> those to draw; eyes wider than at rest stay as wide."""
    return np.asarray(np.where(moved > 0, np.interp(moved, LIDS_MOVED, LIDS_DRAWN), moved), np.float32)


def kept_still(
    before: npt.NDArray[np.float64], now: npt.NDArray[np.float64], about: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Pose, expression and gaze (62,) of the frame before, as drawn, and of this one -> what to draw: as little moved
    as UNMOVED allows, so that noise moves nothing and motion goes on without steps.

    about: (N, 62), the moments about this one; what moves there is followed wholly, or small expressions would be lost.
    """
    px_per_cm = float(np.exp(before[2]))  # as drawn: the band does not tremble itself
    band = UNMOVED * np.clip(UNMOVED_PX_PER_CM / px_per_cm, 1, MOST_UNMOVED)
    band[:2] *= px_per_cm
    held = np.clip(before - now, -band, band)
    if about is not None:
        bands = np.ptp(about, axis=0)[6:] / band[6:]
        held[6:] *= np.clip((MOVES_WHOLLY - bands) / (MOVES_WHOLLY - MOVES_FROM), 0, 1)
    return np.asarray(now + held)


def reduce_still(motion: Motion, model: FaceModel) -> MotionCode:
    """The motion code of a photo, far coarser than a clip's: without a track a person's resting values cannot be told
    from expression, so only plain expression passes, alike on both sides, in quarters, and one gaze for both eyes, in
    eighths. What that costs and what codes still tell: docs/evaluation.md.
    """
    moved = _alike_on_both_sides(motion.expression - model.resting_expression)
    size = np.abs(moved)
    moved = np.sign(moved) * np.minimum(size, np.maximum(1.5 * (size - STILL_DEAD_ZONE), 0))
    plain = _quantised(moved, STILL_STEP)
    shaped = moved[list(SHAPED)]
    plain[list(SHAPED)] = np.sign(shaped) * SHAPED_AS * (np.abs(shaped) >= SHAPED_LEAST)
    # As strong as without the map of `FaceModel.response`: with it recognisers told .005 to .009 of area more.
    plain /= np.maximum(np.diag(model.response), 1)
    expression = model.resting_expression + plain
    expression[JAW_OPEN] = motion.expression[JAW_OPEN]  # moves the chin, which the hole must hold
    looked = _quantised((motion.gaze - RESTING_GAZE).mean(0), STILL_GAZE_STEP)
    gaze = (RESTING_GAZE + looked).astype(np.float32)
    kept = np.clip(expression, 0, 1).astype(np.float32)
    return reduce_motion(motion.pose, kept, gaze, photo_baseline(kept, model), model, photo=True)


def _alike_on_both_sides(moved: Floats) -> Floats:
    """(52,) with the mean of left and right for both, where they do not differ by ONE_SIDED."""
    out = moved.copy()
    left, right = moved[_LEFT], moved[_RIGHT]
    alike = np.abs(left - right) < ONE_SIDED
    mean = (left + right) / 2
    out[_LEFT], out[_RIGHT] = np.where(alike, mean, left), np.where(alike, mean, right)
    return out


def photo_baseline(expression: Floats, model: FaceModel) -> Floats:
    """A photo has no track to learn resting values from, so the population's are taken off."""
    return model.resting_expression


def track_baseline(expressions: Floats) -> Floats:
    """Resting values of a whole track, (T, 52) -> (52,): what its calm moments show.

    The 25th percentile: a face at rest shows the low values of every coefficient most of the time. Of lids the 10th:
    who reads or signs looks down most of the time, and what of the eyes was open could not be told any more.
    """
    baseline = np.asarray(np.percentile(expressions, 25, axis=0), np.float32)
    baseline[list(BLINKS)] = np.percentile(expressions[:, list(BLINKS)], 10, axis=0)
    baseline[JAW_OPEN] = min(float(baseline[JAW_OPEN]), MAX_RESTING_JAW)
    return baseline


def motion_in_head(face: Face, motion: Motion) -> npt.NDArray[np.float64]:
    """Landmarks (478, 3) of a face in head space, cm. Used by training only; identifies a person."""
    assert face.landmarks_px is not None
    shift = np.array([motion.pose[0], motion.pose[1], 0.0])
    points = face.landmarks_px.astype(np.float64) - shift
    return np.asarray(points @ rotation_from_vector(motion.pose[3:]) / np.exp(motion.pose[2]))


def _quantised(values: npt.ArrayLike, step: float) -> Floats:
    return (np.round(np.asarray(values, np.float64) / step) * step).astype(np.float32)
