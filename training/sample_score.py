"""What the person of the sample clip does: when to speak, blink, look, turn and smile. One seed, one score."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonymizer.faces import EXPRESSION_COUNT, Floats
from anonymizer.geometry import Array

DURATION_S = 7.0
SEED = 5
PHRASES_S = ((0.45, 2.55), (3.15, 4.35), (5.0, 6.35))
SMILES_S = ((2.5, 3.2), (6.3, 7.2))
BLINKS_S = (0.9, 2.75, 4.6, 6.55)
BLINK_S = 0.26
# time s, horizontal and vertical, as shares of half an eye's width
GAZES = ((0.0, 0, 0), (1.55, 0.16, -0.03), (2.2, 0, 0), (3.3, -0.2, 0.04), (3.9, 0, 0), (4.62, 0.1, 0.07), (5.1, 0, 0))
# time s, yaw, pitch, roll in degrees: the head rests at each for a moment on its way to the next
TURNS = (
    *((0.0, 0, 0, 0), (0.8, -6, 2, -1.5), (1.5, 6, -3, 1.5), (2.1, 17, 1, 3.5), (2.9, 9, 5, 2.5)),
    *((3.6, -10, -2, -2), (4.3, -18, 2, -4), (5.0, -6, -5, -1), (5.7, 5, 4, 2), (6.4, 0, -2, 0), (7.0, 2, 0, 1)),
)

# Names of the coefficients that are played here, and where each stands among the 52.
BROW_UP, SMILE_LEFT, SMILE_RIGHT, STRETCH_LEFT, STRETCH_RIGHT = 3, 44, 45, 46, 47
JAW_OPEN, FUNNEL, PUCKER, LOWER_LEFT, LOWER_RIGHT, UPPER_LEFT, UPPER_RIGHT = 25, 32, 38, 34, 35, 48, 49


@dataclass(frozen=True, slots=True)
class Vowel:
    """formants_hz: the first three resonances. The rest: how far each part of the mouth goes, 0 to 1."""

    formants_hz: tuple[float, float, float]
    jaw: float
    funnel: float = 0.0
    pucker: float = 0.0
    stretch: float = 0.0
    lips: float = 0.0


VOWELS = (
    Vowel((710, 1150, 2500), jaw=0.40, lips=0.22),  # a
    Vowel((520, 1780, 2500), jaw=0.25, stretch=0.20, lips=0.20),  # e
    Vowel((300, 2200, 2950), jaw=0.13, stretch=0.30, lips=0.22),  # i
    Vowel((540, 900, 2450), jaw=0.26, funnel=0.35, pucker=0.1),  # o
    Vowel((330, 880, 2300), jaw=0.12, funnel=0.2, pucker=0.45),  # u
)


@dataclass(frozen=True, slots=True)
class Syllable:
    """A vowel from start_s to end_s; loud: 0 to 1; hiss: whether a consonant of noise leads it in."""

    start_s: float
    end_s: float
    vowel: Vowel
    loud: float
    hiss: bool


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """expression (52,): offsets to the portrait's own. lids: 0 as on the portrait, 1 closed. gaze (2,): offset in
    half eye widths. turn_deg: yaw to the image's right, pitch down, roll clockwise. breath: −1 to 1."""

    expression: Floats
    lids: float
    gaze: tuple[float, float]
    turn_deg: Array
    breath: float


def syllables() -> tuple[Syllable, ...]:
    """What is said: 3 to 5 syllables a second in phrases with pauses."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    said: list[Syllable] = []
    for start_s, end_s in PHRASES_S:
        at_s = start_s
        while at_s < end_s - 0.15:
            long_s = float(rng.uniform(0.2, 0.31))
            vowel = VOWELS[int(rng.choice(len(VOWELS), p=(0.32, 0.25, 0.15, 0.18, 0.1)))]
            said.append(Syllable(at_s, at_s + long_s, vowel, float(rng.uniform(0.7, 1.0)), bool(rng.random() < 0.4)))
            at_s += long_s
    return tuple(said)


def swell(time_s: npt.ArrayLike, syllable: Syllable) -> Floats:
    """How far a syllable is open at a time: 0 before and after, 1 in its middle; neighbours overlap a little."""
    middle, half = (syllable.start_s + syllable.end_s) / 2, 0.62 * (syllable.end_s - syllable.start_s)
    t = np.clip(1 - np.abs(np.asarray(time_s) - middle) / half, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def moment(time_s: float, said: tuple[Syllable, ...]) -> Moment:
    expression = np.zeros(EXPRESSION_COUNT, np.float32)
    for syllable in said:
        open_ = float(swell(time_s, syllable)) * (0.6 + 0.4 * syllable.loud)
        vowel = syllable.vowel
        expression[[JAW_OPEN, FUNNEL, PUCKER]] += open_ * np.array([vowel.jaw, vowel.funnel, vowel.pucker], np.float32)
        expression[[STRETCH_LEFT, STRETCH_RIGHT]] += open_ * vowel.stretch
        expression[[LOWER_LEFT, LOWER_RIGHT]] += open_ * vowel.lips
        expression[[UPPER_LEFT, UPPER_RIGHT]] += open_ * vowel.lips * 0.5
        expression[BROW_UP] += 0.35 * open_ * max(0.0, syllable.loud - 0.9) / 0.1
    smile = max(_held(time_s, start, end, 0.35) for start, end in SMILES_S)
    expression[[SMILE_LEFT, SMILE_RIGHT]] += 0.9 * smile
    x, y = _along(time_s, GAZES, 0.07)
    lids = max(_blink(time_s - start) for start in BLINKS_S)
    lids = lids + (1 - lids) * (0.8 * float(y) - 0.1 + 0.12 * smile)
    return Moment(expression, lids, (float(x), float(y)), _turn(time_s), float(np.sin(2 * np.pi * time_s / 3.4)))


def _turn(time_s: float) -> Array:
    """Yaw, pitch, roll in degrees; a held head is never quite still."""
    sway = [0.5 * np.sin(2.1 * time_s + 1), 0.5 * np.sin(2.9 * time_s), 0.4 * np.sin(1.7 * time_s + 2)]
    return np.asarray(_along(time_s, TURNS, 0.62) + sway - np.array([0.42, 0.0, 0.36]))


def _along(time_s: float, keys: tuple[tuple[float, ...], ...], move_s: float) -> Array:
    """Values of keys (time, values…) with a smooth move of at most move_s ending at each key's time."""
    values = np.array(keys[0][1:], np.float64)
    for before, key in pairwise(keys):
        length = min(move_s, key[0] - before[0])
        t = np.clip((time_s - key[0] + length) / length, 0, 1)
        values = values + (np.array(key[1:]) - values) * (t**3 * (10 - 15 * t + 6 * t * t))
    return values


def _held(time_s: float, start_s: float, end_s: float, ramp_s: float) -> float:
    t = float(np.clip(min(time_s - start_s, end_s - time_s) / ramp_s, 0, 1))
    return t * t * (3 - 2 * t)


def _blink(since_s: float) -> float:
    """Lids fall fast and rise slowly."""
    share = since_s / BLINK_S
    if not 0 < share < 1:
        return 0.0
    t = share / 0.3 if share < 0.3 else 1.0 if share < 0.45 else (1 - share) / 0.55
    return t * t * (3 - 2 * t)
