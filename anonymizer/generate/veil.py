"""No face with far darker darks than the scene's: webcams lift black by haze, glare and noise reduction, and brows and
pupils darker than anything around them looked painted on.

A veil takes the same share of contrast from all that lies behind it and adds light, so it is put on the light's grid.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.conditioning import KNOWN_HOLE
from anonymizer.generate.lit import EVERY, lit_guide
from anonymizer.persona.surroundings import LUMA

# The darkest of a real face (1 % of its px) from its middle brightness and the darkest of what is in sight around it
# (.5 % of its px): .30, .23, .25, .13, .11 in a frame each of 12 clips, on Congress, London, OpenPeople and made
# portraits, where .22 of the middle said .28, .20, .23, .14, .15. Since the network's light has no haze of its own .16
# comes nearer: within ellipses on those 12 clips' faces ours are .27, the real ones .26.
DARK_BY_MIDDLE, DARK_BY_DARKEST = 0.16, 0.9
MOST_OF_MIDDLE = 0.6  # of the face's middle brightness: where nothing dark is in sight, nothing is known
LEAST_CONTRAST = 0.5  # that is left of a face's
LIFT = 1.2  # what is added is lighter than the face's middle
# What is lighter is no black that was lifted: the lighter, the less it says, down to LEAST_BELIEVED. Of 12 photos with
# a darkest of .24 to .47 11 looked better to a judge of pairs with .17; of 7 frames of clips with one of .22, 1.
MOST_BELIEVED, LEAST_BELIEVED = 0.22, 0.1
_FEWEST_PX = 12


def veiled(face: SyntheticFace, crop: FaceCrop) -> SyntheticFace:
    """The face with its gain and bias (G, G, 3) so that its darkest is as dark as the scene lets expect, if it is
    darker; the same face where it is not, or where too little of scene or guide is in sight."""
    darkest, lit = darkest_in_sight(crop), lit_guide(face, crop)
    if darkest is None or len(lit) < _FEWEST_PX:
        return face
    darkest = min(darkest, max(2 * MOST_BELIEVED - darkest, LEAST_BELIEVED))
    dark, middle = np.percentile(lit @ LUMA, (1, 50))
    wanted = min(DARK_BY_MIDDLE * middle + DARK_BY_DARKEST * darkest, MOST_OF_MIDDLE * middle)
    if dark >= wanted:
        return face
    kept = np.float32(np.clip((middle - wanted) / max(middle - dark, 1e-3), LEAST_CONTRAST, 1))
    veil = np.minimum(LIFT * np.median(lit, 0), 1).astype(np.float32)
    return replace(face, gain=kept * face.gain, bias=kept * face.bias + (1 - kept) * veil)


def darkest_in_sight(crop: FaceCrop) -> float | None:
    """Brightness [0, 1] of the darkest around the hole (.5 % of its px); None where too little is in sight."""
    seen = crop.hole[::EVERY, ::EVERY] < KNOWN_HOLE
    if np.count_nonzero(seen) < _FEWEST_PX:
        return None
    return float(np.percentile((_small(crop.context_rgb) @ LUMA)[seen], 0.5))


def _small(rgb: Floats) -> Floats:
    """Means of 3 × 3 px about every EVERY-th."""
    return np.asarray(cv2.blur(rgb, (3, 3))[::EVERY, ::EVERY])
