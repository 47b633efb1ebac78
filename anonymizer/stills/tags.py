"""What a photo says of itself, as far as it is needed: which way is up, when it was taken, whether it can be read."""

from __future__ import annotations

import re
import struct
from typing import Any

from PIL import Image

from anonymizer.stills.still import Dates

DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error)
"""What Pillow and its plugins raise for broken files."""

_ORIENTATION, _EXIF_IFD, _TAKEN, _OFFSET, _CHANGED = 0x0112, 0x8769, 0x9003, 0x9011, 0x0132
_DATE = re.compile(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d")
_ZONE = re.compile(r"[+-]\d\d:\d\d")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DNG_VERSION, _PHOTOMETRIC = 50706, 262  # TIFF tags
_SENSOR_PHOTOMETRICS = (32803, 34892)  # colour filter array, linear raw
_RAW_SUFFIXES = set(".3fr .arw .cr2 .cr3 .dng .erf .iiq .nef .nrw .orf .pef .raf .rw2 .srw".split())
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # H.273
_HEAD_BYTES = 1 << 16  # colour boxes and chunks stand before the pixels


def orientation_of(opened: Image.Image) -> Image.Transpose | None:
    """How to bring the stored picture upright; unreadable tags count as upright, as viewers have it."""
    try:
        return _UPRIGHT.get(int(opened.getexif().get(_ORIENTATION, 1)))
    except DAMAGED:
        return None


def dates_of(opened: Image.Image) -> Dates | None:
    """When it was taken; anything that does not look like a date is left out."""
    try:
        exif = opened.getexif()
        details = exif.get_ifd(_EXIF_IFD)
        taken = str(details.get(_TAKEN) or exif.get(_CHANGED) or "").rstrip("\0 ")
        offset = str(details.get(_OFFSET) or "").rstrip("\0 ")
    except DAMAGED:
        return None
    if not _DATE.fullmatch(taken):
        return None
    return Dates(taken, offset if _ZONE.fullmatch(offset) else None)


def exif_of(dates: Dates) -> Image.Exif:
    """EXIF that holds the dates alone."""
    exif = Image.Exif()
    exif[_CHANGED] = dates.taken
    details = exif.get_ifd(_EXIF_IFD)
    details[_TAKEN] = dates.taken
    if dates.offset:
        details[_OFFSET] = dates.offset
    return exif


def is_raw(opened: Image.Image, suffix: str) -> bool:
    """Whether it is a sensor's values, of which Pillow would show a preview at most."""
    tags: Any = getattr(opened, "tag_v2", {})
    return suffix.lower() in _RAW_SUFFIXES or _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) in _SENSOR_PHOTOMETRICS


def hdr_transfer(opened: Image.Image, head: bytes) -> str | None:
    """PQ or HLG when the photo is coded so; Pillow would show it far too dark or pale.

    head: the file's first 64 KiB at least.
    """
    profile = opened.info.get("nclx_profile")
    if isinstance(profile, dict):
        return _HDR_TRANSFERS.get(int(profile.get("transfer_characteristics", 2)))
    if opened.format == "AVIF" and (at := head.find(b"colrnclx")) >= 0:
        return _HDR_TRANSFERS.get(int.from_bytes(head[at + 10 : at + 12], "big"))
    if opened.format == "PNG" and (at := head.find(b"cICP")) >= 0:
        return _HDR_TRANSFERS.get(head[at + 5]) if len(head) > at + 5 else None
    return None


HEAD_BYTES = _HEAD_BYTES
