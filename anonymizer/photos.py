"""Anonymizes one photo file: a single picture, the pages of a TIFF, or an animation in two passes.

The target appears complete or not at all, and the source is never touched. What fails leaves blank.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.adapters.image_reader import PhotoReader
from anonymizer.adapters.image_writer import ANIMATED_FORMATS, PAGED_FORMATS, Page, check_image_name, write_photo
from anonymizer.adapters.safe_write import check_target, safe_target
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame, SafeFrame, Verdict
from anonymizer.refusals import refused
from anonymizer.signing import Sign, check_signable
from anonymizer.stills.still import Alpha, StillWriting
from anonymizer.two_passes import ClipObserver, FrameRenderer, TwoPasses, in_words, render_or_blank

_WORST_FIRST = (Verdict.BLANKED, Verdict.OBSCURED, Verdict.REPLACED, Verdict.NO_FACE)
_FALLBACK_MS = 100  # of a frame that says 0, as browsers show it


@dataclass(frozen=True, slots=True)
class PhotoOptions:
    """mark: write the digital source type where faces were replaced. keep_dates: when it was taken, and the file's
    own time. sign: what signs the finished file, if anything.
    """

    overwrite: bool = False
    mark: bool = True
    keep_dates: bool = False
    sign: Sign | None = None


@dataclass(frozen=True, slots=True)
class PhotoStages:
    """What sees and paints. plan: of a single picture. watch: makes an observer for an animation of so many frames a
    second. renew: called before each page, which is a picture of its own."""

    plan: Callable[[Frame], tuple[PlannedFace, ...]]
    watch: Callable[[float], ClipObserver]
    renderer: FrameRenderer
    renew: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What was written of one photo. verdict: the worst of its pages. failure: why one was blanked, if a stage failed.
    marked: whether it says that it was changed."""

    output: Path
    size_px: tuple[int, int]
    verdict: Verdict
    faces: int
    seconds: float
    failure: str | None
    pages: int = 1
    marked: bool = False


def anonymize_image(
    source: Path, target: Path, stages: PhotoStages, options: PhotoOptions | None = None
) -> ImageReport:
    """Write the photo `source` without its faces to `target`. Raises InputError and SinkError.

    When planning or rendering fails a blank picture is written, and the report says why.
    """
    options, started_s = options or PhotoOptions(), time.perf_counter()
    kind = check_image_name(target)
    check_target(target, [source], options.overwrite)
    if options.sign is not None:
        check_signable(target)
    tally = _Tally()
    with PhotoReader(source) as photo:
        _check_kind(photo, source, target, kind)
        writing = StillWriting(options.mark, photo.dates() if options.keep_dates else None, photo.loop)
        with safe_target(target, [source], options.overwrite) as part:
            pages = _animation(photo, stages, tally) if photo.animated else _pages(photo, stages, tally)
            write_photo(part, tally.counted(pages), writing)
            _finish(part, source, options)
    return ImageReport(
        output=target,
        size_px=tally.size_px,
        verdict=next(verdict for verdict in _WORST_FIRST if verdict in tally.verdicts),
        faces=tally.faces,
        seconds=time.perf_counter() - started_s,
        failure=tally.failure,
        pages=tally.pages,
        marked=options.mark and tally.faces > 0 and kind != "BMP",
    )


def _check_kind(photo: PhotoReader, source: Path, target: Path, kind: str) -> None:
    if photo.animated and kind not in ANIMATED_FORMATS:
        raise refused("photo-animated", path=source, suffix=target.suffix)
    if photo.pages > 1 and not photo.animated and kind not in PAGED_FORMATS:
        raise refused("photo-pages", path=source, pages=photo.pages, suffix=target.suffix)


def _finish(part: Path, source: Path, options: PhotoOptions) -> None:
    if options.sign is not None:
        options.sign(part)
    if options.keep_dates:
        status = source.stat()
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))


@dataclass(slots=True)
class _Tally:
    """What has been written so far. failure: the first."""

    pages: int = 0
    faces: int = 0
    size_px: tuple[int, int] = (0, 0)
    verdicts: set[Verdict] = field(default_factory=set)
    failure: str | None = None

    def counted(self, pages: Iterable[Page]) -> Iterator[Page]:
        for page in pages:
            if self.pages == 0:
                self.size_px = (page.safe.rgb.shape[1], page.safe.rgb.shape[0])
            self.pages += 1
            self.faces += page.safe.faces
            self.verdicts.add(page.safe.verdict)
            yield page

    def note(self, failure: str | None) -> None:
        self.failure = self.failure or failure


def _pages(photo: PhotoReader, stages: PhotoStages, tally: _Tally) -> Iterator[Page]:
    """Each page as a picture of its own."""
    for number in range(photo.pages):
        still = photo.page(number)
        stages.renew()
        frame = Frame(still.rgb, number, float(number), still.depth)
        faces = None
        try:
            faces = stages.plan(frame)
        except Exception as error:  # noqa: BLE001  fail closed: whatever went wrong, the page is blanked
            tally.note(in_words(error))
        safe, failure = render_or_blank(frame, faces, stages.renderer)
        tally.note(failure)
        yield Page(safe, _alpha(safe, still.alpha), still.grey, 0, still.icc_profile)


def _alpha(safe: SafeFrame, alpha: Alpha | None) -> Alpha | None:
    return None if safe.verdict is Verdict.BLANKED else alpha  # an outline alone may show a person


def _animation(photo: PhotoReader, stages: PhotoStages, tally: _Tally) -> Iterator[Page]:
    """All frames, in two passes as a video has them, so that a face stays the same person."""
    stages.renew()
    first, again, sink = _Frames(photo), _Frames(photo), _Pages()
    counts = TwoPasses(stages.watch(first.fps_hz), stages.renderer).run(first, lambda: again, sink, photo.pages)
    tally.note(counts.first_failure)
    for safe, still in zip(sink.frames, again.beside, strict=True):
        yield Page(safe, _alpha(safe, still.alpha), still.grey, still.duration_ms, again.icc_profile)


@dataclass(frozen=True, slots=True, eq=False)
class _Beside:
    alpha: Alpha | None
    grey: bool
    duration_ms: int


class _Frames:
    """A FrameSource over an animation. beside: what each frame read has beside its picture."""

    def __init__(self, photo: PhotoReader) -> None:
        self._photo = photo
        self._number, self._at_ms = 0, 0
        self._waiting = photo.page(0)
        self.icc_profile = self._waiting.icc_profile
        self.beside: list[_Beside] = []

    @property
    def size_px(self) -> tuple[int, int]:
        return self._waiting.rgb.shape[1], self._waiting.rgb.shape[0]

    @property
    def fps_hz(self) -> float:
        return 1000 / (self._waiting.duration_ms or _FALLBACK_MS)

    def read(self) -> Frame | None:
        if self._number == self._photo.pages:
            return None
        still = self._photo.page(self._number) if self._number else self._waiting
        frame = Frame(still.rgb, self._number, self._at_ms / 1000)
        duration_ms = still.duration_ms or _FALLBACK_MS
        self.beside.append(_Beside(still.alpha, still.grey, duration_ms))
        self._number += 1
        self._at_ms += duration_ms
        return frame

    def close(self) -> None:
        """The photo is closed by whoever opened it."""


class _Pages:
    """A FrameSink that keeps what it is sent."""

    def __init__(self) -> None:
        self.frames: list[SafeFrame] = []

    def send(self, frame: SafeFrame) -> None:
        self.frames.append(frame)

    def close(self, ok: bool) -> None:
        if not ok:
            self.frames.clear()
