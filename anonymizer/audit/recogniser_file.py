"""A recogniser described by a TOML file, so that any ONNX network can be plugged in. Unknown keys are refused.

name = "MobileFaceNet"
file = "mobilefacenet.onnx"     # beside this file, or in the folder given with --models
sha256 = "…"                    # optional: then the file must match
input_px = 112                  # side of the aligned picture, (1, 3, side, side) float32
colour = "rgb"                  # or "bgr"
scale = 0.00392156862745098     # the network sees (pixel · scale − mean) / std, channel by channel
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
points = "arcface"              # or five [x, y] in the picture: eyes, nose tip, mouth corners
similarity = "cosine"           # or "distance": 1 − Euclidean distance

[thresholds]                    # similarity at or above which two faces count as one person, strictest last
"FAR 1 %" = 0.29
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from anonymizer.audit.chips import ARCFACE_CROP_PX, ARCFACE_PX, Array
from anonymizer.errors import ConfigError, WeightsError

Three = tuple[float, float, float]
Points = Annotated[list[tuple[float, float]], msgspec.Meta(min_length=5, max_length=5)]


class RecogniserFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As in the file; see above."""

    name: str
    file: str
    sha256: str = ""
    input_px: Annotated[int, msgspec.Meta(ge=32, le=1024)] = ARCFACE_CROP_PX
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: float = 1 / 255
    mean: Three = (0.5, 0.5, 0.5)
    std: Three = (0.5, 0.5, 0.5)
    points: Literal["arcface"] | Points = "arcface"
    similarity: Literal["cosine", "distance"] = "cosine"
    thresholds: dict[str, float]

    @property
    def template_px(self) -> Array:
        """(5, 2): where eyes, nose tip and mouth corners are wanted."""
        if self.points == "arcface":
            return ARCFACE_PX * (self.input_px / ARCFACE_CROP_PX)
        return np.array(self.points, np.float64)

    def network_bytes(self, folder: Path) -> bytes:
        """The network, checked against sha256 if that is given. Raises WeightsError."""
        path = folder / self.file
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(
                f"the recogniser {path} cannot be read ({error.strerror}); say with --models where it lies"
            ) from error
        got = hashlib.sha256(data).hexdigest()
        if self.sha256 and got != self.sha256.lower():
            raise WeightsError(f"the recogniser {path} was changed: expected SHA-256 {self.sha256.lower()}, got {got}")
        return data


def read_recogniser_file(path: Path) -> RecogniserFile:
    """Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the recogniser's description {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    known = [field.name for field in msgspec.structs.fields(RecogniserFile)]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            advice = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
            raise ConfigError(f'{path}: unknown key "{key}"; {advice}')
    try:
        file = msgspec.convert(table, RecogniserFile)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {str(error).replace('`', '')}") from error
    if not file.thresholds or 0 in file.std:
        raise ConfigError(f"{path}: wanted at least one threshold and no 0 in std")
    return file
