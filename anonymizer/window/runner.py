"""Starts and stops live runs for the window, beside its event loop, and passes on what they tell."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from anonymizer.errors import AnonymizerError
from anonymizer.frames import RgbImage
from anonymizer.live.choices import LiveChoices
from anonymizer.live.metrics import LiveFigures
from anonymizer.live.session import LiveSession
from anonymizer.live.shared import OnEvent
from anonymizer.live.states import LiveState
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import Settings
from anonymizer.stages import FrameSink


class Prepared(Protocol):
    """A run that is ready to start; `anonymizer.live_app.Live` is one."""

    @property
    def session(self) -> LiveSession: ...
    @property
    def renderer(self) -> Anonymizer: ...


Prepare = Callable[[Settings, LiveChoices, OnEvent, tuple[FrameSink, ...]], Prepared]


class Runner(QObject):
    """One run at a time. started, failed(sentence) and ended(sentence, "" when asked for) come from other threads."""

    started = Signal()
    failed = Signal(str)
    ended = Signal(str)
    told = Signal(str)

    def __init__(self, prepare: Prepare) -> None:
        super().__init__()
        self._prepare = prepare
        self._live: Prepared | None = None
        self._lock = threading.Lock()
        self._busy: threading.Thread | None = None
        self._shut = False
        self._stop_wanted = threading.Event()

    @property
    def running(self) -> bool:
        return self._busy is not None and self._busy.is_alive()

    @property
    def state(self) -> LiveState:
        live = self._live
        return live.session.state if live is not None else LiveState.STOPPED

    @property
    def is_shut(self) -> bool:
        return self._shut

    def start(self, settings: Settings, choices: LiveChoices, sink: FrameSink) -> None:
        """Open, load and run in a thread of its own; nothing happens while a run is on."""
        if self.running:
            return
        self._stop_wanted.clear()
        self._busy = threading.Thread(target=self._run, args=(settings, choices, sink), name="run", daemon=True)
        self._busy.start()

    def stop(self, wait_s: float = 5.0) -> None:
        """End the run and wait for it; the output is left blank."""
        self._stop_wanted.set()
        if self._busy is not None:
            self._busy.join(wait_s)

    def shut(self, closed: bool) -> None:
        """The privacy shutter; it is kept from run to run."""
        self._shut = closed
        live = self._live
        if live is not None:
            live.session.shut(closed)

    def change(self, act: Callable[[Anonymizer], None]) -> None:
        """Change the renderer between two frames; nothing happens when no run is on."""
        live = self._live
        if live is not None:
            live.session.between_frames(lambda: act(live.renderer))

    def figures(self) -> LiveFigures | None:
        live = self._live
        return live.session.figures() if live is not None else None

    def raw(self, wanted: bool) -> RgbImage | None:
        """The newest raw picture while it is wanted, for comparing inside the window; never kept."""
        live = self._live
        return live.session.raw(wanted) if live is not None else None

    def _run(self, settings: Settings, choices: LiveChoices, sink: FrameSink) -> None:
        try:
            live = self._prepare(settings, choices, lambda event: self.told.emit(event.line()), (sink,))
        except AnonymizerError as error:
            self.failed.emit(str(error))
            return
        except Exception as error:  # noqa: BLE001  said in the window instead of being lost in a thread
            self.failed.emit(f"a mistake of the program ({type(error).__name__})")
            return
        session = live.session
        session.shut(self._shut)
        session.start()
        self._live = live
        session.shut(self._shut)  # it may have been closed meanwhile
        self.started.emit()
        while not self._stop_wanted.is_set() and not session.wait(0.1):
            pass
        left = session.stop()
        self._live = None
        words = str(session.error) if session.error is not None else ""
        if left:
            words += f" These parts did not end: {', '.join(left)}."
        self.ended.emit(words.strip())


def changed(choices: LiveChoices, **values: object) -> LiveChoices:
    """The choices with some of them replaced."""
    return dataclasses.replace(choices, **values)  # type: ignore[arg-type]


__all__ = ["Prepare", "Prepared", "Runner", "changed"]
