"""The words a user may choose from, apart from the rest of the settings so that `--help` is quick."""

from __future__ import annotations

from typing import Literal

Preset = Literal["fast", "balanced", "quality", "strict"]
Coverage = Literal["face", "head", "box"]
Fallback = Literal["blur", "solid"]
Occluders = Literal["hands", "none"]
Generator = Literal["network", "classic"]
Precision = Literal["int8", "float32"]
NetworkPx = Literal[128, 192]
Look = Literal["any", "feminine", "masculine"]
Codec = Literal["auto", "h264", "hevc", "av1"]
Audio = Literal["keep", "drop", "pitch"]
