"""Light that does not flicker: each slot's colour grid follows the generator's answers slowly in time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from anonymizer.faces import Floats, MotionCode, SyntheticFace

NEW_SHARE = 0.35  # of each new grid; at 30 frames a second a light change is followed within about 0.2 s
JUMP = 0.35  # of a face's width between two frames, or this change of size, and the past is forgotten
_FACE_WIDTH_CM = 15.5


@dataclass(slots=True)
class SteadyLight:
    """The last grid of each slot and where its face was."""

    _last: dict[int, tuple[MotionCode, Floats, Floats]] = field(default_factory=dict)

    def memory(self) -> dict[int, tuple[MotionCode, Floats, Floats]]:
        """Of each slot: where its face was, gain and bias."""
        return dict(self._last)

    def __call__(self, slot: int, code: MotionCode, face: SyntheticFace) -> SyntheticFace:
        """The face with its gain and bias averaged in time."""
        gain, bias = face.gain, face.bias
        if slot in self._last and _went_on(self._last[slot][0], code):
            _, old_gain, old_bias = self._last[slot]
            if old_gain.shape == gain.shape:
                gain = old_gain + NEW_SHARE * (gain - old_gain)
                bias = old_bias + NEW_SHARE * (bias - old_bias)
        self._last[slot] = (code, gain, bias)
        return SyntheticFace(gain, bias, face.inpaint_rgb, face.matte)


def _went_on(before: MotionCode, now: MotionCode) -> bool:
    width_px = _FACE_WIDTH_CM * now.scale_px_per_cm
    moved = float(np.linalg.norm(now.center_px - before.center_px)) / width_px
    resized = abs(now.scale_px_per_cm / before.scale_px_per_cm - 1)
    return moved < JUMP and resized < JUMP
