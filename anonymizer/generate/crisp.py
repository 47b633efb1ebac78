"""What is painted, made as crisp as what lies around it: the network's last step blurs it by a px of its own crop."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats

# Unsharp masking (Schreiber, "Wirephoto quality improvement by unsharp masking", 1970): AMOUNT of what a blur of
# BLUR_PX takes away, once more; set by the gradients within the hole's edge, beside those of untouched photos.
BLUR_PX, AMOUNT = 1.5, 0.8
EDGE_PX = 0.7  # the mask's own blur: on the ring outside the frame's detail is kept already


def crisp(inpaint_rgb: Floats, crop: FaceCrop) -> Floats:
    """inpaint_rgb (S, S, 3) of [0, 1] with its fine detail raised in the hole, unchanged outside."""
    inside = cv2.GaussianBlur((crop.hole > 0.5).astype(np.float32), (5, 5), EDGE_PX)
    side = 2 * int(np.ceil(2 * BLUR_PX)) + 1
    fine = inpaint_rgb - cv2.GaussianBlur(inpaint_rgb, (side, side), BLUR_PX)
    return np.asarray(np.clip(inpaint_rgb + np.float32(AMOUNT) * inside[..., None] * fine, 0, 1), np.float32)
