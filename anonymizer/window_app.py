"""The composition root of the windows: PySide6's with everything, or OpenCV's plain one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anonymizer.app import persona_drawer
from anonymizer.devices.listing import has_module, list_devices
from anonymizer.errors import SinkError
from anonymizer.frames import RgbImage
from anonymizer.live.choices import DEFAULT_SIZE_PX, LiveChoices
from anonymizer.live.shared import OnEvent
from anonymizer.live_edges import ON_DEVICE
from anonymizer.pipeline import DrawPersona
from anonymizer.settings import Settings

if TYPE_CHECKING:
    from anonymizer.window.main import MainWindow

CHECK_MS = 100
QT_PROBE = "from PySide6.QtWidgets import QApplication; QApplication([])"
FIRST_TONE = 3  # of the portraits in the picker, 1 lightest to 6 darkest, when the tone is auto

Choose = Callable[[Mapping[str, Any]], Settings]
"""preset, coverage and tone as the window has them -> the settings they make with all the others."""


def run_window(choose: Choose, choices: LiveChoices, say: Callable[[str], None], ended: Callable[[], bool]) -> int:
    """Open the window, run until it is closed or `ended` says so; the exit code. SinkError without a display.

    choices.output: `window` or `both`. say: for words on the way.
    """
    from anonymizer.adapters.highgui_window import check_display

    inner = replace(choices, output="virtual" if choices.output == "both" else "none")
    if not has_module("PySide6"):
        say("PySide6 is not installed, so this is OpenCV's plain window; `pip install 'anonymizer[window]'` for more")
        return _run_plain(choose({}), inner, say, ended)
    check_display(QT_PROBE)
    return _run_qt(choose, inner, ended)


def main_window(choose: Choose, choices: LiveChoices) -> MainWindow:
    """The window over this machine's devices, not shown yet. A QApplication must be there."""
    from anonymizer.live_app import prepared
    from anonymizer.window.main import MainWindow

    devices = list_devices()
    cameras = [(f"{each.name}  [{each.place}]", each.place) for each in devices.cameras]
    if choices.camera not in [place for _, place in cameras]:
        cameras.insert(0, (choices.camera, choices.camera))
    outputs = [("window only", "none")]
    outputs += [(f"{each.name}  [{each.place}]", ON_DEVICE + each.place) for each in devices.virtual_cameras]
    if choices.output == "virtual":
        outputs.insert(0, ("the virtual camera", "virtual"))
    settings = choose({})
    fresh = without_key(settings)
    return MainWindow(
        prepare=prepared,
        choose=choose,
        choices=choices,
        cameras=cameras,
        outputs=outputs,
        offer=lambda: _offer(fresh),
        new_drawer=lambda: persona_drawer(fresh),
        chosen={"preset": settings.preset, "coverage": settings.coverage, "tone": str(settings.tone)},
    )


def without_key(settings: Settings) -> Settings:
    """The same settings with a new secret at each start: a new identity must not come from the key file."""
    import msgspec

    return msgspec.structs.replace(settings, persona_key=None)


def _offer(settings: Settings) -> tuple[DrawPersona, RgbImage]:
    from anonymizer.persona.face_model import load_face_model
    from anonymizer.sheet import portrait

    drawer = persona_drawer(settings)
    step = 6 - (FIRST_TONE if settings.tone == "auto" else int(settings.tone))
    return drawer, portrait(drawer(0, step), load_face_model())


def _run_qt(choose: Choose, choices: LiveChoices, ended: Callable[[], bool]) -> int:
    import cv2  # its Qt paths are set when it is imported, and would break the other Qt  # noqa: F401

    from anonymizer import quiet

    quiet.forget_cv2_qt_paths()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["anonymizer"])
    window = main_window(choose, choices)
    window.resize(1180, 700)
    window.show()
    window.start()
    window.panel.personas.deal()
    timer = QTimer()
    timer.timeout.connect(lambda: window.close() if ended() else None)
    timer.start(CHECK_MS)
    if choices.seconds is not None:
        QTimer.singleShot(int(choices.seconds * 1000), window.close)
    return int(application.exec())


def _run_plain(settings: Settings, choices: LiveChoices, say: Callable[[str], None], ended: Callable[[], bool]) -> int:
    from anonymizer.adapters.highgui_window import HighguiWindow
    from anonymizer.live_app import prepared

    window = HighguiWindow(choices.size_px or DEFAULT_SIZE_PX)
    on_event: OnEvent = lambda event: say(event.line())  # noqa: E731
    session = prepared(settings, choices, on_event, (window,)).session
    session.start()
    try:
        while session.running and not ended():
            key = window.pump()
            if key == "q":
                break
            if key == "s":
                session.shut(not session.is_shut)
    finally:
        left = session.stop()
        window.destroy()
    if session.error is not None:
        raise session.error
    if left:
        raise SinkError(f"these parts did not end: {', '.join(left)}")
    return 0


__all__ = ["main_window", "run_window"]
