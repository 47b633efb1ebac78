"""Every control of the window, offscreen, over a real session with stand-ins at its edges."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from anonymizer.errors import CameraError
from anonymizer.frames import Verdict
from anonymizer.live.choices import LiveChoices
from anonymizer.live.session import LiveParts, LiveSession
from anonymizer.live.shared import LiveOptions, OnEvent
from anonymizer.live.sinks import EverySink
from anonymizer.live.states import LiveState
from anonymizer.persona.persona import Persona
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import Settings, load_settings
from anonymizer.stages import FrameSink
from anonymizer.window.main import MainWindow
from anonymizer.window.picture import WindowSink
from tests.live.live_fakes import SIZE_PX, Covers, Pace, Plan, Recorder
from tests.planned import anonymizer

GREY, RAW = 50, 100


@dataclass
class Stage:
    """What a run is made of in these tests. opened: the choices of every run; outputs: its sinks beside the window."""

    opened: list[tuple[Settings, LiveChoices]] = field(default_factory=list)
    outputs: list[Recorder] = field(default_factory=list)
    renderer: Anonymizer = field(default_factory=anonymizer)
    error: Exception | None = None
    dealt: int = 0

    def prepare(self, settings: Settings, choices: LiveChoices, on_event: OnEvent, sinks: tuple[FrameSink, ...]) -> Any:
        if self.error is not None:
            raise self.error
        self.opened.append((settings, choices))
        self.outputs.append(Recorder())
        parts = LiveParts(Pace(fps_hz=60), None, Plan(), Covers(), EverySink([self.outputs[-1], *sinks]))
        session = LiveSession(parts, LiveOptions(SIZE_PX, fps_hz=60.0), on_event)

        @dataclass
        class Made:
            session: LiveSession
            renderer: Anonymizer

        return Made(session, self.renderer)

    def offer(self) -> tuple[Any, np.ndarray[Any, np.dtype[np.uint8]]]:
        self.dealt += 1
        return self.drawer(), np.full((20, 16, 3), 20 * self.dealt % 255, np.uint8)

    def drawer(self) -> Any:
        def draw(slot: int, tone: int) -> Persona:
            raise NotImplementedError

        return draw

    @property
    def output(self) -> Recorder:
        return self.outputs[-1]


def choose(changes: dict[str, Any]) -> Settings:
    return load_settings(None, changes)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def window(qtbot: QtBot, stage: Stage) -> Iterator[MainWindow]:
    """Shown and stopped."""
    made = MainWindow(
        stage.prepare,
        choose,
        LiveChoices(camera="0", output="none"),
        [("First", "0"), ("Second", "1")],
        [("window only", "none"), ("Virtual", "virtual=/dev/video10")],
        stage.offer,
        stage.drawer,
        {"preset": "balanced", "coverage": "face", "tone": "auto"},
    )
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def running(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """With a run on, covered."""
    QTest.mouseClick(window.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.banner.text() == "COVERED")
    return window


def test_start_shows_what_is_sent_and_stop_leaves_it_blank(qtbot: QtBot, running: MainWindow, stage: Stage) -> None:
    """The picture is the sink's, the banner its state, the button turns round."""
    qtbot.waitUntil(lambda: running.picture.shown is not None and int(running.picture.shown.max()) == GREY)
    assert running.go.text() == "St&op"
    QTest.mouseClick(running.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: running.banner.text() == "STOPPED")
    assert running.go.text() == "St&art"
    assert stage.output.verdicts[-1] is Verdict.BLANKED
    assert running.picture.shown is None


