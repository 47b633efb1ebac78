"""A voice that nobody has: vowels from a sum of harmonics under moving resonances, in step with the jaw."""

from __future__ import annotations

import numpy as np

from anonymizer.faces import Floats
from anonymizer.geometry import Array
from training.sample_score import DURATION_S, PHRASES_S, SEED, Syllable, swell

RATE_HZ = 48_000
_CONTROL_HZ = 200  # resonances and loudness move slowly
_HIGHEST_HZ = 5_000
_BANDWIDTHS_HZ = (80, 100, 140, 200)
_FOURTH_HZ = 3_500
_NEUTRAL_HZ = (500.0, 1450.0, 2500.0)


def voice(said: tuple[Syllable, ...]) -> Floats:
    """(n,) float32 in −1 to 1 at RATE_HZ."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    control_s = np.arange(int(DURATION_S * _CONTROL_HZ) + 1) / _CONTROL_HZ
    opened = np.stack([swell(control_s, s) for s in said])
    loud = (opened * np.array([[s.loud] for s in said])).max(0) ** 0.6
    share = opened / (opened.sum(0) + 0.05)
    formants = [
        share.T @ np.array([s.vowel.formants_hz[i] for s in said]) + (1 - share.sum(0)) * _NEUTRAL_HZ[i]
        for i in range(3)
    ]
    pitch = _pitch(control_s)
    time_s = np.arange(int(DURATION_S * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(np.interp(time_s, control_s, pitch) * (1 + _shake(rng, len(time_s)))) / RATE_HZ
    total = np.zeros(len(time_s))
    for k in range(1, int(_HIGHEST_HZ / pitch.min())):
        level = _response(k * pitch, formants) / k**1.1 * (k * pitch < _HIGHEST_HZ)
        total += np.interp(time_s, control_s, level) * np.sin(k * phase + 0.7 * k * k)
    total *= np.interp(time_s, control_s, loud)
    total += 0.02 * total.std() * rng.normal(size=len(time_s)) * np.interp(time_s, control_s, loud)
    total += _hisses(said, time_s, rng) * 0.35 * np.abs(total).max()
    total += 4e-4 * np.abs(total).max() * rng.normal(size=len(time_s))  # the room
    return np.asarray(0.5 * total / np.abs(total).max(), np.float32)


def _pitch(control_s: Array) -> Array:
    """Falls over a phrase, as statements do."""
    pitch = np.full(len(control_s), 108.0)
    for start_s, end_s in PHRASES_S:
        t = np.clip((control_s - start_s) / (end_s - start_s), 0, 1)
        pitch += 16 * np.sin(np.pi * t) * (1 - t) + 5 * np.sin(2 * np.pi * 2.1 * (control_s - start_s)) * (t > 0) * (
            t < 1
        )
    return np.asarray(pitch)


def _shake(rng: np.random.Generator, count: int) -> Array:
    """Relative jitter of the pitch, slower than a period."""
    coarse = rng.normal(0, 0.008, count // 960 + 2)
    return np.asarray(np.interp(np.arange(count) / 960, np.arange(len(coarse)), coarse))


def _response(at_hz: Array, formants_hz: list[Array]) -> Array:
    """Gain of four resonances in a row."""
    gain = np.ones(len(at_hz))
    for centre, width in zip([*formants_hz, np.full(len(at_hz), _FOURTH_HZ)], _BANDWIDTHS_HZ, strict=True):
        gain *= centre**2 / np.sqrt((centre**2 - at_hz**2) ** 2 + (width * at_hz) ** 2)
    return np.asarray(gain)


def _hisses(said: tuple[Syllable, ...], time_s: Array, rng: np.random.Generator) -> Array:
    """Short high noise that leads into some syllables."""
    noise = np.diff(rng.normal(size=len(time_s) + 1)) / 4
    level = np.zeros(len(time_s))
    for syllable in said:
        if syllable.hiss:
            level += np.exp(-(((time_s - syllable.start_s - 0.005) / 0.022) ** 2))
    return np.asarray(noise * level)
