"""A look inside: what the generator receives and gives for each face of a picture, and the proof that the face's own
pixels do not matter. Shows the frame only with its holes erased.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, Mask, PlannedFace, SyntheticFace
from anonymizer.frames import Frame, RgbImage, Verdict
from anonymizer.generate.crop import warp_matrix
from anonymizer.guard.erase import erase
from anonymizer.pipeline import Anonymizer
from anonymizer.stages import FaceGenerator

PANEL_PX = 176
LABEL_PX = 34
PAPER, INK = (250, 250, 248), (24, 28, 32)


@dataclass(slots=True)
class WatchedGenerator:
    """A generator that remembers what it was given and what it gave."""

    inner: FaceGenerator
    seen: list[tuple[FaceCrop, SyntheticFace]] = field(default_factory=list)

    @property
    def size_px(self) -> int:
        return self.inner.size_px

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        answers = self.inner.generate(crops)
        self.seen += zip(crops, answers, strict=True)
        return answers


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """sheet: the labelled picture. identical: did the output stay the same, bit for bit, when noise stood under the
    holes? erased_px: how many pixels that were."""

    sheet: RgbImage
    verdict: Verdict
    faces: int
    personas: int
    erased_px: int
    identical: bool


def inspect_frame(frame: Frame, faces: tuple[PlannedFace, ...], anonymizer: Anonymizer) -> Inspected:
    """Render twice, the second time with noise where the faces were, and lay out all between."""
    watched = WatchedGenerator(anonymizer.generator)
    anonymizer.generator = watched
    try:
        anonymizer.reset()
        safe = anonymizer.render(frame, faces)
        seen = list(watched.seen)
        hole = anonymizer.hole(faces, frame.rgb.shape[:2])
        anonymizer.reset()
        again = anonymizer.render(Frame(_noise_under(frame.rgb, hole), frame.index, frame.captured_at_s), faces)
    finally:
        anonymizer.generator = watched.inner
    identical = bool((safe.rgb == again.rgb).all()) and safe.verdict is again.verdict
    rows = [_whole(erase(frame.rgb, hole), safe.rgb)]
    rows += [_row(_panels(crop, answer, safe.rgb)) for crop, answer in seen]
    erased = int((hole > 0).sum())
    return Inspected(_stacked(rows), safe.verdict, safe.faces, len(seen), erased, identical)


def _noise_under(rgb: RgbImage, hole: Mask) -> RgbImage:
    noise = np.frombuffer(secrets.token_bytes(rgb.size), np.uint8).reshape(rgb.shape)
    return np.where(hole[..., None] > 0, noise, rgb)


def _panels(crop: FaceCrop, face: SyntheticFace, safe: RgbImage) -> list[tuple[str, RgbImage]]:
    """What goes in, then what comes out; all at the generator's own size."""
    import cv2

    size = crop.hole.shape[0]
    whole = warp_matrix(crop.crop_from_frame)
    flags, border = cv2.INTER_AREA, cv2.BORDER_REFLECT_101
    composite = cv2.warpAffine(safe, whole, (size, size), flags=flags, borderMode=border)
    return [
        ("in: context, hole erased", _shown(crop.context_rgb)),
        ("in: hole", _shown(crop.hole)),
        ("in: guide, the persona", _shown(crop.guide_rgb)),
        ("in: where the guide is", _shown(crop.guide_coverage)),
        ("in: geometry, normals", _shown(crop.geometry * 0.5 + 0.5)),
        ("out: gain, grey = none", _shown(face.gain * 0.5)),
        ("out: bias, grey = none", _shown(face.bias + 0.5)),
        ("out: matte", _shown(face.matte)),
        ("out: inpainted layer", _shown(face.inpaint_rgb)),
        ("composite, at frame size", np.asarray(composite, np.uint8)),
    ]


def _shown(values: Floats) -> RgbImage:
    """[0, 1] -> (h, w, 3) uint8; a mask as grey."""
    rgb = np.repeat(values[..., None], 3, 2) if values.ndim == 2 else values
    return np.asarray(np.clip(rgb, 0, 1) * 255, np.uint8)


def _row(panels: Sequence[tuple[str, RgbImage]]) -> RgbImage:
    return np.concatenate([_labelled(label, rgb, PANEL_PX, PANEL_PX) for label, rgb in panels], 1)


def _whole(erased: RgbImage, safe: RgbImage) -> RgbImage:
    height, width = erased.shape[:2]
    wide = 5 * PANEL_PX
    high = min(3 * PANEL_PX, round(wide * height / width))
    pair = [("what is left of the frame", erased), ("what may leave", safe)]
    return np.concatenate([_labelled(label, rgb, wide, high) for label, rgb in pair], 1)


def _labelled(label: str, rgb: RgbImage, width: int, height: int) -> RgbImage:
    """The picture as large as fits into width × height, its label above it."""
    from PIL import Image, ImageDraw, ImageFont

    scale = min((width - 8) / rgb.shape[1], (height - 4) / rgb.shape[0])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    resample = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS
    cell = Image.new("RGB", (width, height + LABEL_PX), PAPER)
    cell.paste(Image.fromarray(rgb).resize(size, resample), (4, LABEL_PX))
    ImageDraw.Draw(cell).text((6, 10), label, INK, font=ImageFont.load_default(12))
    return np.asarray(cell, np.uint8)


def _stacked(rows: Sequence[RgbImage]) -> RgbImage:
    width = max(row.shape[1] for row in rows)
    padded: list[npt.NDArray[np.uint8]] = []
    for row in rows:
        wide = np.full((row.shape[0], width, 3), PAPER, np.uint8)
        wide[:, : row.shape[1]] = row
        padded.append(wide)
    return np.concatenate(padded)


def stacked_sheets(sheets: Sequence[RgbImage]) -> RgbImage:
    """Several moments of a clip, one below the other."""
    return _stacked(sheets)
