"""The controls at the side: camera, output, preset, coverage, tone, personas, preview. Holds no run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from anonymizer.choices import Coverage, Preset
from anonymizer.window.personas import Offer, Personas

TONES = ("auto", "1", "2", "3", "4", "5", "6")


class Panel(QWidget):
    """edges_changed: another camera, output or preset, for which a run must be opened anew. look_changed: coverage or
    tone, which changes from one frame to the next. comparing: the raw picture is wanted or not any more.
    """

    edges_changed = Signal()
    look_changed = Signal()
    new_identity = Signal()
    comparing = Signal(bool)
    mirrored = Signal(bool)

    def __init__(
        self,
        cameras: Sequence[tuple[str, str]],
        outputs: Sequence[tuple[str, str]],
        offer: Offer,
        chosen: dict[str, Any],
    ) -> None:
        super().__init__()
        self.camera = _combo(cameras, "Camera", str(chosen.get("camera", "")), editable=True)
        self.output = _combo(outputs, "Output", str(chosen.get("output", "")))
        self.preset = _combo([(name, name) for name in get_args(Preset)], "Preset", str(chosen.get("preset", "")))
        self.coverage = _combo(
            [(name, name) for name in get_args(Coverage)], "Coverage", str(chosen.get("coverage", ""))
        )
        self.tone = _combo([(tone, tone) for tone in TONES], "Skin tone", str(chosen.get("tone", "auto")))
        self.tone.setToolTip(
            "1 is the lightest, 6 the darkest; auto reads it from neck and hands. The step is disclosed."
        )
        self.identity = QPushButton("&New identity")
        self.identity.setToolTip("Everybody in the picture gets another persona, from the next frame on.")
        self.personas = Personas(offer)
        self.others = QPushButton("&Other people")
        self.mirror = QCheckBox("&Mirror what I see (never what is sent)")
        self.may_compare = QCheckBox("Allow com&paring with the camera's picture")
        self.compare = QPushButton("&Hold to compare (shown only here)")
        self.compare.setEnabled(False)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        form = QFormLayout()
        for label, field in (
            ("&Camera", self.camera),
            ("Ou&tput", self.output),
            ("P&reset", self.preset),
            ("Co&verage", self.coverage),
            ("Skin t&one", self.tone),
        ):
            words = QLabel(label)
            words.setBuddy(field)
            form.addRow(words, field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        buttons = QHBoxLayout()
        buttons.addWidget(self.identity)
        buttons.addWidget(self.others)
        column.addLayout(buttons)
        column.addWidget(self.personas)
        for widget in (self.mirror, self.may_compare, self.compare):
            column.addWidget(widget)

    def _connect(self) -> None:
        for combo in (self.camera, self.output, self.preset):
            combo.activated.connect(lambda _: self.edges_changed.emit())
        for combo in (self.coverage, self.tone):
            combo.activated.connect(lambda _: self.look_changed.emit())
        self.identity.clicked.connect(self.new_identity)
        self.others.clicked.connect(self.personas.deal)
        self.mirror.toggled.connect(self.mirrored)
        self.may_compare.toggled.connect(self._allow)
        self.compare.pressed.connect(lambda: self.comparing.emit(True))
        self.compare.released.connect(lambda: self.comparing.emit(False))

    def _allow(self, allowed: bool) -> None:
        self.compare.setEnabled(allowed)
        if not allowed:
            self.comparing.emit(False)

    def chosen(self) -> dict[str, Any]:
        """camera, output, preset, coverage, tone as the settings want them."""
        tone = self.tone.currentData()
        return {
            "camera": _value(self.camera),
            "output": _value(self.output),
            "preset": self.preset.currentData(),
            "coverage": self.coverage.currentData(),
            "tone": tone if tone == "auto" else int(tone),
        }


def _combo(items: Sequence[tuple[str, str]], name: str, chosen: str, editable: bool = False) -> QComboBox:
    """items: shown words and value."""
    combo = QComboBox()
    combo.setAccessibleName(name)
    for words, value in items:
        combo.addItem(words, value)
    combo.setEditable(editable)
    at = combo.findData(chosen)
    if at >= 0:
        combo.setCurrentIndex(at)
    elif editable and chosen:
        combo.setEditText(chosen)
    combo.setMinimumContentsLength(14)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return combo


def _value(combo: QComboBox) -> str:
    """The chosen item's value, or what was typed."""
    if combo.isEditable() and combo.currentText() != combo.itemText(combo.currentIndex()):
        return combo.currentText().strip()
    return str(combo.currentData())


__all__ = ["Panel"]
