"""Writes photos: JPEG, PNG, WebP, TIFF, BMP, GIF and AVIF, of one page or more. Takes `SafeFrame` only.

Beside the pixels go a colour profile, the mark of `anonymizer.marking` and, if asked for, the date; nothing else.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import AnonymizerError
from anonymizer.frames import SafeFrame
from anonymizer.marking import gif_with_xmp, xmp_packet
from anonymizer.refusals import refused
from anonymizer.stills.still import Alpha, StillWriting, on_white
from anonymizer.stills.tags import exif_of

FORMAT_OF_SUFFIX = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP",
    ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".avif": "AVIF",
}  # fmt: skip
ANIMATED_FORMATS = ("PNG", "WEBP", "GIF", "AVIF")
PAGED_FORMATS = ("TIFF",)
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},  # 0 = 4:4:4
    "WEBP": {"quality": 95, "method": 4},
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 6},
}
_PNG_HEAD = 8 + 25  # signature and IHDR
_XMP_TAG = 700  # TIFF


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One picture to write. alpha: (H, W) uint8 or None. grey: its three channels are one. duration_ms: in an
    animation. icc_profile: of its pixels."""

    safe: SafeFrame
    alpha: Alpha | None = None
    grey: bool = False
    duration_ms: int = 0
    icc_profile: bytes | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.safe, SafeFrame):
            raise TypeError(f"only a SafeFrame may be written, got {type(self.safe).__name__}")
        if self.alpha is not None and self.alpha.shape != self.safe.rgb.shape[:2]:
            raise ValueError(f"expected transparency of shape {self.safe.rgb.shape[:2]}, got {self.alpha.shape}")


def check_image_name(path: Path) -> str:
    """The format of the name's ending. Raises SinkError when it is not one that can be written."""
    kind = FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise refused("photo-suffix", suffix=path.suffix)
    return kind


def write_photo(path: Path, pages: Iterable[Page], writing: StillWriting | None = None) -> None:
    """One picture, the pages of a TIFF or the frames of an animation, in the format of the name's ending.

    JPEG and BMP have no transparency: white shows through. What lies under fully transparent pixels is set to
    black. Pages are taken one by one where the format allows it. Raises SinkError.
    """
    kind, writing = check_image_name(path), writing or StillWriting()
    with _explained(path):
        if kind == "TIFF":
            _write_tiff(path, pages, writing)
            return
        waiting = list(pages)
        if kind == "PNG" and len(waiting) == 1 and waiting[0].safe.depth is not None:
            _write_png16(path, waiting[0], writing)
        else:
            _write_with_pillow(path, kind, waiting, writing)


def _write_with_pillow(path: Path, kind: str, pages: Sequence[Page], writing: StillWriting) -> None:
    opaque = kind in ("JPEG", "BMP")
    pictures = [Image.fromarray(_values(page, opaque)) for page in pages]
    options = dict(_OPTIONS.get(kind, {}))
    if (profile := _profile(pages[0])) is not None:
        options["icc_profile"] = profile
    mark = writing.mark and any(page.safe.faces for page in pages)
    if writing.dates is not None and kind not in ("BMP", "GIF"):
        options["exif"] = exif_of(writing.dates)
    if mark and kind in ("JPEG", "WEBP", "AVIF"):
        options["xmp"] = xmp_packet()
    if kind == "PNG" and mark:
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp_packet().decode())
        options["pnginfo"] = info
    if len(pictures) > 1:
        durations = [max(1, page.duration_ms) for page in pages]
        options |= {"save_all": True, "append_images": pictures[1:], "duration": durations}
        if writing.loop is not None:
            options["loop"] = writing.loop
        if kind == "GIF":
            options["disposal"] = 2  # each frame stands alone, so that transparency shows no frame before
    pictures[0].save(path, format=kind, **options)
    if kind == "GIF" and mark:
        path.write_bytes(gif_with_xmp(path.read_bytes()))


def _values(page: Page, opaque: bool) -> npt.NDArray[np.uint8]:
    """(H, W), (H, W, 3) or (H, W, 4) uint8, as grey, RGB or RGBA."""
    rgb, alpha = page.safe.rgb, page.alpha
    if alpha is None:
        return grey_of(rgb) if page.grey else rgb
    if opaque:
        return on_white(rgb, alpha)
    return np.dstack([rgb * (alpha > 0)[..., None], alpha])


def _profile(page: Page) -> bytes | None:
    """A grey picture with transparency is written as RGB, which a profile for grey does not fit."""
    return None if page.grey and page.alpha is not None else page.icc_profile


def grey_of(rgb: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(H, W) of the same type; a pixel of three equal values keeps it. Weights: ITU-R BT.601."""
    weighed: npt.NDArray[np.float64] = rgb @ np.array([0.299, 0.587, 0.114])
    return np.rint(weighed).astype(rgb.dtype)


def _values16(page: Page) -> npt.NDArray[Any]:
    """As `_values`, with 16 bits where the picture has them."""
    if page.safe.depth is None:
        return _values(page, opaque=False)
    values, alpha = page.safe.depth.rgb16, page.alpha
    if alpha is None:
        return grey_of(values) if page.grey else values
    return np.dstack([values * (alpha > 0)[..., None], alpha.astype(np.uint16) * 257])


def _write_png16(path: Path, page: Page, writing: StillWriting) -> None:
    values = _values16(page)
    if values.ndim == 3:
        values = cv2.cvtColor(values, cv2.COLOR_RGB2BGR if values.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    ok, encoded = cv2.imencode(".png", values)
    if not ok:
        raise ValueError("the PNG encoder failed")
    plain, chunks = encoded.tobytes(), b""
    if (profile := _profile(page)) is not None:
        chunks += _png_chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile))
    if writing.mark and page.safe.faces:
        chunks += _png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_packet())
    if writing.dates is not None:
        chunks += _png_chunk(b"eXIf", exif_of(writing.dates).tobytes()[6:])
    path.write_bytes(plain[:_PNG_HEAD] + chunks + plain[_PNG_HEAD:])


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _write_tiff(path: Path, pages: Iterable[Page], writing: StillWriting) -> None:
    import tifffile

    packet = xmp_packet()
    mark = [(_XMP_TAG, "B", len(packet), packet, True)]
    with tifffile.TiffWriter(path) as tiff:
        for page in pages:
            values = _values16(page)
            has_alpha = values.ndim == 3 and values.shape[2] == 4
            tiff.write(
                values,
                photometric="minisblack" if values.ndim == 2 else "rgb",
                extrasamples=("unassalpha",) if has_alpha else None,
                compression="zlib",
                iccprofile=_profile(page),
                datetime=writing.dates.taken if writing.dates else None,
                software=False,
                metadata=None,
                extratags=mark if writing.mark and page.safe.faces else [],
            )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except AnonymizerError:
        raise
    except (OSError, ValueError, struct.error, cv2.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused("output-unwritable", folder=path.parent, reason=reason) from error
