"""The persona bank: portraits taken apart, so that three of them can be put together as a new person.

Each portrait (a synthetic person, CC0) is kept as its fine detail (log texture without its low
frequencies), its low frequencies, and its shape; light is the same average light for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.errors import WeightsError
from anonymizer.faces import Floats
from anonymizer.weights.locate import weight_path

VERSION = 2
DETAIL_RANGE = 1.2  # log units either way that the 8-bit detail covers
_ARRAYS = {"detail", "detail_ends", "low", "shapes_cm", "feminine", "bearded", "sparse_brows", "brightness"} | {
    "light",
    "tones",
    "teeth",
    "teeth_ends",
    "noses",
    "noses_ends",
    "nose_brightness",
}


@dataclass(frozen=True, slots=True, eq=False)
class PersonaBank:
    """detail_webp: n encoded (440, 512, 3) uint8, 128 + log detail · 127 / 1.2. low (n, 28, 32, 3) float32 log
    colour without its mean. shapes_cm (n, 468, 3). feminine, bearded (n,) bool. sparse_brows (n,)
    bool: another face gets neither its eyes nor its brows.
    brightness (n,): mean log luminance of the portrait's own skin.
    light (28, 32, 3): log average light and colour pattern. tones (6, 3): RGB [0, 1], dark to light.
    teeth_webp: k encoded (128, 192, 3) mouths. noses_webp: m encoded (120, 172, 3) details of `atlas.NOSE`, of
    portraits whose nostrils are seen; nose_brightness (m,) as brightness.
    tilt_rad (3, n, 2): by how much the landmark network reads a mix nodded and turned for its first, second and third
    portrait; tilt_of_offset_rad (24, 2): for the offset. look (3, n, 2, 2), look_of_offset (24, 2, 2): likewise by how
    much it reads the eyes to look beside, in half eye widths. tone_weights (k, 3): what is seen around a face -> its
    log colour away from the usual tone. version is checked when read."""

    detail_webp: tuple[npt.NDArray[np.uint8], ...]
    low: Floats
    shapes_cm: Floats
    feminine: npt.NDArray[np.bool_]
    bearded: npt.NDArray[np.bool_]
    sparse_brows: npt.NDArray[np.bool_]
    brightness: Floats
    light: Floats
    tones: Floats
    teeth_webp: tuple[npt.NDArray[np.uint8], ...]
    noses_webp: tuple[npt.NDArray[np.uint8], ...]
    nose_brightness: Floats
    tilt_rad: Floats
    tilt_of_offset_rad: Floats
    look: Floats
    look_of_offset: Floats
    tone_weights: Floats

    def __len__(self) -> int:
        return len(self.detail_webp)

    def detail(self, index: int) -> Floats:
        """(440, 512, 3) float32 log detail of one portrait."""
        return _log_detail(self.detail_webp[index])

    def nose(self, index: int) -> Floats:
        """(120, 172, 3) float32 log detail of one nose, `atlas.NOSE` of the atlas."""
        return _log_detail(self.noses_webp[index])


def _log_detail(encoded: npt.NDArray[np.uint8]) -> Floats:
    return (decode_rgb(encoded).astype(np.float32) - 128) * np.float32(DETAIL_RANGE / 127)


def decode_rgb(encoded: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Encoded bytes (n,) -> (H, W, 3) uint8 RGB."""
    import cv2

    bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    if bgr is None:
        raise WeightsError("a texture of the persona bank cannot be decoded; reinstall the package")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def bank_from(arrays: dict[str, npt.NDArray[Any]]) -> PersonaBank:
    """Build from the arrays that `training/build_personas.py` wrote; WeightsError if they do not fit."""
    version = int(arrays.get("version", np.array(0)))
    if version != VERSION:
        raise WeightsError(f"the persona bank has version {version}, this build wants {VERSION}; reinstall")
    if missing := _ARRAYS - set(arrays):
        raise WeightsError(f"the persona bank lacks {', '.join(sorted(missing))}; reinstall the package")

    def pieces(name: str) -> tuple[npt.NDArray[np.uint8], ...]:
        return tuple(np.split(arrays[name], arrays[f"{name}_ends"][:-1]))

    return PersonaBank(
        detail_webp=pieces("detail"),
        low=arrays["low"].astype(np.float32),
        shapes_cm=arrays["shapes_cm"].astype(np.float32),
        feminine=arrays["feminine"].astype(bool),
        bearded=arrays["bearded"].astype(bool),
        sparse_brows=arrays["sparse_brows"].astype(bool),
        brightness=arrays["brightness"].astype(np.float32),
        light=arrays["light"].astype(np.float32),
        tones=arrays["tones"].astype(np.float32),
        teeth_webp=pieces("teeth"),
        noses_webp=pieces("noses"),
        nose_brightness=arrays["nose_brightness"].astype(np.float32),
        tilt_rad=arrays.get("tilt_rad", np.zeros((3, len(arrays["brightness"]), 2))).astype(np.float32),
        tilt_of_offset_rad=arrays.get("tilt_of_offset_rad", np.zeros((24, 2))).astype(np.float32),
        look=arrays.get("look", np.zeros((3, len(arrays["brightness"]), 2, 2))).astype(np.float32),
        look_of_offset=arrays.get("look_of_offset", np.zeros((24, 2, 2))).astype(np.float32),
        tone_weights=arrays.get("tone_weights", np.zeros((0, 3))).astype(np.float32),
    )


@lru_cache(maxsize=1)
def load_bank() -> PersonaBank:
    """The shipped bank; WeightsError if its file is missing or changed."""
    with np.load(weight_path("persona_bank")) as arrays:
        return bank_from({name: arrays[name] for name in arrays.files})
