"""Which skin tone fits the scene: read from skin that stays visible (neck, ears), never from under the hole."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats, Mask
from anonymizer.persona.surroundings import LUMA, features

UNKNOWN = 4  # of 0 (dark) to 5 (light), when no skin is seen
TRUST, CHROMA_TRUST = 0.65, 0.7  # how far what is seen draws away from the tone of UNKNOWN, in log colour
TINT_RANGE = (0.6, 1.6)  # how far the light of the scene may recolour a step
# Shade makes necks dark, but not neck and chest alike: where both agree within AGREE (log) on skin darker than DARK
# from the usual, they are trusted whole; else dark skin came out too light (by .40 on London's six darkest photos, now
# by .33).
AGREE, DARK = 0.1, -0.15
DARKEST = 0.1  # share of the usual tone that a face keeps in the dark
LEARNT, LEARNT_HUE = 0.5, 0.25  # share of what is learnt in the tone's brightness and hue; the rule has the rest
# Brightness off by, rms in log, rule alone and with .5 of what is learnt: .37 and .27 on 400 held-out made portraits,
# .22 and .23 on Congress, .18 and .14 on London, .08 and .10 on OpenPeople. Hue: with .5 London's got worse (.025 to
# .047).
MOST_BRIGHTNESS, MOST_HUE = 1.8, 0.5  # how far, in log colour, what is learnt may be from the usual
_MIN_PX, _MIN_SHARE = 40, 0.08  # of a region, that must look like skin
# Percentiles of brightness that are averaged, of the neck and of all around: a face is brighter than the neck below it,
# and hair is in the way. The mean of both, trusted by .65, is off by .24 in log brightness (rms) on 69 photos of real
# people, by .44 on 168 made portraits in dark and coloured light; the neck alone, trusted by .8, by .28 and .42.
_LIT = (65, 95)


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """step: 0 (dark) to 5 (light), chooses and recolours the persona. tint (3,) float32: RGB gain on top of the
    step, so that the guide has the colour of the skin that everybody sees around it."""

    step: int
    tint: Floats
    seen: bool = True  # False: no skin was in sight


def plain(step: int, seen: bool = True) -> Tone:
    """A step as it is."""
    return Tone(step, np.ones(3, np.float32), seen)


def retinted(tone: Tone, seen: Tone, tones: Floats) -> Tone:
    """The step of `tone`, so that the person stays, in the colour of `seen`."""
    colour = tones[seen.step] * seen.tint
    return Tone(tone.step, np.clip(colour / tones[tone.step], *TINT_RANGE).astype(np.float32))


def propose_tone(
    rgb: npt.NDArray[np.uint8],
    unknown: Mask,
    hull_px: npt.NDArray[np.float64],
    tones: Floats,
    weights: Floats | None = None,
) -> Tone:
    """The tone for a face from the erased frame around it.

    rgb (H, W, 3) with unknown (H, W) not 0 where it was erased. hull_px (N, 2): the face's hole. The neck and
    all that lies around the hole are looked at; without skin in sight the usual step is taken, no brighter than the
    brightest of what is around: of 167 photos six had a face that was, of 25 without skin in sight two. weights (k, 3):
    of `fit-tone`; what they say of the surroundings is averaged with this rule. None or empty: the rule alone.
    """
    (x0, y0), (x1, y1) = hull_px.min(0), hull_px.max(0)
    width, height = x1 - x0, y1 - y0
    neck = (x0 + 0.22 * width, y1 - 0.1 * height, x1 - 0.22 * width, y1 + 0.4 * height)
    around = (x0 - 0.3 * width, y0 + 0.3 * height, x1 + 0.3 * width, y1 + 0.5 * height)
    found = [colour for box in (neck, around) if (colour := _skin_colour(rgb, unknown, box)) is not None]
    learnt = None
    if weights is not None and len(weights):
        learnt = _learnt(features(rgb, unknown, hull_px, tones[UNKNOWN]), weights)
    if found:
        seen = _likely(np.log(np.maximum(found, 1e-3)), tones[UNKNOWN])
        seen = seen if learnt is None else _averaged(seen, learnt, tones[UNKNOWN])
        step = int(np.argmin(np.abs(np.log(tones @ LUMA) - np.log(max(float(seen @ LUMA), 1e-3)))))
        return Tone(step, np.clip(seen / tones[step], *TINT_RANGE).astype(np.float32))
    limit = np.clip(_brightest(rgb, unknown, around) / float(tones[UNKNOWN] @ LUMA), DARKEST, 1)
    tint = np.full(3, limit, np.float32)
    if learnt is not None:
        tint = np.minimum(_averaged(tint * tones[UNKNOWN], learnt, tones[UNKNOWN]) / tones[UNKNOWN], limit)
    return Tone(UNKNOWN, np.clip(tint, DARKEST, 1).astype(np.float32), seen=False)


def _learnt(seen: npt.NDArray[np.float64], weights: Floats) -> Floats:
    """(3,) log colour away from the usual, held within what faces have."""
    away = seen @ weights
    brightness = away.mean()
    hue = np.clip(away - brightness, -MOST_HUE, MOST_HUE)
    return np.asarray(np.clip(brightness, -MOST_BRIGHTNESS, MOST_BRIGHTNESS) + hue, np.float32)


def _averaged(colour: Floats, learnt: Floats, usual: Floats) -> Floats:
    """The rule's colour (3,) and what is learnt, averaged as logs, at most white."""
    rule = np.log(np.maximum(colour, 1e-3) / usual)
    brightness, own = rule.mean(), learnt.mean()
    hue = (1 - LEARNT_HUE) * (rule - brightness) + LEARNT_HUE * (learnt - own)
    away = (1 - LEARNT) * brightness + LEARNT * own + hue
    return np.asarray(np.minimum(usual * np.exp(away), 1), np.float32)


