"""Shows what is sent: a sink that keeps the newest safe frame, and the widget that paints it."""

from __future__ import annotations

import threading

import numpy as np
from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from anonymizer.frames import RgbImage, SafeFrame


class WindowSink(QObject):
    """A FrameSink for the window. A window that is slow shows fewer frames; it never holds up the sender."""

    arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._newest: SafeFrame | None = None
        self._told = False

    def send(self, frame: SafeFrame) -> None:
        if not isinstance(frame, SafeFrame):
            raise TypeError(f"only a SafeFrame may be shown, got {type(frame).__name__}")
        with self._lock:
            self._newest = frame
            tell, self._told = not self._told, True
        if tell:
            self.arrived.emit()

    def take(self) -> SafeFrame | None:
        """The newest frame; the next one will be told of again."""
        with self._lock:
            self._told = False
            return self._newest

    def close(self, ok: bool) -> None: ...


class Picture(QWidget):
    """Paints one picture, as large as it fits. mirrored: of what is seen here only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mirrored = False
        self._image: QImage | None = None
        self._rgb: RgbImage | None = None  # QImage does not keep its pixels
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 180)
        self.setAccessibleName("Picture that is sent")

    def show_rgb(self, rgb: RgbImage | None) -> None:
        """(H, W, 3) RGB; None = nothing."""
        if rgb is None:
            self._image = self._rgb = None
        else:
            self._rgb = np.ascontiguousarray(rgb)
            height, width = rgb.shape[:2]
            self._image = QImage(self._rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.update()

    @property
    def shown(self) -> RgbImage | None:
        """What is painted, before mirroring."""
        return self._rgb

    def sizeHint(self) -> QSize:
        return QSize(854, 480)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#181818"))
        if self._image is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        x, y = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        if self.mirrored:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        painter.drawImage(QRectF(x, y, size.width(), size.height()), self._image)


__all__ = ["Picture", "WindowSink"]
