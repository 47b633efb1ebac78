"""Light that does not flicker: each slot's colour grid, and where its wall is, follow the answers slowly in time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from anonymizer.faces import Floats, MotionCode, SyntheticFace
from anonymizer.generate.background import with_wall

# Share of each new grid. Where it is as good as the old one (gain and bias by less than STILL, in CHANGE_CELLS² cells;
# a webcam's noise made .002 to .004) only noise would come in, so nearly all is kept; a change of light (CHANGED and
# more) is followed within about 0.2 s at 30 frames a second.
STILL_SHARE, NEW_SHARE = 0.02, 0.35
STILL, CHANGED, CHANGE_CELLS = 0.015, 0.06, 4
STILL_PAINT = 0.1  # of what is newly painted while neither pose nor expression moves by a quantum
NEW_WALL = 0.2  # of where each new wall begins: hair beside a jaw is doubted from frame to frame
JUMP = 0.35  # of a face's width between two frames, or this change of size, and the past is forgotten
_FACE_WIDTH_CM = 15.5

Light = tuple[MotionCode, Floats, Floats, Floats | None, Floats]
"""Where a slot's face was; gain, bias and wall; what was painted and its matte, (S, S, 4)."""


@dataclass(slots=True)
class SteadyLight:
    """The last grids of each slot and where its face was."""

    _last: dict[int, Light] = field(default_factory=dict)

    def memory(self) -> dict[int, Light]:
        return dict(self._last)

    def __call__(self, slot: int, code: MotionCode, face: SyntheticFace) -> SyntheticFace:
        """The face with its gain, bias, paint and wall averaged in time, and the wall shown."""
        gain, bias, wall = face.gain, face.bias, face.wall
        painted = np.dstack([face.inpaint_rgb, face.matte])
        if slot in self._last and _went_on(self._last[slot][0], code):
            before, old_gain, old_bias, old_wall, old_painted = self._last[slot]
            if old_gain.shape == gain.shape:
                share = _share(gain - old_gain, bias - old_bias)
                gain = old_gain + share * (gain - old_gain)
                bias = old_bias + share * (bias - old_bias)
                if _is_still(before, code):
                    painted = old_painted + np.float32(STILL_PAINT) * (painted - old_painted)
            if wall is not None and old_wall is not None:
                wall = old_wall + NEW_WALL * (wall - old_wall)
        self._last[slot] = (code, gain, bias, wall, painted)
        matte = np.ascontiguousarray(painted[..., 3])
        steady = replace(face, gain=gain, bias=bias, inpaint_rgb=np.ascontiguousarray(painted[..., :3]), matte=matte)
        return steady if wall is None else with_wall(steady, wall)


def _share(gain: Floats, bias: Floats) -> float:
    """Of a new grid that differs by so much from the old one."""
    import cv2

    size = (CHANGE_CELLS, CHANGE_CELLS)
    change = sum(np.abs(cv2.resize(part, size, interpolation=cv2.INTER_AREA)).mean() for part in (gain, bias))
    return float(np.interp(change, (STILL, CHANGED), (STILL_SHARE, NEW_SHARE)))


def _is_still(before: MotionCode, now: MotionCode) -> bool:
    """The very same pose, so that crops lie on each other to the px, and expression: a jaw that opens slowly, a quantum
    a frame, must not be followed late."""
    return (
        np.array_equal(before.center_px, now.center_px)
        and before.scale_px_per_cm == now.scale_px_per_cm
        and np.array_equal(before.rotation, now.rotation)
        and np.array_equal(before.expression, now.expression)
    )


def _went_on(before: MotionCode, now: MotionCode) -> bool:
    width_px = _FACE_WIDTH_CM * now.scale_px_per_cm
    moved = float(np.linalg.norm(now.center_px - before.center_px)) / width_px
    resized = abs(now.scale_px_per_cm / before.scale_px_per_cm - 1)
    return moved < JUMP and resized < JUMP
