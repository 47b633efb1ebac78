"""Layout of the texture atlas: the unwrapped face above, two eyeballs and the mouth's inside below.

The canonical mesh uses v from .107 to .955 of its UV square, so the face takes the upper rows and
a strip below is free for the parts that the mesh does not have: eyeballs, the mouth's inside, shut lids.
u -> 1 − u mirrors the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WIDTH_PX, HEIGHT_PX = 512, 576
FACE_ROWS = 440  # that the face takes
_FACE_V_START = 0.1  # canonical v that lies on the atlas's first row


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of the atlas, [x0, x1) × [y0, y1) px of the 512 × 576 atlas."""

    x0: int
    y0: int
    x1: int
    y1: int

    def uv(self, local: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(N, 2) in [0, 1]² of the patch -> (N, 2) atlas uv, held inside by one px."""
        size = np.array([self.x1 - self.x0, self.y1 - self.y0])
        px = np.array([self.x0, self.y0]) + np.clip(local * size, 1, size - 1)
        return np.asarray(px / (WIDTH_PX, HEIGHT_PX))


EYE_LEFT = Patch(8, 444, 136, 572)
EYE_RIGHT = Patch(376, 444, 504, 572)
LID_LEFT, LID_RIGHT = Patch(144, 444, 152, 572), Patch(360, 444, 368, 572)  # alike 8 px beyond, for smaller mips
LID_COLUMNS = (slice(136, 160), slice(352, 376))
MOUTH = Patch(160, 444, 352, 572)
NOSE = Patch(170, 180, 342, 300)  # of the face: a nose's lower half and what lies around it

EYE_REACH = 1.25  # an eye patch shows ± this many half eye widths around the iris
MOUTH_X_CM = (-3.2, 3.2)  # head space, from the middle of the resting upper lip's inner edge
MOUTH_Y_CM = (-0.9, 3.4)


def face_uv(canonical_uv: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, 2) canonical uv -> (N, 2) atlas uv."""
    v = (canonical_uv[:, 1] - _FACE_V_START) * (WIDTH_PX / HEIGHT_PX)
    return np.stack([canonical_uv[:, 0], v], 1).astype(np.float32)


def lid_columns(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(9, 3) along a lid from corner to corner -> (24, 3), the columns of its patch and those alike beyond."""
    at = (np.arange(8) + 0.5) / 8 * (len(values) - 1)
    inner = np.stack([np.interp(at, np.arange(len(values)), channel) for channel in values.T], 1)
    return np.pad(inner, ((8, 8), (0, 0)), mode="edge").astype(np.float32)