@pytest.mark.parametrize("by", ["button", "key"])
def test_the_shutter_blanks_the_output_within_a_frame(qtbot: QtBot, running: MainWindow, stage: Stage, by: str) -> None:
    """By the button and by the hot key, measured at the sink; and open again."""
    waits = []
    for _ in range(5):
        pressed_s = time.monotonic()
        if by == "button":
            running.shutter.click()
        else:
            press(running, Qt.Key.Key_F9)
        qtbot.waitUntil(lambda: stage.output.verdicts[-1] is Verdict.BLANKED)
        waits.append(
            next(t for t, f in stage.output.sent if t >= pressed_s and f.verdict is Verdict.BLANKED) - pressed_s
        )
        qtbot.waitUntil(lambda: running.banner.text() == "SHUTTER")
        running.shutter.click()
        qtbot.waitUntil(lambda: stage.output.verdicts[-1] is Verdict.REPLACED)
    assert sorted(waits)[2] < 1 / 30


def press(window: QWidget, key: Qt.Key) -> None:
    """A key as the platform would send it, shortcuts first."""
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, event)
    QTest.keyClick(window, key)


def test_a_closed_shutter_stays_closed_over_a_new_start(qtbot: QtBot, window: MainWindow, stage: Stage) -> None:
    """Closed before the start: not one frame of the camera leaves."""
    window.shutter.click()
    window.start()
    qtbot.waitUntil(lambda: window.banner.text() == "SHUTTER")
    qtbot.wait(200)
    assert set(stage.output.verdicts) == {Verdict.BLANKED}


def test_another_camera_output_or_preset_opens_a_new_run(qtbot: QtBot, running: MainWindow, stage: Stage) -> None:
    """With the new choice; the old run ends blank."""
    panel = running.panel
    for combo, index, key, value in (
        (panel.camera, 1, "camera", "1"),
        (panel.output, 1, "output", "virtual=/dev/video10"),
    ):
        combo.setCurrentIndex(index)
        combo.activated.emit(index)
        qtbot.waitUntil(lambda: running.banner.text() == "COVERED" and running.go.text() == "St&op")
        assert getattr(stage.opened[-1][1], key) == value
        assert stage.outputs[-2].verdicts[-1] is Verdict.BLANKED
    index = panel.preset.findData("fast")
    panel.preset.setCurrentIndex(index)
    panel.preset.activated.emit(index)
    qtbot.waitUntil(lambda: len(stage.opened) == 4)
    assert stage.opened[-1][0].preset == "fast"


def test_a_camera_can_be_typed(window: MainWindow, qtbot: QtBot, stage: Stage) -> None:
    """A file or an address that is in no list."""
    window.panel.camera.setEditText("rtsp://somewhere")
    window.start()
    qtbot.waitUntil(lambda: bool(stage.opened))
    assert stage.opened[-1][1].camera == "rtsp://somewhere"


def test_coverage_and_tone_change_the_run_that_is_on(qtbot: QtBot, running: MainWindow, stage: Stage) -> None:
    """Between two frames, without a new run; steps as users count them."""
    panel = running.panel
    panel.coverage.setCurrentIndex(panel.coverage.findData("box"))
    panel.tone.setCurrentIndex(panel.tone.findData("2"))
    panel.tone.activated.emit(0)
    qtbot.waitUntil(lambda: stage.renderer.coverage == "box" and stage.renderer.tone == 4)
    assert len(stage.opened) == 1
    panel.tone.setCurrentIndex(panel.tone.findData("auto"))
    panel.tone.activated.emit(0)
    qtbot.waitUntil(lambda: stage.renderer.tone is None)


def test_new_identity_and_the_picker_change_personas(qtbot: QtBot, running: MainWindow, stage: Stage) -> None:
    """Every press another drawer; a portrait chosen is the one worn."""
    before = stage.renderer.draw_persona
    QTest.mouseClick(running.panel.identity, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.renderer.draw_persona is not before)
    picker = running.panel.personas
    assert not picker.buttons[0].isEnabled()
    QTest.mouseClick(running.panel.others, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(button.isEnabled() for button in picker.buttons))
    assert not picker.buttons[3].icon().isNull()
    picked: list[Any] = []
    picker.picked.connect(picked.append)
    picker.buttons[3].click()
    qtbot.waitUntil(lambda: bool(picked) and stage.renderer.draw_persona is picked[0])


