"""A small graph of the last minute: latency as bars, frames a second as a line."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

LENGTH = 120  # samples, two a second
TOP_MS, TOP_FPS = 120.0, 40.0


class Graph(QWidget):
    """Takes its colours from the palette, so it is at home on dark and light."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples: deque[tuple[float, float]] = deque(maxlen=LENGTH)
        self.setMinimumHeight(56)
        self.setAccessibleName("Latency and frame rate over the last minute")
        self.setToolTip("bars: milliseconds from camera to output (top: 120); line: frames a second (top: 40)")

    def add(self, latency_ms: float, fps_hz: float) -> None:
        self.samples.append((latency_ms, fps_hz))
        self.update()

    def clear(self) -> None:
        self.samples.clear()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(260, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        width, height, step = self.width(), self.height(), self.width() / LENGTH
        bar = self.palette().color(QPalette.ColorRole.Highlight)
        bar.setAlpha(150)
        start = width - len(self.samples) * step
        line = QPolygonF()
        for n, (latency_ms, fps_hz) in enumerate(self.samples):
            high = min(1.0, latency_ms / TOP_MS) * height
            x = start + n * step
            painter.fillRect(int(x), int(height - high), max(1, int(step)), int(high), bar)
            line.append(QPointF(x, height - min(1.0, fps_hz / TOP_FPS) * height))
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Text), 1.5))
        painter.drawPolyline(line)


__all__ = ["Graph"]
