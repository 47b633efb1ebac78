"""Takes the tremble out of series of numbers: without lag where the whole clip is known, with little of it live."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEAST_SIGMA = 0.2  # below it the neighbours weigh less than 1e-5


def smooth_series(series: npt.ArrayLike, sigma: npt.ArrayLike) -> Array:
    """(N, D) series, NaN where nothing is known -> (N, D) without gaps, each column blurred by its own Gaussian.

    sigma: samples, one number or (D,); 0 leaves a column as it is but for its gaps. No lag: the kernel is symmetric,
    and at the ends the series goes on point-mirrored, so that a steady motion stays one to its last sample.
    Raises ValueError when a column has no known value.
    """
    filled = fill_gaps(series)
    sigmas = np.broadcast_to(np.asarray(sigma, np.float64), filled.shape[1:])
    if not (np.isfinite(sigmas).all() and (sigmas >= 0).all()):
        raise ValueError(f"sigma must be finite and not negative, got {sigma!r}")
    smooth = filled.copy()
    for value in np.unique(sigmas):
        columns = np.nonzero(sigmas == value)[0]
        if value >= LEAST_SIGMA and len(filled) > 2:
            smooth[:, columns] = _blurred(filled[:, columns], float(value))
    return smooth


def fill_gaps(series: npt.ArrayLike) -> Array:
    """NaN samples of each column, drawn straight between their neighbours; the first and last known value go on."""
    values = np.array(series, np.float64)
    if values.ndim != 2:
        raise ValueError(f"expected a series of shape (N, D), got {values.shape}")
    known = np.isfinite(values)
    if not known.any(axis=0).all():
        raise ValueError("a column of the series has no known value")
    at = np.arange(len(values))
    for column in np.nonzero(~known.all(axis=0))[0]:
        good = known[:, column]
        values[:, column] = np.interp(at, at[good], values[good, column])
    return values


def _blurred(values: Array, sigma: float) -> Array:
    reach = min(math.ceil(3 * sigma), len(values) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    before = 2 * values[0] - values[reach:0:-1]
    after = 2 * values[-1] - values[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, values, after])
    blurred = np.zeros_like(values)
    for shift, weight in enumerate(kernel):
        blurred += weight * padded[shift : shift + len(values)]
    return blurred


class OneEuroFilter:
    """Smooths what is still, follows what moves (Casiez, Roussel, Vogel: 1€ Filter, CHI 2012).

    min_cutoff_hz: lower is steadier. beta: higher is quicker when the value moves, per unit a second.
    derivative_cutoff_hz: how much the speed itself is smoothed. All may be arrays of the values' shape.
    """

    def __init__(
        self, min_cutoff_hz: npt.ArrayLike = 1.0, beta: npt.ArrayLike = 0.0, derivative_cutoff_hz: npt.ArrayLike = 1.0
    ) -> None:
        self._min_cutoff_hz = np.asarray(min_cutoff_hz, np.float64)
        self._beta = np.asarray(beta, np.float64)
        self._derivative_cutoff_hz = np.asarray(derivative_cutoff_hz, np.float64)
        self._at_s = 0.0
        self._value: Array | None = None
        self._speed: Array | None = None

    def reset(self) -> None:
        """Forget the past: after a cut, or when a track is lost."""
        self._value = self._speed = None

    def __call__(self, values: npt.ArrayLike, at_s: float) -> Array:
        """The filtered values at time `at_s`. A time that does not advance gives back the last answer."""
        new = np.array(values, np.float64)
        if not np.isfinite(new).all():
            raise ValueError("a value to filter is not finite")
        if self._value is None or self._speed is None or self._value.shape != new.shape:
            self._at_s, self._value, self._speed = at_s, new, np.zeros_like(new)
            return new.copy()
        step_s = at_s - self._at_s
        if step_s <= 0:
            return self._value.copy()
        speed = (new - self._value) / step_s
        self._speed = self._speed + _share(self._derivative_cutoff_hz, step_s) * (speed - self._speed)
        cutoff_hz = self._min_cutoff_hz + self._beta * np.abs(self._speed)
        self._value = self._value + _share(cutoff_hz, step_s) * (new - self._value)
        self._at_s = at_s
        return self._value.copy()


def _share(cutoff_hz: Array, step_s: float) -> Array:
    """How much of the new value a low-pass of `cutoff_hz` takes."""
    turn = 2 * math.pi * cutoff_hz * step_s
    return turn / (turn + 1)
