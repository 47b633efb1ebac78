"""Where each of mediapipe's 52 coefficients may move a face: what a regression finds elsewhere is whose face it was.

People with low brows have other chins, so a plain regression moved the chin by 5 mm in a blink. Coefficients are named
after the person's sides: the left is at the image's right of somebody who looks into the camera.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.persona.landmark_groups import EYE_LEFT, LIP_LOWER_INNER, LIP_UPPER_INNER, LIPS_INNER

# Landmarks at the image's left; MediaPipe's face mesh topology, as in anonymizer.persona.landmark_groups.
_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
_EYE = EYE_LEFT
_MOUTH = (61, 146, 91, 181, 84, 185, 40, 39, 37, 78, 191, 80, 81, 82, 95, 88, 178, 87)
_CHEEK = (50, 205, 187)
_NOSE_SIDE = (98, 48, 64)
_JAW = (152, 148, 176, 149, 150, 136, 172, 58)
_LIPS = (*(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185), *LIPS_INNER)
_SIDED = {  # coefficient of the person's left side, of the right one: landmarks, at the image's left
    (1, 2): _BROW,
    (4, 5): _BROW,
    (7, 8): (*_CHEEK, *_EYE),
    **{(left, left + 1): _EYE for left in (9, 11, 13, 15, 17, 19, 21)},
    **{(left, left + 1): _MOUTH for left in (28, 30, 34, 36, 44, 46, 48)},
    (50, 51): _NOSE_SIDE,
}
_MIDDLE = {  # landmarks at the image's left; the mirrored are added
    3: _BROW,
    6: _CHEEK,
    23: _JAW,
    **dict.fromkeys((24, 25, 26), (*_JAW, *_LIPS)),
    **dict.fromkeys((27, 32, 33, 38, 39, 40, 41, 43), _LIPS),
    42: (*_LIPS, 152, 148),
}
LEFT_AND_RIGHT = (*_SIDED, (24, 26), (33, 39))
JAW_OPEN, MOUTH_CLOSE = 25, 27
_LOWER_LIP = (14, 87, 178, 88, 95, 317, 402, 318, 324)  # the inner rim
_LIP_CM, _LIP_FADE_CM = 0.9, 1.2  # how far from the rim the lower lip goes with it, and over what that ends
# How far (cm) from its landmarks a coefficient moves the face freely; lids the least, lips chin and cheeks.
EYE_REACH_CM, BROW_REACH_CM, MOUTH_REACH_CM = 0.8, 1.5, 3.0
GROWTH = 10.0  # of the ridge, by the square of the cm beyond; 1 and 100 explained less of eight filmed clips


def mirrored(vertices_cm: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """For each vertex (N, 3) of a symmetric mesh, the one at its mirror image."""
    flipped = vertices_cm * [-1, 1, 1]
    partner: npt.NDArray[np.int64] = np.square(flipped[:, None] - vertices_cm[None]).sum(2).argmin(1)
    if not np.array_equal(partner[partner], np.arange(len(partner))):
        raise ValueError("the mesh is not symmetric about x = 0: no vertex has one partner; use the canonical mesh")
    return partner


def swapped() -> npt.NDArray[np.int64]:
    """(52,): each coefficient's number in a mirrored face."""
    order = np.arange(52)
    for left, right in LEFT_AND_RIGHT:
        order[left], order[right] = right, left
    return order


def ridge_growth(vertices_cm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(51, N): by how much the ridge of coefficients 1 to 51 is larger at each vertex, 1 within their reach."""
    partner = mirrored(vertices_cm)
    regions: dict[int, list[int]] = {}
    for (left, right), at in _SIDED.items():
        regions[right], regions[left] = list(at), [int(partner[v]) for v in at]
    for number, at in _MIDDLE.items():
        regions[number] = [*at, *(int(partner[v]) for v in at)]
    rows = []
    for number in range(1, 52):
        seeds = vertices_cm[regions[number]]
        distance = np.sqrt(np.square(vertices_cm[:, None] - seeds[None]).sum(2)).min(1)
        rows.append(1 + GROWTH * np.maximum(distance - _reach(number), 0) ** 2)
    return np.array(rows)


def lips_shut_over_an_open_jaw(
    vertices_cm: npt.NDArray[np.float64], jaw_open: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """What the coefficient that says so moves, (N, 3): the lower lip, by as much as jaw_open (N, 3) parts it from the
    upper. Photos hardly ever show it, so a regression finds nothing, and pursed lips were drawn wide open.
    """
    parted = jaw_open[LIP_LOWER_INNER] - jaw_open[LIP_UPPER_INNER]
    rim = vertices_cm[list(_LOWER_LIP)]
    distance = np.sqrt(np.square(vertices_cm[:, None] - rim[None]).sum(2)).min(1)
    near = np.clip(1 - (distance - _LIP_CM) / _LIP_FADE_CM, 0, 1)
    near = near * near * (3 - 2 * near)
    carried = np.maximum((jaw_open[:, 1] - jaw_open[LIP_UPPER_INNER, 1]) / parted[1], 0)
    return np.asarray(-(near * carried)[:, None] * parted, np.float64)


def _reach(number: int) -> float:
    if 7 <= number <= 22:
        return EYE_REACH_CM
    return MOUTH_REACH_CM if 24 <= number <= 49 else BROW_REACH_CM
