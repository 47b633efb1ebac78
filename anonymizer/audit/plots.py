"""Plots as SVG text, to stand inside a report without any script. Colours are for people with any colour vision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from anonymizer.audit.metrics import Figure

WIDTH = 640
LEFT, RIGHT, ROW, AXIS = 250, 20, 26, 34
# Okabe and Ito's palette
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555")


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[float]


def ranges(
    rows: Sequence[tuple[str, Sequence[Figure]]], names: Sequence[str], limits: tuple[float, float], mark: float | None
) -> str:
    """A line a row, a dot with its interval for each of `names`. mark: where a line stands for chance."""
    height = len(rows) * ROW + AXIS
    scale = _Scale(limits)
    parts = [_grid(scale, len(rows) * ROW)]
    if mark is not None:
        x = scale(mark)
        parts.append(f'<line class="mark" x1="{x}" x2="{x}" y1="0" y2="{len(rows) * ROW}"/>')
    for at, (label, figures) in enumerate(rows):
        parts.append(f'<text class="label" x="{LEFT - 12}" y="{at * ROW + 17}">{escape(label)}</text>')
        for which, figure in enumerate(figures):
            if not np.isfinite([figure.value, figure.low, figure.high]).all():
                continue  # too few people for this figure
            y = at * ROW + ROW * (which + 1) / (len(figures) + 1)
            colour = COLOURS[which % len(COLOURS)]
            low, high = scale(figure.low), scale(figure.high)
            parts.append(f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
            title = f"{names[which]}: {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
            dot = f'<circle cx="{scale(figure.value)}" cy="{y}" r="4" fill="{colour}"/>'
            parts.append(f"<g>{dot}<title>{escape(title)}</title></g>")
    return _legend(names) + _svg(parts, height)


def histogram(series: Sequence[Series], bins: int = 48) -> str:
    """Shares over value, one stepped outline a series."""
    everything = np.concatenate([np.asarray(s.values, float) for s in series if len(s.values)])
    low, high = (float(v) for v in np.percentile(everything, (0.05, 99.95)))
    scale, edges = _Scale((low, max(high, low + 1e-3))), np.linspace(low, max(high, low + 1e-3), bins + 1)
    shares = [np.histogram(s.values, edges)[0] / max(1, len(s.values)) for s in series]
    top, tall = max(float(share.max()) for share in shares), 150.0
    parts = [_grid(scale, tall)]
    for which, share in enumerate(shares):
        y = tall - share / max(top, 1e-9) * (tall - 6)
        steps = " ".join(f"L{scale(edges[i])},{y[i]:.1f} L{scale(edges[i + 1])},{y[i]:.1f}" for i in range(bins))
        colour = COLOURS[which % len(COLOURS)]
        path = f"M{scale(edges[0])},{tall} {steps} L{scale(edges[-1])},{tall}"
        parts.append(f'<path d="{path}" fill="{colour}" fill-opacity=".13" stroke="{colour}" stroke-width="1.6"/>')
    return _legend([s.name for s in series]) + _svg(parts, tall + AXIS)


def over_time(
    series: Sequence[Series], seconds: Sequence[float], marks_s: Sequence[float], limits: tuple[float, float]
) -> str:
    """Lines over time; marks_s: moments that stand out."""
    tall = 130.0
    last = max(seconds[-1], 1e-3) if len(seconds) else 1.0
    scale = _Scale((0.0, last), left=46)
    parts = [_grid(scale, tall)]
    parts += [f'<line class="alarm" x1="{scale(s)}" x2="{scale(s)}" y1="0" y2="{tall}"/>' for s in marks_s]
    for text, value in ((f"{limits[0]:g}", limits[0]), (f"{limits[1]:g}", limits[1])):
        y = tall - (value - limits[0]) / (limits[1] - limits[0]) * tall
        parts.append(f'<text class="label" x="38" y="{max(11, y)}">{text}</text>')
    for which, line in enumerate(series):
        values = np.clip(np.asarray(line.values, float), *limits)
        y = tall - (values - limits[0]) / (limits[1] - limits[0]) * tall
        for run in _runs(np.isfinite(values)):
            points = " ".join(f"{scale(seconds[i])},{y[i]:.1f}" for i in run)
            colour = COLOURS[which % len(COLOURS)]
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    return _legend([s.name for s in series]) + _svg(parts, tall + AXIS)


class _Scale:
    """Value -> px along the x axis."""

    def __init__(self, limits: tuple[float, float], left: int = LEFT) -> None:
        self.low, self.high = limits
        self.left = left

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.left + share * (WIDTH - self.left - RIGHT), 1)

    def ticks(self) -> list[float]:
        rough = (self.high - self.low) / 5
        power = 10 ** np.floor(np.log10(rough))
        step = float(power * min((1, 2, 5, 10), key=lambda n: abs(n * power - rough)))
        first = np.ceil(self.low / step - 1e-9)
        return [round(float(i * step), 10) + 0.0 for i in np.arange(first, np.floor(self.high / step + 1e-9) + 1)]


def _runs(there: np.ndarray) -> list[range]:
    """Stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    return [range(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _grid(scale: _Scale, height: float) -> str:
    lines = []
    for tick in scale.ticks():
        x = scale(tick)
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{height}"/>')
        lines.append(f'<text class="tick" x="{x}" y="{height + 18}">{tick:g}</text>')
    return "".join(lines)


def _legend(names: Sequence[str]) -> str:
    cells = (
        f'<span><i style="background:{COLOURS[i % len(COLOURS)]}"></i>{escape(name)}</span>'
        for i, name in enumerate(names)
    )
    return f'<div class="legend">{"".join(cells)}</div>'


def _svg(parts: Sequence[str], height: float) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{"".join(parts)}</svg>'