def test_mirror_turns_the_preview_and_not_the_output(qtbot: QtBot, running: MainWindow, stage: Stage) -> None:
    """What is sent stays as it is."""
    running.panel.mirror.click()
    assert running.picture.mirrored
    image = np.zeros((90, 160, 3), np.uint8)
    image[:, :80] = 255
    running.runner.stop()
    for mirrored, bright_left in ((False, True), (True, False)):
        running.picture.mirrored = mirrored
        running.picture.show_rgb(image)
        grab = running.picture.grab().toImage()
        left, right = (grab.pixelColor(int(grab.width() * share), grab.height() // 2).red() for share in (0.2, 0.8))
        assert (left > right) == bright_left
    assert {int(frame.rgb.max()) for _, frame in stage.output.sent if frame.verdict is Verdict.REPLACED} == {GREY}


def test_comparing_is_off_until_allowed_and_shows_the_raw_picture_only_while_held(
    qtbot: QtBot, running: MainWindow, stage: Stage
) -> None:
    """And never touches the output."""
    panel = running.panel
    assert not panel.compare.isEnabled()
    running._compare(True)
    assert running.runner.raw(False) is None
    assert not running._comparing
    panel.may_compare.click()
    QTest.mousePress(panel.compare, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: running.picture.shown is not None and int(running.picture.shown.max()) > GREY)
    QTest.mouseRelease(panel.compare, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: running.picture.shown is not None and int(running.picture.shown.max()) == GREY)
    assert stage.output.brightest() == GREY
    panel.may_compare.click()
    assert not panel.compare.isEnabled()


def test_figures_and_graph_fill(qtbot: QtBot, running: MainWindow) -> None:
    """Frames a second, latency, drops; a graph that can be painted."""
    qtbot.waitUntil(lambda: len(running.graph.samples) >= 2)
    assert "frames a second" in running.numbers.text()
    assert "dropped" in running.numbers.text()
    assert not running.graph.grab().toImage().isNull()


def test_what_cannot_be_opened_is_said_in_the_window(qtbot: QtBot, window: MainWindow, stage: Stage) -> None:
    """The error's own sentence; the button is ready for another try."""
    stage.error = CameraError("the camera is busy; end the other program")
    window.start()
    qtbot.waitUntil(lambda: "busy" in window.sentence.text())
    assert window.go.text() == "St&art"
    stage.error = ZeroDivisionError("secret")
    window.start()
    qtbot.waitUntil(lambda: "mistake" in window.sentence.text())
    assert "secret" not in window.sentence.text()


def test_closing_the_window_ends_the_run_blank(running: MainWindow, stage: Stage) -> None:
    """Nothing runs on behind a closed window."""
    running.close()
    assert not running.runner.running
    assert stage.output.closed == [True]
    assert stage.output.verdicts[-1] is Verdict.BLANKED
    assert running.runner.state is LiveState.STOPPED


def test_the_shutter_is_first_and_everything_is_reached_by_tab(qtbot: QtBot, window: MainWindow) -> None:
    """A keyboard is enough, and every control has a name for screen readers."""
    assert window.focusWidget() is window.shutter
    seen: list[QWidget] = []
    widget: QWidget | None = window.shutter
    while widget is not None:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
            seen.append(widget)
        widget = widget.nextInFocusChain()
        if widget is window.shutter:
            break
    panel = window.panel
    wanted = (window.go, panel.camera, panel.output, panel.preset, panel.coverage, panel.tone, panel.identity)
    assert all(each in seen for each in (*wanted, panel.others, panel.mirror, panel.may_compare))
    for each in seen:
        assert each.accessibleName() or getattr(each, "text", lambda: "")() or each.parentWidget() is panel.camera


def test_the_windows_sink_takes_safe_frames_only(qtbot: QtBot) -> None:
    """As every sink."""
    with pytest.raises(TypeError, match="SafeFrame"):
        WindowSink().send(object())  # type: ignore[arg-type]
