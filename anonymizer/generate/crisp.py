"""What is painted, without specks and as crisp as what lies around it: the network's last step blurs it by a px of its
own crop, and leaves spots beside collars and ears."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats
from anonymizer.persona.surroundings import LUMA

# A median (Tukey, "Exploratory data analysis", 1977) takes away what is narrower than half of SPECK_PX, not edges.
# Then unsharp masking (Schreiber, "Wirephoto quality improvement by unsharp masking", 1970): AMOUNT of what a blur of
# BLUR_PX takes away, once more. So much of it makes halos: each px stays within what lies up to REACH_PX / 2 from it,
# but for OVERSHOOT of that range. Kernel distance × 1000 (160 composites) and gradients within the hole's edge of a
# photo's, at least: not at all 8.9 and .54, 2.4 with .15 of overshoot 7.9 and .66, these 7.8 and .70, 5 with 1 8.0 and
# .82; 6 with 1 8.1 and .84, where ears have black rims and side hair stands in blobs.
SPECK_PX = 5
BLUR_PX, AMOUNT = 3.5, 3.0
REACH_PX, OVERSHOOT = 9, 0.3
FACING, TURNED = 0.5, 0.75  # sine of yaw: from the one to the other less; behind a profile's cheek black stripes stood
CHIN = 0.85  # of the guide's height: from there down to its end less is sharpened, or chins threw black shadows
# Brightness alone is sharpened: channel by channel ears and jaws had orange and blue rims before light walls.
DARK, MOST_TIMES = 0.02, 4.0  # least luma that a gain is taken of, and the largest gain: black stays black
EDGE_PX = 0.7  # the mask's own blur: on the ring outside the frame's detail is kept already


def crisp(inpaint_rgb: Floats, crop: FaceCrop) -> Floats:
    """inpaint_rgb (S, S, 3) of [0, 1] with its edges steeper and without specks in the hole, unchanged outside."""
    inside = cv2.GaussianBlur((crop.hole > 0.5).astype(np.float32), (5, 5), EDGE_PX)[..., None]
    clean = cv2.medianBlur(np.ascontiguousarray(inpaint_rgb, np.float32), SPECK_PX)
    side = 2 * int(np.ceil(2 * BLUR_PX)) + 1
    luma = np.asarray(clean @ LUMA, np.float32)
    fine = luma - cv2.GaussianBlur(luma, (side, side), BLUR_PX)
    window = np.ones((REACH_PX, REACH_PX), np.uint8)
    low, high = cv2.erode(luma, window), cv2.dilate(luma, window)
    more = np.float32(OVERSHOOT) * (high - low)
    crisper = np.clip(luma + _amount(crop) * _above_the_chin(crop) * fine, low - more, high + more)
    sharp = clean * np.clip(crisper / np.maximum(luma, np.float32(DARK)), 0, MOST_TIMES)[..., None]
    return np.asarray(np.clip(inpaint_rgb + inside * (sharp - inpaint_rgb), 0, 1), np.float32)


def _amount(crop: FaceCrop) -> np.float32:
    return np.float32(AMOUNT * np.clip((TURNED - abs(crop.turned)) / (TURNED - FACING), 0, 1))


def _above_the_chin(crop: FaceCrop) -> Floats:
    """(S, 1): 1 down to CHIN of the guide's height, 0 from its end on; 1 everywhere without a guide."""
    size = crop.hole.shape[0]
    rows = np.flatnonzero((crop.guide_coverage > 0.5).any(1))
    if not len(rows):
        return np.ones((size, 1), np.float32)
    end, height = rows[-1], max(int(np.ptp(rows)), 1)
    left = (end - np.arange(size)) / ((1 - CHIN) * height)
    return np.asarray(np.clip(left, 0, 1), np.float32)[:, None]
