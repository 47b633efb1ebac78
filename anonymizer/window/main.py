"""The main window: the shutter before all else, what is sent, its state, and the panel of controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QPushButton, QVBoxLayout, QWidget

from anonymizer.live.choices import LiveChoices
from anonymizer.live.metrics import LiveFigures
from anonymizer.live.states import LiveState
from anonymizer.pipeline import Anonymizer, DrawPersona
from anonymizer.settings import Settings
from anonymizer.window.graph import Graph
from anonymizer.window.looks import colours, words
from anonymizer.window.panel import Panel
from anonymizer.window.personas import Offer
from anonymizer.window.picture import Picture, WindowSink
from anonymizer.window.runner import Prepare, Runner, changed

LOOK_MS = 500  # between two looks at the figures
STATE_MS = 50
SHUTTER_KEY = "F9"

ChooseSettings = Callable[[dict[str, Any]], Settings]
NewDrawer = Callable[[], DrawPersona]


class MainWindow(QMainWindow):
    """choose: settings from the panel's choices; ConfigError when they do not go together. autostart: run at once."""

    def __init__(
        self,
        prepare: Prepare,
        choose: ChooseSettings,
        choices: LiveChoices,
        cameras: Sequence[tuple[str, str]],
        outputs: Sequence[tuple[str, str]],
        offer: Offer,
        new_drawer: NewDrawer,
        chosen: dict[str, Any],
    ) -> None:
        super().__init__()
        self._choose, self._choices, self._new_drawer = choose, choices, new_drawer
        self.runner, self.sink = Runner(prepare), WindowSink()
        self.shutter = QPushButton(f"Privacy &shutter  ({SHUTTER_KEY})")
        self.go = QPushButton("St&art")
        self.picture, self.graph = Picture(), Graph()
        self.banner, self.sentence, self.numbers = QLabel(), QLabel(), QLabel()
        self.panel = Panel(cameras, outputs, offer, chosen | {"camera": choices.camera, "output": choices.output})
        self._comparing = False
        self._last: LiveFigures | None = None
        self._arrange()
        self._connect()
        self._show_state(LiveState.STOPPED)

    def _arrange(self) -> None:
        self.setWindowTitle("anonymizer")
        self.shutter.setCheckable(True)
        self.shutter.setMinimumHeight(56)
        self.go.setMinimumHeight(56)
        self.banner.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.banner.setAccessibleName("State of what is sent")
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setWordWrap(True)
        self.numbers.setAccessibleName("Figures")
        left = QVBoxLayout()
        buttons = QHBoxLayout()
        buttons.addWidget(self.shutter, 2)
        buttons.addWidget(self.go, 1)
        left.addLayout(buttons)
        left.addWidget(self.banner)
        left.addWidget(self.picture, 1)
        left.addWidget(self.sentence)
        right = QVBoxLayout()
        right.addWidget(self.panel)
        right.addStretch(1)
        right.addWidget(self.numbers)
        right.addWidget(self.graph)
        row = QHBoxLayout()
        row.addLayout(left, 3)
        row.addLayout(right, 1)
        middle = QWidget()
        middle.setLayout(row)
        self.setCentralWidget(middle)
        self.shutter.setFocus()

    def _connect(self) -> None:
        self.shutter.toggled.connect(self._shut)
        QShortcut(QKeySequence(SHUTTER_KEY), self, self.shutter.toggle)
        self.go.clicked.connect(self._start_or_stop)
        self.sink.arrived.connect(self._paint)
        self.runner.started.connect(lambda: self._show_running(True))
        self.runner.failed.connect(self._failed)
        self.runner.ended.connect(self._failed)
        panel = self.panel
        panel.edges_changed.connect(self._restart)
        panel.look_changed.connect(self._change_look)
        panel.new_identity.connect(lambda: self._wear(self._new_drawer()))
        panel.personas.picked.connect(self._wear)
        panel.comparing.connect(self._compare)
        panel.mirrored.connect(self._mirror)
        self._timers = [_every(LOOK_MS, self._look, self), _every(STATE_MS, self._follow_state, self)]

    def start(self) -> None:
        """Run with what the panel says."""
        chosen = self.panel.chosen()
        try:
            settings = self._choose({key: chosen[key] for key in ("preset", "coverage", "tone")})
        except Exception as error:  # noqa: BLE001  a choice that does not go together is said, not raised
            self._failed(str(error))
            return
        self.graph.clear()
        self._last = None
        self.go.setText("Starting …")
        self.runner.start(settings, changed(self._choices, camera=chosen["camera"], output=chosen["output"]), self.sink)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing the window ends the run; a blank frame is left behind."""
        self._compare(False)
        self.runner.stop()
        for timer in self._timers:
            timer.stop()
        event.accept()

    def _start_or_stop(self) -> None:
        if self.runner.running:
            self.runner.stop()
        else:
            self.start()

    def _restart(self) -> None:
        if self.runner.running:
            self.runner.stop()
            self.start()

    def _shut(self, closed: bool) -> None:
        self.runner.shut(closed)
        self.shutter.setText(f"OPEN the &shutter  ({SHUTTER_KEY})" if closed else f"Privacy &shutter  ({SHUTTER_KEY})")

    def _wear(self, drawer: DrawPersona) -> None:
        def act(renderer: Anonymizer) -> None:
            renderer.draw_persona = drawer
            renderer.reset()

        self.runner.change(act)

    def _change_look(self) -> None:
        chosen = self.panel.chosen()
        if chosen["preset"] == "strict" and chosen["coverage"] != "box":
            self._failed("the preset strict promises coverage box; choose another preset first")
            return
        tone = None if chosen["tone"] == "auto" else 6 - chosen["tone"]

        def act(renderer: Anonymizer) -> None:
            renderer.coverage = chosen["coverage"]
            renderer.tone = tone
            renderer.reset()

        self.runner.change(act)

    def _compare(self, wanted: bool) -> None:
        self._comparing = wanted and self.panel.may_compare.isChecked()
        if not self._comparing:
            self.runner.raw(False)
            self._paint()

    def _mirror(self, wanted: bool) -> None:
        self.picture.mirrored = wanted
        self.picture.update()

    def _paint(self) -> None:
        frame = self.sink.take()
        raw = self.runner.raw(True) if self._comparing else None
        if raw is not None:
            self.picture.show_rgb(raw)
        elif frame is not None:
            self.picture.show_rgb(frame.rgb)

    def _follow_state(self) -> None:
        self._show_state(self.runner.state)

    def _show_state(self, state: LiveState) -> None:
        word, sentence = words(state)
        if self.banner.text() == word and self.runner.running:
            return
        background, text = colours(state)
        self.banner.setText(word)
        self.banner.setStyleSheet(
            f"background: {background}; color: {text}; font-size: 26pt; font-weight: 700; "
            "padding: 6px; border-radius: 6px"
        )
        if self.runner.running or not self.sentence.text():
            self.sentence.setText(sentence)

    def _show_running(self, running: bool) -> None:
        self.go.setText("St&op" if running else "St&art")
        if running:
            self.sentence.setText("")

    def _failed(self, sentence: str) -> None:
        self._show_running(False)
        self.picture.show_rgb(None)
        self.sentence.setText(sentence or words(LiveState.STOPPED)[1])

    def _look(self) -> None:
        """Figures since the last look."""
        figures, last = self.runner.figures(), self._last
        self._last = figures
        if figures is None:
            self.numbers.setText("")
            return
        seconds = figures.seconds - (last.seconds if last else 0.0)
        fps_hz = (figures.distinct - (last.distinct if last else 0)) / max(1e-3, seconds)
        dropped = sum(figures.dropped.values())
        self.graph.add(figures.latency_now_ms, fps_hz)
        self.numbers.setText(
            f"{fps_hz:.0f} frames a second · {figures.latency_now_ms:.0f} ms · {dropped} dropped · "
            f"{figures.blanks} blank"
        )


def _every(ms: int, act: Callable[[], None], parent: QMainWindow) -> QTimer:
    timer = QTimer(parent)
    timer.timeout.connect(act)
    timer.start(ms)
    return timer


__all__ = ["MainWindow"]
