"""Light as even as a hazy picture's: where a camera shows nothing dark it shows little of shadows either, and a
forehead that the network lights from one side only was in two tones."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.veil import darkest_in_sight

# The darkest in sight, from which light is made more even, and at which it is so all over. In 12 of 13 clips it is .07
# to .34, in 38 of 47 made portraits less than .1. Evened in all of them, 33 of 36 frames of the clips looked better to
# a judge of pairs, 3 worse, and of the portraits 14 and 30: there light has a side.
DARK, HAZY = 0.07, 0.16
SPREAD = 0.146  # of the grid's side: standard deviation of the blur of the light's log


def evened(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with its gain (G, G, 3) blurred as far as the scene is hazy; the same face where it is not."""
    darkest = darkest_in_sight(crop)
    if darkest is None or darkest <= DARK:
        return face
    haze = np.float32(min((darkest - DARK) / (HAZY - DARK), 1))
    log = np.log(np.maximum(face.gain, np.float32(0.02)))
    smooth: Floats = np.asarray(
        cv2.GaussianBlur(log, (0, 0), SPREAD * len(log), borderType=cv2.BORDER_REPLICATE), np.float32
    )
    return replace(face, gain=np.exp(log + haze * (smooth - log)))
