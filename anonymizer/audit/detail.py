"""Does the true face shine through? Fine detail of BEFORE looked for in AFTER, at the same place.

Two people in one pose share the coarse picture (dark eyes, bright nose), but not its fine detail: lashes, pores, the
edge of a lip. So both pictures are brought to one size, everything coarse is taken off, and what is left is
correlated, in eyes, nose and mouth apart. The regression's slope tells how opaque the cover is.

The lids and lips of two faces in one pose lie nearly alike, which correlates too, but just as well a few px away. What
shines through is alike at its very place and nowhere else: that is the face's peak. For it detail is made equally
strong everywhere, so that pores count like lids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.audit.seen import Seen, box_of
from anonymizer.faces import Floats
from anonymizer.frames import RgbImage
from anonymizer.guard.coverage import fill_hole
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIPS_OUTER

FACE_PX = 128  # width at which faces are compared
COARSE_PX = 1.5  # sigma of what is taken off
PEAK_WITHIN_PX, PEAK_REACH_PX = 3, 6  # nearer shifts belong to the peak; further ones are not looked at
EVENED_PX, EVENED_LEVELS = 4.0, 1.5  # sigma over which detail is made equally strong, and what counts as none
LEAST_PX = 20  # of a region
FLATTEST = 1.0  # levels of 255; a face with less detail (dark, out of focus) cannot be judged
OVAL_SCALE = 0.85  # of the face's outline: hair and background, the same in both, stay outside
UNTOUCHED, UNTOUCHED_SHARE = 0.8, 0.7  # likeness and strength of a region that was left as it was
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 64, 294)
INNER = {"eyes": (*EYE_LEFT, *EYE_RIGHT, *BROWS), "nose": NOSE, "mouth": LIPS_OUTER}


@dataclass(frozen=True, slots=True)
class Shine:
    """How much of one region of the raw face is in AFTER. likeness: correlation of fine detail, −1 to 1, NaN where
    there is none. share: of the raw detail's strength, 0 = covered, 1 = untouched."""

    likeness: float
    share: float

    @property
    def untouched(self) -> bool:
        return self.likeness >= UNTOUCHED and self.share >= UNTOUCHED_SHARE


@dataclass(frozen=True, slots=True)
class FaceShine:
    """One face. regions: eyes, nose, mouth. peak: by how much its detail, less regions left untouched, is more alike
    at its place than moved by 3 to 6 px of 128; around 0 or less when it is covered, NaN when it cannot be judged."""

    regions: dict[str, Shine]
    peak: float


def shine_through(before: RgbImage, after: RgbImage, raw: Seen) -> FaceShine:
    """before, after: (H, W, 3) of one size; raw: the face in `before`."""
    matrix, size = _to_common(raw)
    b, a = (_fine_detail(rgb, matrix, size) for rgb in (before, after))
    points = raw.landmarks_px[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    masks = {name: _filled(_hull(points[list(group)]), size) for name, group in INNER.items()}
    regions = {name: _shine(b[mask].astype(np.float64), a[mask].astype(np.float64)) for name, mask in masks.items()}
    oval = points[list(FACE_OVAL)]
    middle = oval.mean(0)
    face = _filled((oval - middle) * OVAL_SCALE + middle, size)
    for name, mask in masks.items():
        if regions[name].untouched:
            face &= ~_grown(mask)
    return FaceShine(regions, _peak(b, a, face))


def _peak(before: Floats, after: Floats, mask: npt.NDArray[np.bool_]) -> float:
    """Correlation of evened detail where it lies, less the highest of all moved ones."""
    import cv2

    if np.count_nonzero(mask) < LEAST_PX or before[mask].std() < FLATTEST:
        return float("nan")
    b, a = _evened(before), _evened(after)
    deviation = np.where(mask, b - b[mask].mean(), 0).astype(np.float32)
    reach = PEAK_REACH_PX
    beyond = cv2.copyMakeBorder(a, reach, reach, reach, reach, cv2.BORDER_REFLECT_101)
    sums = cv2.matchTemplate(beyond, deviation, cv2.TM_CCORR)
    alike = sums / max(float(np.sqrt((deviation**2).sum()) * np.sqrt(mask.sum()) * a[mask].std()), 1e-9)
    away = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) >= PEAK_WITHIN_PX
    return float(alike[reach, reach] - alike[away].max())


def _evened(detail: Floats) -> Floats:
    import cv2

    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), EVENED_PX))
    return np.asarray(detail / (strength + EVENED_LEVELS), np.float32)


def _filled(outline: npt.NDArray[np.floating], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(size[::-1], np.uint8)
    fill_hole(mask, np.asarray(outline, np.float64))
    return mask > 0


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """By the reach of evening out: a bare mouth's rim must not count as a cover that lets through."""
    import cv2

    side = 2 * round(2 * EVENED_PX) + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def _shine(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> Shine:
    if len(before) < LEAST_PX or before.std() < FLATTEST:
        return Shine(float("nan"), float("nan"))
    b, a = before - before.mean(), after - after.mean()
    covariance, variance = float((a * b).mean()), float((b * b).mean())
    likeness = covariance / max(np.sqrt(variance) * float(a.std()), 1e-9)
    return Shine(likeness, covariance / variance)


def _to_common(raw: Seen) -> tuple[npt.NDArray[np.float64], tuple[int, int]]:
    """(2, 3): frame px -> the common size, and that size (width, height)."""
    box = box_of(raw)
    scale = FACE_PX / max(box.width, 1.0)
    size = (FACE_PX, max(8, round(box.height * scale)))
    return np.array([[scale, 0, -box.x0 * scale], [0, scale, -box.y0 * scale]]), size


def _fine_detail(rgb: RgbImage, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Floats:
    import cv2

    part, moved = _cut(rgb, matrix, size)
    grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY).astype(np.float32)
    if moved[0, 0] < 0.7:  # a plain warp would skip pixels
        small = (max(2, round(grey.shape[1] * moved[0, 0])), max(2, round(grey.shape[0] * moved[0, 0])))
        shrink = np.array([small[0] / grey.shape[1], small[1] / grey.shape[0]])
        grey = np.asarray(cv2.resize(grey, small, interpolation=cv2.INTER_AREA), np.float32)
        moved = moved.copy()
        moved[:, :2] /= shrink
    warped = cv2.warpAffine(grey, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped - cv2.GaussianBlur(warped, (0, 0), COARSE_PX), np.float32)


def _cut(
    rgb: RgbImage, matrix: npt.NDArray[np.float64], size: tuple[int, int]
) -> tuple[RgbImage, npt.NDArray[np.float64]]:
    """The part of the frame that is needed, and the matrix from there."""
    scale, height, width = matrix[0, 0], *rgb.shape[:2]
    x0, y0 = (int(np.clip(-matrix[i, 2] / scale - 4, 0, limit - 2)) for i, limit in enumerate((width, height)))
    x1 = int(np.clip((size[0] - matrix[0, 2]) / scale + 4, x0 + 2, width))
    y1 = int(np.clip((size[1] - matrix[1, 2]) / scale + 4, y0 + 2, height))
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ np.array([x0, y0])
    return rgb[y0:y1, x0:x1], moved


def _hull(points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    import cv2

    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    return np.asarray(hull, np.float64)
