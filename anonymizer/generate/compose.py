"""Put a synthetic face into the frame, at the frame's own resolution.

    out = frame · (1 − blend) + blend · (matte · (gain · guide + bias) + (1 − matte) · (inpaint + detail))

The generator's layers are coarse and are read through the crop's transform; the guide is drawn at full size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.faces import Floats, Mask, SyntheticFace

quiet.silence()  # numba's cache folder, before numba is imported

from numba import njit  # noqa: E402  (after the line above)

from anonymizer.generate.layers import around, layer  # noqa: E402

_STRIDE_PX = 8  # light is read this often along a row, and runs straight between: its grid is coarser still
_SOLID = np.float32(0.998)  # above it the inpainted layer would change nothing by half a level


def compose(
    out: npt.NDArray[np.uint8],
    blend: Floats,
    guide: npt.NDArray[np.uint8],
    coverage: Mask,
    face: SyntheticFace,
    crop_from_part: npt.NDArray[np.float64],
    detail: npt.NDArray[np.int16],
) -> None:
    """Blend a face into out (h, w, 3), in place. blend (h, w) [0, 1]; guide (h, w, 3); coverage (h, w); detail
    (h, w, 3) levels, of `detail_around`.

    crop_from_part: (2, 3), px of `out` to px of the generator's crop.
    """
    soft = soften(coverage, float(np.hypot(crop_from_part[0, 0], crop_from_part[0, 1])))
    layers = pack_layers(face)
    _compose(out, blend, np.ascontiguousarray(guide), soft, layers, np.ascontiguousarray(crop_from_part), detail)


def soften(coverage: Mask, crop_px_per_px: float) -> npt.NDArray[np.uint8]:
    """The guide's rim, softened inward over about two pixels of the crop, and over one of the frame at least: small
    faces ended in steps."""
    import cv2

    width = int(np.clip(round(2.0 / max(crop_px_per_px, 1e-3)), 3, 31)) | 1
    blurred = cv2.blur(coverage, (width, width)).astype(np.int16)
    return np.clip(2 * blurred - 255, 0, 255).astype(np.uint8)


def pack_layers(face: SyntheticFace) -> Floats:
    """(S, S, 10) float32: gain, bias and inpaint for levels 0 to 255, matte; the grid upsampled as training does."""
    import cv2

    size = face.matte.shape[::-1]
    gain = cv2.resize(face.gain, size, interpolation=cv2.INTER_LINEAR)
    bias = cv2.resize(face.bias * np.float32(255), size, interpolation=cv2.INTER_LINEAR)
    layers = [gain, bias, face.inpaint_rgb * np.float32(255), face.matte[..., None]]
    return np.ascontiguousarray(np.concatenate(layers, 2), np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _compose(out, blend, guide, coverage, layers, matrix, detail):  # type: ignore[no-untyped-def]
    height, width = blend.shape
    one, zero, full = np.float32(1), np.float32(0), np.float32(255)
    light = np.zeros((2, 6), np.float32)  # here, and its step to the next pixel
    for y in range(height):
        for x in range(width):
            if x % _STRIDE_PX == 0:
                _light(layers, matrix, x, y, light)
            else:
                for k in range(6):
                    light[0, k] += light[1, k]
            b = blend[y, x]
            if b <= 0:
                continue
            at, weights = around(layers, matrix, x, y)
            matte = zero
            if coverage[y, x] > 0:
                matte = layer(layers, at, weights, 9) * np.float32(coverage[y, x]) * np.float32(1 / 255)
            for k in range(3):
                shown = zero
                if matte > 0:
                    shown = matte * (light[0, k] * np.float32(guide[y, x, k]) + light[0, 3 + k])
                if matte < _SOLID:
                    painted = layer(layers, at, weights, 6 + k) + np.float32(detail[y, x, k])
                    shown += (one - matte) * painted
                mixed = np.float32(out[y, x, k]) * (one - b) + b * shown + np.float32(0.5)
                out[y, x, k] = np.uint8(np.int32(min(max(mixed, zero), full)))


@njit(inline="always")
def _light(layers, matrix, x, y, light):  # type: ignore[no-untyped-def]
    """Gain and bias at a pixel, and how they change up to _STRIDE_PX further."""
    at, weights = around(layers, matrix, x, y)
    ahead, ahead_weights = around(layers, matrix, x + _STRIDE_PX, y)
    for k in range(6):
        light[0, k] = layer(layers, at, weights, k)
        light[1, k] = (layer(layers, ahead, ahead_weights, k) - light[0, k]) * np.float32(1 / _STRIDE_PX)
