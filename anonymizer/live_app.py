"""The composition root of `live`: builds camera, planner, renderer and outputs from the choices, and runs them."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anonymizer.app import build_anonymizer
from anonymizer.generate.every_other import EveryOther
from anonymizer.live import process
from anonymizer.live.adapt import Ladder
from anonymizer.live.choices import LiveChoices
from anonymizer.live.metrics import LiveFigures
from anonymizer.live.session import LiveParts, LiveSession
from anonymizer.live.shared import LiveOptions, OnEvent
from anonymizer.live.sinks import EverySink
from anonymizer.live.states import LiveEvent, LiveState
from anonymizer.live_edges import open_camera, open_output
from anonymizer.perceive.finder import FinderSettings
from anonymizer.perceive.live import LivePlanner
from anonymizer.perceive.live_finder import LiveBudget, LiveFinder
from anonymizer.perceive.person import PersonMasker
from anonymizer.persona.face_model import load_face_model
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import Settings
from anonymizer.stages import FrameSink
from anonymizer.warm import grey_frame, warm_renderer

# CenterFace's view of the frame, beside the rest: 20 ms at 480 px, 28 at 640, 44 at 960 (one thread)
LIVE_SIDE_PX: Mapping[str, int] = {"fast": 480, "balanced": 640, "quality": 640}
# Of the fast detector, which here runs alone for up to 200 ms: at .5 it takes folds and furniture for faces
LIVE_FULL_RANGE_SCORE = 0.6
SWITCH_S = 0.001  # a thread busy in Python gives way so soon; the usual 5 ms are a sixth of a frame
SETTLED_S = 5.0  # memory is compared from then on


@dataclass(frozen=True, slots=True)
class LiveReport:
    """A run that ended as asked. cpu_cores: processor seconds a second. rss_start_mb, rss_end_mb: resident memory after
    SETTLED_S and at the end. start_s: from the call to the first frame whose faces were replaced. left_behind: threads
    that did not end.
    """

    figures: LiveFigures
    distinct_per_s: float
    replaced_share: float
    cpu_cores: float
    rss_start_mb: float
    rss_end_mb: float
    start_s: float | None
    left_behind: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Live:
    """A run that is ready to start. renderer: change it only through `session.between_frames`."""

    session: LiveSession
    renderer: Anonymizer
    size_px: tuple[int, int]


def run_live(settings: Settings, choices: LiveChoices, on_event: OnEvent, ended: Callable[[], bool]) -> LiveReport:
    """Run until the source ends, `choices.seconds` are over, or `ended`, which is asked ten times a second, says so.

    Raises what ended the run otherwise: CameraError, SinkError, FramesFailedError, WeightsError.
    """
    called_s = time.monotonic()
    session = prepared(settings, choices, on_event).session
    ready_s = time.monotonic()
    session.start()
    meter = process.Meter()
    try:
        while not session.wait(0.1) and not ended():
            meter.look(settled=time.monotonic() - ready_s > SETTLED_S)
            if choices.seconds is not None and time.monotonic() - ready_s >= choices.seconds:
                break
        figures, cores, rss_end_mb = session.figures(), meter.cpu_cores(), process.rss_mb()
    finally:
        left = session.stop()
        gc.unfreeze()
    if session.error is not None:
        raise session.error
    first_s = figures.first_replaced_s
    return LiveReport(
        figures=figures,
        distinct_per_s=figures.distinct_per_s,
        replaced_share=figures.replaced_share,
        cpu_cores=cores,
        rss_start_mb=meter.rss_start_mb,
        rss_end_mb=rss_end_mb,
        start_s=None if first_s is None else first_s + ready_s - called_s,
        left_behind=tuple(left),
    )


def prepared(
    settings: Settings, choices: LiveChoices, on_event: OnEvent, extra_sinks: tuple[FrameSink, ...] = ()
) -> Live:
    """Everything opened, loaded and warmed up, not yet started. extra_sinks: such as a window, beside the output."""
    process.forbid_core_dumps()
    process.share_heaps()
    sys.setswitchinterval(SWITCH_S)
    source, open_again = open_camera(choices)
    try:
        renderer, planner = build_anonymizer(settings), build_planner(settings)
        warm_up(renderer, planner, source.size_px)
        sinks = [*open_output(choices, source.size_px), *extra_sinks]
    except BaseException:
        source.close()
        raise
    options = LiveOptions(source.size_px, choices.fps_hz, choices.max_age_s)
    parts = LiveParts(source, open_again, planner, renderer, sinks[0] if len(sinks) == 1 else EverySink(sinks))
    session = LiveSession(parts, options, on_event, ladder(renderer, choices.fps_hz, on_event))
    gc.collect()
    gc.freeze()  # what is loaded stays; collections look at little and stay short
    return Live(session, renderer, source.size_px)


def build_planner(settings: Settings) -> LivePlanner:
    """Detectors and masks with one thread each: the stages run beside each other already."""
    strict = settings.preset == "strict"
    finder = FinderSettings(
        side_px=LIVE_SIDE_PX.get(settings.preset, settings.detector.long_side_px),
        threads=1,
        min_score=settings.detector.min_confidence,
        full_range_score=LIVE_FULL_RANGE_SCORE,
        presence=settings.landmarks.min_confidence,
        agreed=strict,
    )
    eyes = LiveFinder(finder, LiveBudget(every_frame=strict))
    return LivePlanner(eyes, PersonMasker(), load_face_model(), believe_all=strict)


def warm_up(renderer: Anonymizer, planner: LivePlanner, size_px: tuple[int, int]) -> None:
    """One grey frame through everything, so that the first real one does not wait for caches and compilers."""
    planner.warm_up(grey_frame(size_px))
    warm_renderer(renderer, size_px)


def ladder(renderer: Anonymizer, fps_hz: float, on_event: OnEvent) -> Ladder:
    """From the network on every frame down to every second one, before any frame is given up."""
    best = renderer.generator
    cheaper = EveryOther(best)

    def use_best() -> None:
        renderer.generator = best

    def use_cheaper() -> None:
        renderer.generator = cheaper

    steps = [("every frame", use_best), ("every second frame", use_cheaper)]
    return Ladder(steps, 1e3 / fps_hz, lambda words: on_event(LiveEvent(0.0, LiveState.COVERED, words)))


__all__ = ["Live", "LiveReport", "build_planner", "prepared", "run_live"]
