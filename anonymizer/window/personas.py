"""The persona picker: a few people who do not exist, as thumbnails; the chosen one is worn from then on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from anonymizer.frames import RgbImage
from anonymizer.pipeline import DrawPersona

COUNT = 6
THUMB_PX = (66, 78)

Offer = Callable[[], tuple[DrawPersona, RgbImage]]
"""A new way to draw personas, under a secret of its own, and a portrait of its first one."""


class Personas(QWidget):
    """Buttons with portraits, drawn beside the event loop. picked: with the drawer of the persona chosen."""

    picked = Signal(object)
    _drawn = Signal(int, object)

    def __init__(self, offer: Offer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offer = offer
        self._drawers: dict[int, DrawPersona] = {}
        self._drawing: threading.Thread | None = None
        self.buttons: list[QToolButton] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for n in range(COUNT):
            button = QToolButton()
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setEnabled(False)
            button.setIconSize(QSize(*THUMB_PX))
            button.setAccessibleName(f"Persona {n + 1}")
            button.clicked.connect(lambda _=False, n=n: self.picked.emit(self._drawers[n]))
            grid.addWidget(button, n // 3, n % 3)
            self.buttons.append(button)
        self._drawn.connect(self._show)

    def deal(self) -> None:
        """Offer other people."""
        if self._drawing is None or not self._drawing.is_alive():
            self._drawing = threading.Thread(target=self._draw, name="personas", daemon=True)
            self._drawing.start()

    def wait(self) -> None:
        """Until all portraits are drawn."""
        if self._drawing is not None:
            self._drawing.join()

    def _draw(self) -> None:
        for n in range(COUNT):
            drawer, portrait = self._offer()
            self._drawn.emit(n, (drawer, np.ascontiguousarray(portrait)))

    def _show(self, n: int, drawn: tuple[DrawPersona, RgbImage]) -> None:
        self._drawers[n], portrait = drawn
        height, width = portrait.shape[:2]
        image = QImage(portrait.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.buttons[n].setIcon(QIcon(QPixmap.fromImage(image)))
        self.buttons[n].setEnabled(True)


__all__ = ["COUNT", "Offer", "Personas"]
