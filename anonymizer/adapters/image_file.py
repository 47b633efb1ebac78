"""Reads and writes photos: JPEG, PNG and WebP, through Pillow.

Of the file only pixels, transparency and the colour profile live on; EXIF, XMP, comments, thumbnails
and further pictures (depth maps, bursts) are dropped. Writing takes a `SafeFrame` only.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, UnidentifiedImageError

from anonymizer.errors import InputError, SinkError
from anonymizer.frames import RgbImage, SafeFrame

_READ_FORMATS = ("JPEG", "PNG", "WEBP")
_WRITE_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),  # 0 = 4:4:4
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".png": ("PNG", {}),
    ".webp": ("WEBP", {"quality": 95, "method": 4}),
}
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error)
# Outlines and soft shadows are partly transparent on few pixels; more is a picture of its own, which
# nobody would look for faces in.
_MOST_PARTLY_TRANSPARENT = 0.1

Alpha = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class StillImage:
    """A photo, upright.

    rgb: (H, W, 3) uint8. alpha: (H, W) uint8, 255 = opaque, or None. icc_profile: of RGB values, or None.
    """

    rgb: RgbImage
    alpha: Alpha | None
    icc_profile: bytes | None


def read_image(path: Path) -> StillImage:
    """Raises InputError when the file is missing, damaged, too large, animated or of another kind."""
    if not path.is_file():
        raise InputError(f"the photo {path} does not exist or is not a file; check the name")
    with _explained(path), Image.open(path, formats=_READ_FORMATS) as opened:
        if getattr(opened, "is_animated", False) and opened.format != "MPO":  # a JPEG with pictures behind it
            raise InputError(f"{path} is animated; convert it to a video and use `anonymizer video`")
        opened.load()
        icc_profile = opened.info.get("icc_profile")
        turn = _UPRIGHT.get(_orientation(opened))
        rgb, alpha = _rgb_and_alpha(_without_cmyk(opened, icc_profile))
        keeps_profile = opened.mode in ("RGB", "RGBA", "P", "RGBX") and _is_rgb_profile(icc_profile)
    if turn is not None:
        rgb = _array(Image.fromarray(rgb).transpose(turn))
        alpha = None if alpha is None else _array(Image.fromarray(alpha).transpose(turn))
    return StillImage(rgb, alpha, icc_profile if keeps_profile else None)


def check_image_name(path: Path) -> None:
    """SinkError unless the name ends like a photo that can be written."""
    if path.suffix.lower() not in _WRITE_OPTIONS:
        raise SinkError(f"cannot write a photo named *{path.suffix}; end the output's name with .jpg, .png or .webp")


def write_image(path: Path, safe: SafeFrame, alpha: Alpha | None = None, icc_profile: bytes | None = None) -> None:
    """Write in the format of the name's ending. JPEG has no transparency: white shows through.

    What lies under fully transparent pixels is set to black. Raises SinkError.
    """
    if not isinstance(safe, SafeFrame):
        raise TypeError(f"only a SafeFrame may be written, got {type(safe).__name__}")
    check_image_name(path)
    if alpha is not None and alpha.shape != safe.rgb.shape[:2]:
        raise ValueError(f"expected transparency of shape {safe.rgb.shape[:2]}, got {alpha.shape}")
    kind, options = _WRITE_OPTIONS[path.suffix.lower()]
    pixels = safe.rgb
    if alpha is not None:
        seen = pixels * (alpha > 0)[..., None]
        pixels = on_white(pixels, alpha) if kind == "JPEG" else np.dstack([seen, alpha])
    if icc_profile is not None:
        options = options | {"icc_profile": icc_profile}
    try:
        Image.fromarray(pixels).save(path, format=kind, **options)
    except (OSError, ValueError) as error:
        where = path.parent  # the name itself is a passing one
        raise SinkError(f"cannot write the photo in {where}: {error}; check space and permissions there") from error


def on_white(rgb: RgbImage, alpha: Alpha) -> RgbImage:
    """The picture as it is seen in front of white."""
    share = alpha[..., None].astype(np.float32) / 255
    return np.rint(rgb * share + 255 * (1 - share)).astype(np.uint8)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd but readable tags
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except InputError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path} has more than {Image.MAX_IMAGE_PIXELS:,} pixels; make it smaller first") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is no JPEG, PNG or WebP picture; convert it to one of them") from error
    except PermissionError as error:
        raise InputError(f"the photo {path} may not be read; check its permissions") from error
    except _DAMAGED as error:
        raise InputError(f"{path} is damaged ({error}); take another copy") from error


def _orientation(opened: Image.Image) -> int:
    try:
        return int(opened.getexif().get(_ORIENTATION_TAG, 1))
    except _DAMAGED:
        return 1  # unreadable tags: shown as stored, as viewers do


def _rgb_and_alpha(image: Image.Image) -> tuple[RgbImage, Alpha | None]:
    if image.mode.startswith("I"):  # 16 bit grey
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), None
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


def _is_rgb_profile(icc_profile: bytes | None) -> bool:
    return icc_profile is not None and icc_profile[16:20] == b"RGB "  # ICC.1, header: data colour space


def _array(image: Image.Image) -> npt.NDArray[np.uint8]:
    return np.array(image, dtype=np.uint8)
