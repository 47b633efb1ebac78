"""A portrait's two sides as light as each other: light from one side, drawn into its skin, split noses in two on
another's face. Which side is lit is the network's to say."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.faces import Floats

# How much of what is darker than its mirror image by more than ALLOWED (log brightness) is taken. Of 55 pictures that
# differ 38 looked better to a judge of pairs, 1 worse; all of it and .02: no difference in 57 of 62.
SHARE, ALLOWED = 0.8, 0.05
FINE_PX = 2.5  # standard deviation, px of the atlas: what is finer is texture
APART_PX = 3  # so far from its mirrored place a contour may lie
HUE_DEPTH = 0.3  # what is lightened by so much (log) has the hue of both sides
SOFT_PX = 6.0


def with_even_sides(log: Floats, features: Floats) -> Floats:
    """Skin (440, 512, 3), log colour, whose darker side is as light as the other. features (440, 512): 1 where brows
    and eyes are, which stay."""
    grey = log.mean(2)
    smooth = cv2.GaussianBlur(grey, (0, 0), FINE_PX)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * APART_PX + 1, 2 * APART_PX + 1))
    darker = cv2.erode(np.ascontiguousarray(smooth[:, ::-1]), around) - smooth - ALLOWED
    lighter = SHARE * (1 - cv2.GaussianBlur(features, (0, 0), SOFT_PX)) * np.maximum(darker, 0)
    hue = log - grey[..., None]
    hue = hue + np.clip(lighter / HUE_DEPTH, 0, 1)[..., None] * (hue[:, ::-1] - hue) / 2
    return np.asarray((grey + lighter)[..., None] + hue, np.float32)
