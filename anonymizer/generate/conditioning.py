"""What the generator sees: THE definition of its input channels and of the file that holds it.

Training builds the same channels in torch from the constants here; a test holds the two together.
Ranges: colours −1 to 1, 0 where there is nothing; masks 0 to 1; normals −1 to 1, x right, y down,
z away from the camera (a surface that looks into the camera has z = −1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.errors import WeightsError
from anonymizer.faces import FaceCrop, Floats

SPEC = "guided-face"
SPEC_VERSION = 1
CHANNELS = (
    *("context_r", "context_g", "context_b"),
    "hole",
    *("guide_r", "guide_g", "guide_b"),
    "guide_coverage",
    *("normal_x", "normal_y", "normal_z"),
)
CONTEXT, HOLE, GUIDE, COVERAGE, NORMALS = slice(0, 3), slice(3, 4), slice(4, 7), slice(7, 8), slice(8, 11)
INPUT_NAME = "conditioning"
OUTPUT_NAMES = ("gain", "bias", "inpaint", "matte")
GRID_DIVISOR = 8  # the colour grid has one cell on 8 × 8 px
KNOWN_HOLE = 0.02  # a px of which less lies in the hole is in sight
RING_SHARE = 0.04  # width of the blended ring outside the hole, as a share of S


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """What a generator file says of itself. size_px: S of its crops; channels: names in order."""

    spec: str
    version: int
    size_px: int
    channels: tuple[str, ...]
    images_seen: int
    weights_sha256: str


def condition(crop: FaceCrop) -> Floats:
    """(11, S, S) float32. The context comes premultiplied by 1 − hole, the guide straight (not premultiplied)."""
    size = crop.hole.shape[0]
    out = np.empty((len(CHANNELS), size, size), np.float32)
    out[CONTEXT] = crop.context_rgb.transpose(2, 0, 1) * 2 - (1 - crop.hole)
    out[HOLE] = crop.hole
    out[GUIDE] = (crop.guide_rgb.transpose(2, 0, 1) * 2 - 1) * crop.guide_coverage
    out[COVERAGE] = crop.guide_coverage
    out[NORMALS] = crop.geometry.transpose(2, 0, 1)
    return out


def condition_batch(crops: Sequence[FaceCrop]) -> Floats:
    """(B, 11, S, S) float32 of at least one crop; all crops have one size."""
    sizes = {crop.hole.shape for crop in crops}
    if len(sizes) != 1:
        raise ValueError(f"crops of one size are needed, got {sorted(sizes)}")
    return np.stack([condition(crop) for crop in crops])


def metadata_of(spec: GeneratorSpec) -> dict[str, str]:
    """The spec as ONNX metadata; `read_spec` is the way back."""
    return {
        "spec": spec.spec,
        "spec_version": str(spec.version),
        "size_px": str(spec.size_px),
        "channels": ",".join(spec.channels),
        "images_seen": str(spec.images_seen),
        "weights_sha256": spec.weights_sha256,
    }


def read_spec(metadata: Mapping[str, str], name: str) -> GeneratorSpec:
    """The spec in a generator file's metadata; WeightsError when this version cannot feed it."""
    try:
        spec = GeneratorSpec(
            metadata["spec"],
            int(metadata["spec_version"]),
            int(metadata["size_px"]),
            tuple(metadata["channels"].split(",")),
            int(metadata["images_seen"]),
            metadata["weights_sha256"],
        )
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{name} is no generator: its metadata lacks a usable {error}; export it again") from error
    hint = "choose another generator, or export this one again"
    if (spec.spec, spec.version) != (SPEC, SPEC_VERSION):
        got, want = f"{spec.spec} v{spec.version}", f"{SPEC} v{SPEC_VERSION}"
        raise WeightsError(f"generator {name} was made for {got}, this build speaks {want}; {hint}")
    if len(spec.channels) != len(CHANNELS):
        got, want = f"{len(spec.channels)} input channels", f"this build conditions {len(CHANNELS)}"
        raise WeightsError(f"generator {name} expects {got}, {want}; {hint}")
    if spec.channels != CHANNELS:
        wrong = next((g, w) for g, w in zip(spec.channels, CHANNELS, strict=True) if g != w)
        raise WeightsError(f"generator {name} expects the channel {wrong[0]} where this build gives {wrong[1]}; {hint}")
    if spec.size_px <= 0 or spec.size_px % GRID_DIVISOR:
        raise WeightsError(f"generator {name} has size {spec.size_px} px, wanted a multiple of {GRID_DIVISOR}; {hint}")
    return spec
