"""Reads photos of every common kind, upright, page by page; through Pillow, pi-heif and, for 16 bits, OpenCV.

Of the file only pixels, transparency, the colour profile and, on demand, the date live on. EXIF, XMP, comments,
thumbnails, previews, gain maps, depth maps and what is appended (motion photos) are never looked at.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from anonymizer.errors import AnonymizerError
from anonymizer.refusals import refused
from anonymizer.stills.pixels import UNREADABLE_MODES, still_of, turned
from anonymizer.stills.still import Dates, StillImage
from anonymizer.stills.tags import DAMAGED, HEAD_BYTES, dates_of, hdr_transfer, is_raw, orientation_of

MOST_FRAMES = 1000
MOST_ANIMATION_PX = 400_000_000  # of all frames together, which wait in memory for the encoder
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "AVIF", "HEIF")
_BITS_PER_SAMPLE = 258  # TIFF tag
_AS_STORED = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_ONE_PICTURE = ("MPO", "HEIF")  # what is behind the first one is its depth, its thumbnail or a burst


class PhotoReader:
    """A photo file, open. Give `close` a call at the end, or use it in a with block.

    pages: pictures in it. animated: whether they are shown one after the other. loop: as Pillow has it.
    Raises AnonymizerError of `anonymizer.refusals`: missing, damaged, too large, of another kind.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _check_file(path)
        _register_heif()
        with _explained(path):
            self._image = Image.open(path, formats=_FORMATS)
        try:
            self._look()
        except BaseException:
            self._image.close()
            raise

    def __enter__(self) -> PhotoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._image.close()

    def page(self, number: int) -> StillImage:
        """One picture; animations are quickest in order."""
        image = self._image
        with _explained(self._path):
            image.seek(self._first + number)
            if image.mode in UNREADABLE_MODES:
                raise refused("photo-pixels", path=self._path, mode=image.mode)
            _check_size(image, self._path)
            is_16bit = _has_16bit_colour(image)  # asked first: reading the tags of a PNG reads its pixels
            turn = orientation_of(image)
            image.load()
            pillow_turn = None if image.format == "TIFF" else turn  # loading has turned a TIFF
            rgb16 = None
            if is_16bit:
                upper = turned(np.asarray(image.convert("RGB")), pillow_turn)
                rgb16 = _matching(_rgb16(self._path, self._first + number), turn, upper)
            still = still_of(image, image.info.get("icc_profile"), pillow_turn, rgb16)
        return replace(still, duration_ms=int(image.info.get("duration") or 0)) if self.animated else still

    def dates(self) -> Dates | None:
        """When it was taken, if it says so."""
        return dates_of(self._image)

    def _look(self) -> None:
        image, path = self._image, self._path
        with _explained(path):
            if is_raw(image, path.suffix):
                raise refused("photo-raw", path=path)
            _check_size(image, path)
            with path.open("rb") as file:
                transfer = hdr_transfer(image, file.read(HEAD_BYTES))
            if transfer:
                raise refused("photo-hdr", path=path, transfer=transfer)
            count = 1 if image.format in _ONE_PICTURE else int(getattr(image, "n_frames", 1))
        # an animated PNG may begin with a picture for viewers that cannot show animations
        self._first = 1 if count > 1 and image.info.get("default_image") else 0
        self.pages = count - self._first
        self.animated = self.pages > 1 and image.format != "TIFF"
        self.loop: int | None = image.info.get("loop")
        if self.pages > MOST_FRAMES:
            raise refused("photo-many-frames", path=path, limit=f"{MOST_FRAMES} pictures")
        if self.animated and self.pages * image.width * image.height > MOST_ANIMATION_PX:
            raise refused("photo-many-frames", path=path, limit=f"{MOST_ANIMATION_PX:,} pixels in all")


def read_image(path: Path) -> StillImage:
    """The first picture of a photo. Raises as `PhotoReader`."""
    with PhotoReader(path) as photo:
        return photo.page(0)


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise refused("input-missing", path=path)
    if path.stat().st_size == 0:
        raise refused("input-empty", path=path)


def _register_heif() -> None:
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _check_size(image: Image.Image, path: Path) -> None:
    """Pillow checks when it opens; pages behind the first may be larger."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise refused("photo-too-large", path=path, limit=f"{limit:,}")


def _has_16bit_colour(image: Image.Image) -> bool:
    """Pillow gives the upper 8 bits of 16-bit colour."""
    if image.mode not in ("RGB", "RGBA") or image.format not in ("PNG", "TIFF"):
        return False
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
        return bool(max(bits) == 16)
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", []))


def _rgb16(path: Path, page: int) -> npt.NDArray[np.uint16]:
    """(H, W, 3) uint16, as stored. Raises ValueError."""
    data = np.fromfile(path, np.uint8)
    ok, pictures = cv2.imdecodemulti(data, _AS_STORED, range=(page, page + 1))
    if not ok or len(pictures) != 1:
        raise ValueError("its 16-bit pixels cannot be read")
    values = pictures[0]
    if values.dtype != np.uint16 or values.ndim != 3:
        raise ValueError("its 16-bit pixels are of an unknown kind")
    return np.ascontiguousarray(values[..., 2::-1])


def _matching(
    rgb16: npt.NDArray[np.uint16], turn: Image.Transpose | None, upper: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint16]:
    """The 16-bit picture, upright. Whether OpenCV has turned it differs by format and version; Pillow's picture, the
    upper 8 bits, tells. Raises ValueError when the two libraries do not read the same."""
    for candidate in (rgb16, turned(rgb16, turn)):
        if candidate.shape == upper.shape and np.array_equal(candidate >> 8, upper):
            return candidate
    raise ValueError("two readings of its pixels differ")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd but readable tags
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except AnonymizerError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise refused("photo-too-large", path=path, limit=f"{Image.MAX_IMAGE_PIXELS:,}") from error
    except UnidentifiedImageError as error:
        raise refused("photo-unknown", path=path) from error
    except PermissionError as error:
        raise refused("input-permission", path=path) from error
    except (*DAMAGED, cv2.error, RuntimeError, MemoryError) as error:
        raise refused("photo-damaged", path=path, reason=_short(error)) from error


def _short(error: Exception) -> str:
    """The first line of a library's words, without the path it may hold."""
    words = str(error).strip().splitlines()
    return words[0][:120] if words else type(error).__name__
