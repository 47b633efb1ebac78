"""How fast the whole way is on this machine: a clip through it with every preset and back end, one after the other,
beside a reference in the same run.

The reference is what face blurring tools do: CenterFace over the frame at 640 px, and a box blur; it decodes and writes
nothing, which is in its favour. Stages overlap (decoding, looking ahead and encoding have threads of their own), so
their times do not add up to the end-to-end time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.faces import FaceCrop, PlannedFace, SyntheticFace
from anonymizer.frames import Frame, RgbImage, SafeFrame
from anonymizer.offline import VideoOptions, anonymize_video
from anonymizer.perceive.centerface import CenterFace
from anonymizer.perceive.clip import ClipPlanner
from anonymizer.pipeline import Anonymizer
from anonymizer.stages import FaceGenerator
from anonymizer.two_passes import Plans

REFERENCE = "reference: CenterFace and blur"
PERCENTILES = (50, 95, 99)


@dataclass(slots=True)
class Watch:
    """Milliseconds of every call, by stage."""

    ms: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, stage: str, call: Callable[[], Any]) -> Any:
        started_s = time.perf_counter()
        result = call()
        self.ms.setdefault(stage, []).append(1000 * (time.perf_counter() - started_s))
        return result

    def rows(self, frames: int) -> list[dict[str, Any]]:
        """p50, p95, p99 of one call, and what a frame spends there."""
        return [
            {
                "stage": stage,
                "calls": len(ms),
                **{f"p{p}_ms": float(np.percentile(ms, p)) for p in PERCENTILES},
                "ms_a_frame": float(np.sum(ms)) / max(1, frames),
            }
            for stage, ms in self.ms.items()
        ]


@dataclass(slots=True)
class TimedGenerator:
    inner: FaceGenerator
    watch: Watch

    @property
    def size_px(self) -> int:
        return self.inner.size_px

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        answers: tuple[SyntheticFace, ...] = self.watch.timed("generate", lambda: self.inner.generate(crops))
        return answers


@dataclass(slots=True)
class TimedObserver:
    inner: ClipPlanner
    watch: Watch

    def observe(self, frame: Frame) -> None:
        self.watch.timed("look", lambda: self.inner.observe(frame))

    def plan(self) -> Plans:
        plans: Plans = self.watch.timed("plan, once", self.inner.plan)
        return plans


class TimedAnonymizer(Anonymizer):
    """Notes what each frame takes."""

    watch: Watch

    @classmethod
    def of(cls, plain: Anonymizer, watch: Watch) -> TimedAnonymizer:
        """A fresh renderer of the same parts."""
        parts = {f.name: getattr(plain, f.name) for f in fields(plain) if not f.name.startswith("_")}
        timed = cls(**parts | {"generator": TimedGenerator(plain.generator, watch)})
        timed.watch = watch
        return timed

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        safe: SafeFrame = self.watch.timed("render", lambda: Anonymizer.render(self, frame, faces))
        return safe


@dataclass(frozen=True, slots=True)
class Run:
    """What one clip through one set-up took. frames_a_second: distinct source frames, from the first read to the last
    write. cpu_s_a_frame: of all threads. peak_mb: of the process so far, so it only rises from run to run."""

    name: str
    frames: int
    seconds: float
    cpu_s_a_frame: float
    peak_mb: float | None
    verdicts: Mapping[str, int]
    stages: list[dict[str, Any]]

    @property
    def frames_a_second(self) -> float:
        return self.frames / self.seconds if self.seconds > 0 else 0.0


def run_clip(
    name: str, source: Path, anonymizer: Anonymizer, make_planner: Callable[[], ClipPlanner], options: VideoOptions
) -> Run:
    """One clip through the whole way; what is written is thrown away."""
    watch, cpu_s = Watch(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="anonymizer-") as folder:
        planner, timed = TimedObserver(make_planner(), watch), TimedAnonymizer.of(anonymizer, watch)
        report = anonymize_video(source, Path(folder) / "out.mp4", planner, timed, options)
    spent_s, frames = time.process_time() - cpu_s, report.frames
    stages = watch.rows(frames)
    for stage, seconds in (("decode, both passes", report.seconds.decode_s), ("encode", report.seconds.encode_s)):
        stages.append({"stage": stage, "calls": frames, "ms_a_frame": 1000 * seconds / max(1, frames)})
    verdicts = {verdict.value: count for verdict, count in report.verdicts.items() if count}
    return Run(name, frames, report.seconds.total_s, spent_s / max(1, frames), peak_mb(), verdicts, stages)


def run_reference(source: Path, threads: int) -> Run:
    """CenterFace at 640 px and a box blur of each face."""
    detector, watch = CenterFace(threads), Watch()
    started_s, cpu_s, frames = time.perf_counter(), time.process_time(), 0
    for frame in _frames(source):
        watch.timed("detect and blur", partial(_blurred, frame, detector))
        frames += 1
    seconds, spent_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    return Run(REFERENCE, frames, seconds, spent_s / max(1, frames), peak_mb(), {}, watch.rows(frames))


def _blurred(frame: Frame, detector: CenterFace) -> RgbImage:
    out = frame.rgb.copy()
    height, width = out.shape[:2]
    for found in detector.detect(frame.rgb, 640, 0.3):
        box = found.box.scaled(1.3)
        rows = slice(max(0, int(box.y0)), min(height, int(box.y1)))
        columns = slice(max(0, int(box.x0)), min(width, int(box.x1)))
        side = max(1, round(box.width / 4))
        if out[rows, columns].size:
            out[rows, columns] = cv2.blur(out[rows, columns], (side, side))
    return out


def _frames(source: Path) -> Iterator[Frame]:
    reader = VideoReader(source, 1, exact_colour=False)
    try:
        while (frame := reader.read()) is not None:
            yield frame
    finally:
        reader.close()


def peak_mb() -> float | None:
    """The most memory this process has had; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
