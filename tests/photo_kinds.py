"""Makes a photo of every kind with a second picture and personal tags hidden in it; says which bytes those are."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import tifffile
from PIL import Image, PngImagePlugin

from anonymizer.frames import RgbImage

TAKEN = "2019:07:14 18:03:27"
SECOND = Image.fromarray(np.random.default_rng(7).integers(0, 256, (24, 32, 3), np.uint8))
"""The second picture: what every thumbnail, trailer, page and map here shows."""


def jpeg_bytes(image: Image.Image = SECOND) -> bytes:
    """A little JPEG, to be hidden in something."""
    out = BytesIO()
    image.save(out, format="JPEG", quality=90)
    return out.getvalue()


def planted_exif() -> bytes:
    """EXIF with make, serial number, author, place, dates and a thumbnail behind them."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B] = "PLANTEDmake", "PLANTEDmodel", "PLANTEDauthor"
    exif[0x0132] = TAKEN
    details = exif.get_ifd(0x8769)
    details[0xA431], details[0x9003] = "PLANTEDserial", TAKEN
    details[0x927C] = b"PLANTEDmakernote"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[29] = "N", (51.0, 28.0, 38.0), "PLANTEDgps"
    return exif.tobytes() + b"PLANTEDthumb" + jpeg_bytes()


def _jpeg_segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(path: Path, rgb: RgbImage) -> None:
    """EXIF with a thumbnail, IPTC, XMP, a comment, a second picture with its index, a motion photo's film."""
    pictures = [Image.fromarray(rgb), SECOND]
    out = BytesIO()
    pictures[0].save(out, format="MPO", save_all=True, append_images=pictures[1:], quality=95, subsampling=0)
    plain = out.getvalue()
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x>PLANTEDxmp GCamera:MicroVideo hdrgm:Version</x>"
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x12\x1c\x02\x50\0\x0dPLANTEDbyline"
    extra = _jpeg_segment(0xE1, b"Exif\0\0" + planted_exif().removeprefix(b"Exif\0\0"))
    extra += _jpeg_segment(0xE1, xmp) + _jpeg_segment(0xED, iptc) + _jpeg_segment(0xFE, b"PLANTEDcomment")
    film = b"\0\0\0\x18ftypmp42PLANTEDmotionphoto" + jpeg_bytes()
    path.write_bytes(plain[:2] + extra + plain[2:] + film)


def png(path: Path, rgb: RgbImage) -> None:
    """Text, XMP, EXIF, and a JPEG behind the end."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "PLANTEDauthor")
    notes.add_itxt("XML:com.adobe.xmp", "<x>PLANTEDxmp</x>")
    notes.add(b"prVt", b"PLANTEDpreview" + jpeg_bytes())
    Image.fromarray(rgb).save(path, pnginfo=notes, exif=planted_exif())
    path.write_bytes(path.read_bytes() + b"PLANTEDtrailer" + jpeg_bytes())


def webp(path: Path, rgb: RgbImage) -> None:
    """EXIF and XMP."""
    Image.fromarray(rgb).save(path, exif=planted_exif(), xmp=b"<x>PLANTEDxmp</x>", quality=98)


def avif(path: Path, rgb: RgbImage) -> None:
    """EXIF and XMP."""
    Image.fromarray(rgb).save(path, exif=planted_exif(), xmp=b"<x>PLANTEDxmp</x>", quality=95, subsampling="4:4:4")


def tiff(path: Path, rgb: RgbImage) -> None:
    """XMP, author, IPTC, a private tag with a JPEG, and a preview in a sub-directory."""
    private = b"PLANTEDprivate" + jpeg_bytes()
    tags = [
        (700, "B", 17, b"<x>PLANTEDxmp</x>", True),
        (315, "s", 0, "PLANTEDauthor", True),
        (33723, "B", 13, b"PLANTEDbyline", True),
        (65000, "B", len(private), private, True),
    ]
    with tifffile.TiffWriter(path) as file:
        file.write(rgb, photometric="rgb", metadata=None, extratags=tags, subifds=1, datetime=TAKEN)
        file.write(np.array(SECOND), photometric="rgb", metadata=None, subfiletype=1)


def bmp(path: Path, rgb: RgbImage) -> None:
    """A JPEG behind the end."""
    Image.fromarray(rgb).save(path)
    path.write_bytes(path.read_bytes() + b"PLANTEDtrailer" + jpeg_bytes())


def gif(path: Path, rgb: RgbImage) -> None:
    """A comment, and a JPEG behind the end."""
    Image.fromarray(rgb).save(path, comment=b"PLANTEDcomment")
    path.write_bytes(path.read_bytes() + b"PLANTEDtrailer" + jpeg_bytes())


def heic(path: Path, rgb: RgbImage) -> None:
    """EXIF, XMP, a thumbnail and a second picture."""
    file = pillow_heif.from_pillow(Image.fromarray(rgb))
    file.info["xmp"] = b"<x>PLANTEDxmp</x>"
    file.add_from_pillow(SECOND)
    file.save(path, quality=98, exif=planted_exif(), xmp=b"<x>PLANTEDxmp</x>", chroma=444)


KINDS: dict[str, Callable[[Path, RgbImage], None]] = {
    ".jpg": jpeg, ".png": png, ".webp": webp, ".avif": avif, ".tif": tiff, ".bmp": bmp, ".gif": gif, ".heic": heic,
}  # fmt: skip


def planted_in(content: bytes) -> list[str]:
    """Which of the planted things are found in a file's bytes."""
    second = jpeg_bytes()
    needles = {
        "PLANTED": b"PLANTED",
        "the second picture's JPEG": second[len(second) // 2 : len(second) // 2 + 64],
        "its pixels": np.array(SECOND).tobytes()[:48],
        "the date": TAKEN.encode(),
        "its day": TAKEN[:10].encode(),
    }
    return [name for name, needle in needles.items() if needle in content]
