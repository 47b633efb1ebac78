"""The wall behind a face, where the generator would paint haze.

The generator invents what lies between a persona and the edge of the hole, ears and hair and neck. Where people end
there, the surroundings alone go on, and what is painted of people takes no hue of them. Where people end is asked of
the painted crop, so nothing of the hidden face can be in the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, SyntheticFace
from anonymizer.generate.lit import seen_crop
from anonymizer.generate.person_hue import in_hue_of_person
from anonymizer.generate.spread import spread, spread_coarsely
from anonymizer.stages import FaceGenerator

PersonShare = Callable[[Floats], Floats]
"""(P, P, 3) float32 RGB [0, 1] -> (P, P) float32, how surely each px is a person."""

CELLS = 96  # a side; with twice as many nothing is sharper
LARGEST = 2  # faces of a frame that are worth the time
MOST_CROP_PX = 1.5  # of the crop for one of the frame: smaller faces show none of it
SURELY_WALL, SURELY_PERSON = 0.2, 0.5  # how much a person lies around a px of the hole
HAZE = 0.6  # the network is as sure as that of what is painted and no person
WALL = 0.2  # of a person, at which a px outside the hole is half taken for the wall
LEAST_WALL_PX = 30.0
JAW, EARS = 0.65, 0.5  # of the hole's height: at and above EARS a head in profile has ears and hair, which are painted
TURNED, FACING = 0.5, 0.3  # sine of yaw: the far side of a head turned so far shows no ear
IN_PROFILE = 0.7  # there the guide alone is asked about, and walls are wanted before it and below ears alone


class ClearBackground:
    """A FaceGenerator that puts the surroundings in place of what `generator` paints over them."""

    def __init__(self, generator: FaceGenerator, person_share: PersonShare, most_crop_px: float = MOST_CROP_PX) -> None:
        self._generator, self._person_share, self._most_crop_px = generator, person_share, most_crop_px

    @property
    def size_px(self) -> int:
        return self._generator.size_px

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        answers = self._generator.generate(crops)
        zoom = [float(np.hypot(*crop.crop_from_frame[0, :2])) for crop in crops]
        chosen = {at for at in np.argsort(zoom, kind="stable")[:LARGEST] if zoom[at] < self._most_crop_px}
        return tuple(
            self._cleared(crop, answer) if at in chosen else answer
            for at, (crop, answer) in enumerate(zip(crops, answers, strict=True))
        )

    def _cleared(self, crop: FaceCrop, face: SyntheticFace) -> SyntheticFace:
        known, painted = 1 - crop.hole, seen_crop(face, crop)
        turned = np.float32(np.clip((abs(crop.turned) - TURNED) / (IN_PROFILE - TURNED), 0, 1))
        asked = self._person_share(np.asarray(_asked_about(crop, painted, turned), np.float32))
        person = np.clip((asked - HAZE) / (1 - HAZE), 0, 1)
        wall = known * np.clip(1.5 - person / WALL, 0, 1)
        if wall.sum() < LEAST_WALL_PX:
            return face
        near = spread_coarsely((person * known)[..., None], known)[..., 0]
        behind = spread(crop.context_rgb * (wall / np.maximum(known, 1e-3))[..., None], wall)
        wanted, far = _where_no_ear_is(crop)
        wanted = wanted + (1 - turned) * (crop.hole - wanted)
        doubted = np.maximum(near, person)
        least = doubted + far * (np.minimum(near, person) - doubted)
        share = wanted * _smooth_step((SURELY_PERSON - least) / (SURELY_PERSON - SURELY_WALL))
        return replace(in_hue_of_person(face, crop, painted, person), wall=_mean_cells(share), behind_rgb=behind)


def _asked_about(crop: FaceCrop, painted: Floats, turned: np.float32) -> Floats:
    """(S, S, 3) for the segmenter: the painted crop, whose ears and neck it outlines; by turned the guide on smooth
    surroundings, since it takes haze before a profile for a person."""
    if not turned:
        return painted
    smooth = spread_coarsely(crop.context_rgb, 1 - crop.hole)
    guide = smooth + crop.guide_coverage[..., None] * (crop.guide_rgb - smooth)
    return painted + turned * crop.hole[..., None] * (guide - painted)


def with_wall(face: SyntheticFace, wall: Floats) -> SyntheticFace:
    """The face with what is behind it shown by wall (K, K)."""
    import cv2

    if face.behind_rgb is None:
        return face
    share = cv2.resize(wall, face.matte.shape[::-1], interpolation=cv2.INTER_LINEAR)
    painted = face.inpaint_rgb + share[..., None] * (face.behind_rgb - face.inpaint_rgb)
    return SyntheticFace(face.gain, face.bias, painted, face.matte + share * (1 - face.matte))


def _where_no_ear_is(crop: FaceCrop) -> tuple[Floats, Floats]:
    """(S, S): 1 in the hole beside the jaw and on the far side of a turned head, 0 behind its cheek; and 1 on the far
    side."""
    size = crop.hole.shape[0]
    rows = np.flatnonzero((crop.hole > 0.5).any(1))
    if not len(rows) or not crop.guide_coverage.any():
        return np.zeros_like(crop.hole), np.zeros_like(crop.hole)
    height = (np.arange(size) - rows[0]) / max(int(np.ptp(rows)), 1)
    beside_jaw = _smooth_step((height - EARS) / (JAW - EARS))[:, None]
    middle = np.average(np.arange(size), weights=crop.guide_coverage.sum(0))
    ahead = np.sign(crop.turned) * (np.arange(size) - middle)[None] / (size / 16)
    far = np.clip(ahead, 0, 1) * np.clip((abs(crop.turned) - FACING) / (TURNED - FACING), 0, 1)
    behind = np.clip(-ahead, 0, 1) * np.clip((abs(crop.turned) - FACING / 2) / (TURNED - FACING), 0, 1)
    wanted = np.maximum(beside_jaw, far) * (1 - behind) * crop.hole
    return np.asarray(wanted, np.float32), np.asarray(far, np.float32)


def _mean_cells(share: Floats) -> Floats:
    import cv2

    return np.asarray(cv2.resize(share, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)


def _smooth_step(x: npt.NDArray[np.floating]) -> Floats:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)
