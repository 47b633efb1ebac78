"""Two passes over a clip with the whole of it known between them; no pixel is kept from one to the other.

Pass `look` shows every frame to the observer; pass `render` reads the clip again and sends what the
renderer makes of each frame. Fails closed: a frame without a plan, at another time than the plan's, or
whose rendering fails leaves blank, never raw.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from anonymizer.errors import InputError
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.handover import read_ahead, write_behind
from anonymizer.progress import PassName, Progress, progress_after
from anonymizer.stages import FrameSink, FrameSource

OnProgress = Callable[[Progress], None]
Plans = Sequence[tuple[PlannedFace, ...] | None]


class ClipObserver(Protocol):
    """Looks at a whole clip and then says what is in each of its frames."""

    def observe(self, frame: Frame) -> None:
        """Called once for every frame, in order. May raise: then nothing is written."""

    def plan(self) -> Plans:
        """One entry a frame, after the last. () = no face is there; None = unknown, so it is blanked."""


class FrameRenderer(Protocol):
    """Makes frames safe. Neither method may raise; if `render` does, `blank` is sent."""

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame: ...
    def blank(self, frame: Frame) -> SafeFrame: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the first pass found: the time of every frame, and plans for them, perhaps fewer."""

    times_s: Sequence[float]
    plans: Plans


@dataclass(frozen=True, slots=True)
class StageSeconds:
    """Wall time of each stage over both passes; decoding and encoding run beside the others."""

    decode_s: float
    observe_s: float
    render_s: float
    encode_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class PassCounts:
    """What two passes over a clip did. failures: frames blanked because rendering failed; first_failure says why."""

    frames: int
    verdicts: Mapping[Verdict, int]
    seconds: StageSeconds
    failures: int
    first_failure: str | None


