"""From any of Pillow's kinds of pixels to 8-bit RGB, transparency and, where there are 16 bits, those."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from anonymizer.frames import RgbImage
from anonymizer.stills.still import Alpha, StillImage, depth_of_16bit, on_white

# Outlines and soft shadows are partly transparent on few pixels; more is a picture of its own, which
# nobody would look for faces in.
_MOST_PARTLY_TRANSPARENT = 0.1
UNREADABLE_MODES = ("F", "I", "LAB", "HSV")
_RGB_MODES = ("RGB", "RGBA", "RGBX", "P", "PA")
_GREY_MODES = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N")


def still_of(
    image: Image.Image,
    icc_profile: bytes | None,
    turn: Image.Transpose | None,
    rgb16: npt.NDArray[np.uint16] | None = None,
) -> StillImage:
    """The page, upright. turn: of the image. rgb16: (H, W, 3), upright, where Pillow would give 8 bits only."""
    if image.mode.startswith("I;16"):
        grey16 = turned(np.asarray(image).astype(np.uint16), turn)
        rgb16 = np.repeat(grey16[..., None], 3, axis=2)
    rgb, alpha = _rgb_and_alpha(_without_cmyk(image, icc_profile))
    depth = None if rgb16 is None else depth_of_16bit(rgb16)
    rgb = turned(rgb, turn) if depth is None else depth.shown()
    alpha = None if alpha is None else turned(alpha, turn)
    grey = image.mode in _GREY_MODES or _all_grey(rgb)
    wanted = b"GRAY" if image.mode in _GREY_MODES else b"RGB "
    keeps = icc_profile is not None and icc_profile[16:20] == wanted and image.mode in (*_RGB_MODES, *_GREY_MODES)
    return StillImage(rgb, alpha, icc_profile if keeps else None, grey, depth)


def turned(values: npt.NDArray[Any], turn: Image.Transpose | None) -> npt.NDArray[Any]:
    """(H, W) or (H, W, 3), transposed as Pillow would."""
    steps = {
        Image.Transpose.FLIP_LEFT_RIGHT: lambda v: v[:, ::-1],
        Image.Transpose.FLIP_TOP_BOTTOM: lambda v: v[::-1],
        Image.Transpose.ROTATE_180: lambda v: v[::-1, ::-1],
        Image.Transpose.ROTATE_90: lambda v: np.rot90(v),
        Image.Transpose.ROTATE_270: lambda v: np.rot90(v, -1),
        Image.Transpose.TRANSPOSE: lambda v: v.swapaxes(0, 1),
        Image.Transpose.TRANSVERSE: lambda v: v[::-1, ::-1].swapaxes(0, 1),
    }
    return values if turn is None else np.ascontiguousarray(steps[turn](values))


def _rgb_and_alpha(image: Image.Image) -> tuple[RgbImage, Alpha | None]:
    if image.mode.startswith("I;16"):
        return np.zeros((image.height, image.width, 3), np.uint8), None  # read from its 16 bits
    if not image.has_transparency_data:
        return _array(image.convert("RGB")), None
    rgba = _array(image.convert("RGBA"))
    rgb, alpha = np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    if (alpha == 255).all():
        return rgb, None
    if ((alpha > 0) & (alpha < 255)).mean() > _MOST_PARTLY_TRANSPARENT:
        return on_white(rgb, alpha), None
    return rgb, alpha


def _without_cmyk(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    if image.mode != "CMYK" or not icc_profile:
        return image
    try:
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, BytesIO(icc_profile), srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    return image if converted is None else converted


def _all_grey(rgb: RgbImage) -> bool:
    return bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all())


def _array(image: Image.Image) -> npt.NDArray[np.uint8]:
    return np.array(image, dtype=np.uint8)
