"""Which tone step fits the scene: read from skin that stays visible (neck, ears), never from under the hole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats, Mask

UNKNOWN = 3  # of 0 (dark) to 5 (light), when no skin is seen
_MIN_SHARE = 0.01  # of the region, that must look like skin
_LIT = 65  # percentile of brightness: necks lie in shade, so the middle would be too dark


def propose_tone(rgb: npt.NDArray[np.uint8], unknown: Mask, tones: Floats) -> int:
    """Step 0 to 5 for a region around a face, rgb (H, W, 3) with unknown (H, W) not 0 where it was erased.

    Skin is told by chroma (Chai and Ngan 1999: Cb 77 to 127, Cr 133 to 173) at any brightness.
    """
    import cv2

    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    skin = cv2.bitwise_and(cv2.inRange(ycc, (24, 137, 80), (250, 173, 124)), cv2.bitwise_not(unknown))
    count = int(np.count_nonzero(skin))
    if count < max(40, _MIN_SHARE * skin.size):
        return UNKNOWN
    seen = float(np.percentile(ycc[..., 0][skin > 0], _LIT))
    steps = tones @ np.array([0.299, 0.587, 0.114], np.float32) * 255
    return int(np.argmin(np.abs(np.log(steps / max(seen, 1.0)))))
