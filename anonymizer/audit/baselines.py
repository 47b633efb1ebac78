"""What other tools do to a face, and the floors: made from the raw photo, to stand in the same table.

Two floors for what no face inpainting can go below, because it lies around the face: the face's oval and 15 % painted
grey, which also handicaps the recogniser, and one finished face for everybody in its place, which is the fairer one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from anonymizer.audit.seen import Seen, box_of
from anonymizer.faces import Floats, MotionCode
from anonymizer.frames import RgbImage
from anonymizer.generate.guide import draw, pose, texture_mips
from anonymizer.guard.coverage import fill_hole
from anonymizer.perceive.motion import fit_motion
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.landmark_groups import FACE_OVAL
from anonymizer.persona.persona import Persona, draw_persona

Baseline = Callable[[RgbImage, Seen], RgbImage]
OVAL_SCALE = 1.15  # of the landmarks' oval: the reference hull, whatever hole the product cuts
BLUR_SHARE = 0.3  # box filter's side, of the face's width
GREY = 128
_NOBODY = b"the same finished face for all  ".ljust(32, b".")  # of a floor, never of an output


def raw(rgb: RgbImage, _: Seen) -> RgbImage:
    return rgb


def blurred(rgb: RgbImage, face: Seen) -> RgbImage:
    """A box blur of .3 of the face's width, over the reference hull."""
    import cv2

    side = max(3, round(BLUR_SHARE * box_of(face).width)) | 1
    return _inside(rgb, np.asarray(cv2.blur(rgb, (side, side)), np.uint8), reference_hull(rgb, face))


def pixelated(cells: int) -> Baseline:
    """`cells` × `cells` squares over the landmarks' box and 15 %."""

    def apply(rgb: RgbImage, face: Seen) -> RgbImage:
        import cv2

        box = box_of(face).scaled(OVAL_SCALE)
        height, width = rgb.shape[:2]
        x0, y0 = max(0, int(box.x0)), max(0, int(box.y0))
        x1, y1 = min(width, int(box.x1) + 1), min(height, int(box.y1) + 1)
        out = rgb.copy()
        small = cv2.resize(rgb[y0:y1, x0:x1], (cells, cells), interpolation=cv2.INTER_AREA)
        out[y0:y1, x0:x1] = cv2.resize(small, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
        return out

    return apply


def grey_hull(rgb: RgbImage, face: Seen) -> RgbImage:
    return _inside(rgb, np.full_like(rgb, GREY), reference_hull(rgb, face))


def black_box(rgb: RgbImage, face: Seen) -> RgbImage:
    """A rectangle, as deface draws it: the landmarks' box and 30 %."""
    box, out = box_of(face).scaled(1.3), rgb.copy()
    out[max(0, int(box.y0)) : max(0, int(box.y1)), max(0, int(box.x0)) : max(0, int(box.x1))] = 0
    return out


def pasted_face(rgb: RgbImage, face: Seen, which: int = 0) -> RgbImage:
    """One face for everybody, at rest, frontal, at the head's place, size and roll. which: of many such faces."""
    from anonymizer.faces import Face

    model = load_face_model()
    motion = fit_motion(Face(box_of(face), 1.0, face.landmarks_px, face.expression), model)
    left, right = face.landmarks_px[33, :2], face.landmarks_px[263, :2]
    roll = float(np.arctan2(right[1] - left[1], right[0] - left[0]))
    code = MotionCode(
        center_px=motion.pose[:2].astype(np.float32),
        scale_px_per_cm=float(np.exp(motion.pose[2])),
        rotation=np.array([0, 0, roll], np.float32),
        expression=model.resting_expression,
        gaze=np.zeros((2, 2), np.float32),
    )
    persona, mips = _nobody(which)
    height, width = rgb.shape[:2]
    guide, coverage = draw(pose(code, persona, mips, model), code, slice(0, height), slice(0, width))
    hull = reference_hull(rgb, face)
    skin = np.median(guide[coverage > 0], axis=0) if coverage.any() else np.full(3, GREY)
    finished = np.where(coverage[..., None] > 0, guide, skin.astype(np.uint8))
    return _inside(rgb, np.asarray(finished, np.uint8), hull)


BASELINES: dict[str, Baseline] = {
    "raw": raw,
    "blur": blurred,
    "pixelate 16×16": pixelated(16),
    "pixelate 8×8": pixelated(8),
    "black box": black_box,
    "context only, grey": grey_hull,
    "context only, one face": pasted_face,
}
FLOOR = "context only, one face"


def reference_hull(rgb: RgbImage, face: Seen) -> npt.NDArray[np.uint8]:
    """(H, W), 255 in the landmarks' oval grown by 15 %."""
    oval: Floats = face.landmarks_px[list(FACE_OVAL), :2]
    middle = (oval.min(0) + oval.max(0)) / 2
    mask = np.zeros(rgb.shape[:2], np.uint8)
    fill_hole(mask, np.asarray((oval - middle) * OVAL_SCALE + middle, np.float64))
    return mask


def _inside(rgb: RgbImage, other: RgbImage, mask: npt.NDArray[np.uint8]) -> RgbImage:
    out = rgb.copy()
    out[mask > 0] = other[mask > 0]
    return out


@cache
def _nobody(which: int) -> tuple[Persona, tuple[npt.NDArray[np.uint8], ...]]:
    bank = load_bank()
    persona = draw_persona(_NOBODY, which, len(bank.tones) // 2, "any", bank, load_face_model())
    return persona, texture_mips(persona.texture_rgb)