def _brightest(rgb: npt.NDArray[np.uint8], unknown: Mask, box: tuple[float, float, float, float]) -> float:
    """Luma [0, 1] that 1 % of the known px of a box pass; 1 where nothing is known."""
    part, free = _part(rgb, unknown, box)
    known = part[free]
    return float(np.percentile(known @ LUMA, 99)) / 255 if len(known) else 1.0


def _part(
    rgb: npt.NDArray[np.uint8], unknown: Mask, box: tuple[float, float, float, float]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """A box of the frame, and which of its px are known."""
    height, width = unknown.shape
    x0, x1 = (int(np.clip(v, 0, width)) for v in (box[0], box[2]))
    y0, y1 = (int(np.clip(v, 0, height)) for v in (box[1], box[3]))
    return rgb[y0:y1, x0:x1], unknown[y0:y1, x0:x1] == 0


def _likely(found: Floats, usual: Floats) -> Floats:
    """The colour (3,) of a face around which skin of log colours found (n, 3) is seen: evidence drawn towards the
    usual, brightness and hue apart."""
    away = np.maximum(found.mean(0), np.log(0.01)) - np.log(usual)
    brightness, each = away.mean(), found.mean(1)
    sure = len(found) > 1 and np.ptp(each) < AGREE and brightness < DARK
    drawn = (1 if sure else TRUST) * brightness + CHROMA_TRUST * (away - brightness)
    return np.asarray(np.minimum(usual * np.exp(drawn), 1), np.float32)


def _skin_colour(rgb: npt.NDArray[np.uint8], unknown: Mask, box: tuple[float, float, float, float]) -> Floats | None:
    """Mean colour [0, 1] of lit skin in a box, told by chroma (Chai and Ngan 1999: Cb 77 to 127, Cr 133 to 173)."""
    part, free = _part(rgb, unknown, box)
    if min(part.shape[:2]) < 2:
        return None
    ycc = cv2.cvtColor(part, cv2.COLOR_RGB2YCrCb)
    skin = (cv2.inRange(ycc, np.array([20, 136, 77]), np.array([248, 173, 126])) > 0) & free
    count = int(np.count_nonzero(skin))
    if count < max(_MIN_PX, _MIN_SHARE * int(np.count_nonzero(free))):
        return None
    luma = ycc[..., 0][skin]
    low, high = np.percentile(luma, _LIT)
    lit = part[skin][(luma >= low) & (luma <= high)]
    return np.asarray(lit.astype(np.float32).mean(0) / 255, np.float32)