class TwoPasses:
    """One run of both passes over any source and sink; made anew for each clip."""

    def __init__(
        self,
        observer: ClipObserver,
        renderer: FrameRenderer,
        queue_frames: int = 3,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._observer, self._renderer = observer, renderer
        self._queue_frames = queue_frames
        self._on_progress = on_progress
        self._watch = _Stopwatch()
        self._verdicts: Counter[Verdict] = Counter()
        self._failures: list[str] = []
        self._started_s = time.perf_counter()

    def run(
        self, first: FrameSource, read_again: Callable[[], FrameSource], sink: FrameSink, estimate: int | None = None
    ) -> PassCounts:
        """Closes `first`, what `read_again` gives and `sink`, however it ends.

        estimate: frames, for the first pass's progress. Raises what the source, the sink and the observer raise.
        """
        try:
            seen = self.look(first, estimate)
            again = read_again()
        except BaseException:
            sink.close(ok=False)
            raise
        return self.render(seen, again, sink)

    def look(self, first: FrameSource, estimate: int | None = None) -> Seen:
        """The first pass alone. Closes `first`, however it ends."""
        times_s = self._look(first, estimate)
        with self._watch.of("observe"):
            plans = self._observer.plan()
        if len(plans) > len(times_s):
            raise ValueError(f"expected plans for {len(times_s)} frames, got {len(plans)}")
        return Seen(times_s, plans)

    def render(self, seen: Seen, again: FrameSource, sink: FrameSink, start: int = 0) -> PassCounts:
        """The second pass alone, from frame `start` on, which `again` gives first. Closes `again` and `sink`."""
        with write_behind(_TimedSink(sink, self._watch), self._queue_frames) as send:
            frames = self._render(again, seen, send, start)
        return PassCounts(
            frames=frames,
            verdicts={verdict: self._verdicts[verdict] for verdict in Verdict},
            seconds=self._watch.stages(total_s=time.perf_counter() - self._started_s),
            failures=len(self._failures),
            first_failure=self._failures[0] if self._failures else None,
        )

    def _look(self, source: FrameSource, estimate: int | None) -> list[float]:
        """Show every frame to the observer; gives their times."""
        started_s = time.perf_counter()
        times_s: list[float] = []
        with read_ahead(_TimedSource(source, self._watch), self._queue_frames) as frames:
            for frame in frames:
                with self._watch.of("observe"):
                    self._observer.observe(frame)
                times_s.append(frame.captured_at_s)
                self._tell("look", len(times_s), estimate, started_s)
        return times_s

    def _render(self, source: FrameSource, seen: Seen, send: Callable[[SafeFrame], None], start: int) -> int:
        """Send every frame from `start` on, safe; gives how many there are in all."""
        started_s, done, times_s = time.perf_counter(), start, seen.times_s
        with read_ahead(_TimedSource(source, self._watch), self._queue_frames) as frames:
            for frame in frames:
                with self._watch.of("render"):
                    safe, failure = self._safe(frame, done, seen)
                if failure:
                    self._failures.append(failure)
                send(safe)
                self._verdicts[safe.verdict] += 1
                done += 1
                self._tell("render", done, len(times_s), started_s)
        if done < len(times_s):
            raise InputError(f"the video had {len(times_s)} frames at first, {done} later; was it changed? try again")
        return done

    def _safe(self, frame: Frame, position: int, seen: Seen) -> tuple[SafeFrame, str | None]:
        planned = position < len(seen.plans)  # never more than times
        if not planned or seen.times_s[position] != frame.captured_at_s:
            return blank(frame, self._renderer), f"no plan for the frame at {frame.captured_at_s:.3f} s"
        return render_or_blank(frame, seen.plans[position], self._renderer)

    def _tell(self, pass_name: PassName, done: int, total: int | None, started_s: float) -> None:
        if self._on_progress is not None:
            self._on_progress(progress_after(pass_name, done, total, time.perf_counter() - started_s))


def render_or_blank(
    frame: Frame, faces: tuple[PlannedFace, ...] | None, renderer: FrameRenderer
) -> tuple[SafeFrame, str | None]:
    """The rendered frame, or a blank one when `faces` is unknown or rendering fails; and why it failed."""
    if faces is None:
        return blank(frame, renderer), None
    try:
        safe = renderer.render(frame, faces)
        _check_answer(safe, frame)
    except Exception as error:  # noqa: BLE001  fail closed: whatever went wrong, the frame is blanked
        return blank(frame, renderer), in_words(error)
    return safe, None


def blank(frame: Frame, renderer: FrameRenderer) -> SafeFrame:
    """The renderer's blank frame, checked."""
    safe = renderer.blank(frame)
    _check_answer(safe, frame)
    if safe.verdict is not Verdict.BLANKED:
        raise ValueError(f"expected a blank frame, got one with verdict {safe.verdict.value!r}")
    return safe


def _check_answer(safe: SafeFrame, frame: Frame) -> None:
    """A renderer must answer for the frame it was given, in that frame's size."""
    if not isinstance(safe, SafeFrame):
        raise TypeError(f"expected a SafeFrame, got {type(safe).__name__}")
    if (safe.source_index, safe.captured_at_s) != (frame.index, frame.captured_at_s):
        raise ValueError(f"expected frame {frame.index}, got frame {safe.source_index}")
    if safe.rgb.shape != frame.rgb.shape:
        raise ValueError(f"expected shape {frame.rgb.shape}, got {safe.rgb.shape}")


def in_words(error: Exception) -> str:
    """The error's kind and message, for reports."""
    return f"{type(error).__name__}: {error}"


class _Stopwatch:
    """Sums up wall time by stage; each stage is timed by one thread at a time."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        started_s = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - started_s

    def stages(self, total_s: float) -> StageSeconds:
        spent = self._seconds
        return StageSeconds(spent["decode"], spent["observe"], spent["render"], spent["encode"], total_s)


class _TimedSource:
    def __init__(self, source: FrameSource, watch: _Stopwatch) -> None:
        self._source, self._watch = source, watch

    @property
    def size_px(self) -> tuple[int, int]:
        return self._source.size_px

    @property
    def fps_hz(self) -> float:
        return self._source.fps_hz

    def read(self) -> Frame | None:
        with self._watch.of("decode"):
            return self._source.read()

    def close(self) -> None:
        self._source.close()


class _TimedSink:
    def __init__(self, sink: FrameSink, watch: _Stopwatch) -> None:
        self._sink, self._watch = sink, watch

    def send(self, frame: SafeFrame) -> None:
        with self._watch.of("encode"):
            self._sink.send(frame)

    def close(self, ok: bool) -> None:
        with self._watch.of("encode"):
            self._sink.close(ok)
