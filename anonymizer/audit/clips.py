"""Looks at a clip before and after, frame by frame: does the true face show anywhere, and what was kept of it?

Every frame in which a face is found in BEFORE is checked for leaks. Costlier questions are put to some frames only,
spread evenly. Main thread: BEFORE. A second one: AFTER. Two more read the files ahead. No picture outlives its frame
but small cut-outs of AFTER where something leaked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.audit.clip_samples import Sample, Samples
from anonymizer.audit.detail import FaceShine, shine_through
from anonymizer.audit.findings import of_face
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.seen import OtherDetector, Seen, as_seen, audit_finder, box_of
from anonymizer.errors import InputError
from anonymizer.frames import Frame, RgbImage
from anonymizer.handover import read_ahead
from anonymizer.perceive.cuts import CutDetector
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.landmarks import Landmarker

WITNESS_EVERY = 15  # frames between two looks of the product's second detector
OTHER_EVERY = 30  # the same of dlib's detector, which is no part of the product
LEAST_FACE_PX = 48.0
KEPT_SAMPLES = 1500  # frames at most whose expression and pose are compared
THUMBNAILS = 12
QUEUE_FRAMES = 4

OnFrame = Callable[[int, "int | None"], None]


@dataclass(slots=True)
class FrameFacts:
    """One frame of BEFORE with faces in it. shines: of each face of LEAST_FACE_PX or more, largest first."""

    index: int
    at_s: float
    shines: list[FaceShine]


@dataclass(slots=True)
class ClipLooked:
    """frames, frames_after: how many each file has. missed: faces that only dlib's detector saw in BEFORE."""

    fps_hz: float
    frames: int = 0
    frames_after: int = 0
    facts: list[FrameFacts] = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)
    thumbnails: list[tuple[RgbImage, str]] = field(default_factory=list)
    other_looks: int = 0
    other_faces: int = 0
    missed: int = 0


def look_at_clip(before: Path, after: Path, recogniser: Recogniser, on_frame: OnFrame = lambda *_: None) -> ClipLooked:
    """Raises InputError when the files cannot be read or are of different shapes."""
    readers = [VideoReader(path, 1, exact_colour=False) for path in (before, after)]
    info = readers[0].info
    if readers[1].info.size_px != info.size_px:
        for reader in readers:
            reader.close()
        raise InputError(f"{after} is {readers[1].info.size_px} px, its BEFORE {info.size_px}; give uncropped clips")
    looked = ClipLooked(info.fps_hz)
    look = _Look(looked, recogniser, info.frame_estimate)
    with ExitStack() as stack:
        stack.enter_context(look)
        sources = [stack.enter_context(read_ahead(reader, QUEUE_FRAMES)) for reader in readers]
        for pair in _in_step(sources[0], sources[1], looked, 0.6 / info.fps_hz):
            look.at(*pair)
            on_frame(looked.frames, info.frame_estimate)
        look.finish()
    if not looked.facts:
        raise InputError(f"no face of {LEAST_FACE_PX:.0f} px or more was found in {before}; nothing to look for")
    return looked


def _in_step(
    before: Iterator[Frame], after: Iterator[Frame], looked: ClipLooked, near_s: float
) -> Iterator[tuple[Frame, Frame]]:
    """Frames of one moment; what only one file has is passed over and counted."""
    waiting: Frame | None = None
    for frame in before:
        looked.frames += 1
        while waiting is None or waiting.captured_at_s < frame.captured_at_s - near_s:
            waiting = next(after, None)
            if waiting is None:
                break
            looked.frames_after += 1
        if waiting is not None and waiting.captured_at_s <= frame.captured_at_s + near_s:
            yield frame, waiting
    looked.frames_after += sum(1 for _ in after)


class _Look:
    def __init__(self, looked: ClipLooked, recogniser: Recogniser, estimate: int | None) -> None:
        self._looked, self._recogniser = looked, recogniser
        self._finder, self._other = audit_finder(), OtherDetector()
        self._landmarker = Landmarker()
        self._cuts = CutDetector()
        self._beside = ThreadPoolExecutor(1, "after")
        self._asked: Future[None] | None = None
        frames = estimate or KEPT_SAMPLES
        self._kept_every = max(1, -(-frames // KEPT_SAMPLES))
        self._samples = Samples.spread_over(frames)
        looked.samples = self._samples

    def __enter__(self) -> _Look:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()
        self._finder.close()
        self._landmarker.close()

    def at(self, before: Frame, after: Frame) -> None:
        index = before.index
        if self._cuts.is_cut(before.rgb):
            self._finder.reset()
            self._samples.cut()
        faces = self._faces(before)
        self._wait()
        if faces:
            shines = [shine_through(before.rgb, after.rgb, face) for face in faces]
            self._looked.facts.append(FrameFacts(index, before.captured_at_s, shines))
            self._keep_thumbnail(after, faces, shines)
            self._asked = self._beside.submit(self._ask_after, before, after, faces[0])
        else:
            self._samples.cut()

    def finish(self) -> None:
        self._wait()
        self._samples.embed(self._recogniser)

    def _wait(self) -> None:
        if self._asked is not None:
            self._asked.result()
            self._asked = None

    def _faces(self, before: Frame) -> list[Seen]:
        found = self._finder.find_tracked(before, witness=before.index % WITNESS_EVERY == 0)
        faces = [seen for face in found if (seen := as_seen(face)) is not None]
        if before.index % OTHER_EVERY == 0:
            faces += self._missed_by_finder(before, faces)
        large = [face for face in faces if box_of(face).width >= LEAST_FACE_PX]
        return sorted(large, key=lambda face: -box_of(face).width)

    def _missed_by_finder(self, before: Frame, faces: list[Seen]) -> list[Seen]:
        """What only dlib's detector sees, with landmarks if there are any in its box."""
        looked, missed = self._looked, []
        boxes = self._other.boxes(before.rgb)
        looked.other_looks += 1
        looked.other_faces += len(boxes)
        for box in boxes:
            if any(same_face(box, box_of(face)) for face in faces):
                continue
            points = self._landmarker.at_box(before.rgb, box)
            if points is not None and points.presence >= 0.5:
                looked.missed += 1
                missed.append(Seen(points.landmarks_px, points.expression))
        return missed

    def _ask_after(self, before: Frame, after: Frame, raw: Seen) -> None:
        """What was kept, and pictures for the recogniser; runs beside the next frame's search."""
        index = before.index
        wanted = index % self._kept_every == 0 or self._samples.wants(index)
        if not wanted:
            return
        points = self._landmarker.at_landmarks(after.rgb, raw.landmarks_px)
        found = points is not None and points.presence >= 0.5
        seen = Seen(points.landmarks_px, points.expression) if points is not None and found else None
        self._samples.add(Sample.of(index, before.captured_at_s, raw, seen), index % self._kept_every == 0)
        self._samples.keep_chips(index, before.rgb, after.rgb, raw, seen, self._recogniser)

    def _keep_thumbnail(self, after: Frame, faces: list[Seen], shines: list[FaceShine]) -> None:
        kinds = [of_face(shine) for shine in shines]
        looked = self._looked
        for face, kind in zip(faces, kinds, strict=True):
            if kind is not None and len(looked.thumbnails) < THUMBNAILS:
                box = box_of(face).scaled(1.6)
                height, width = after.rgb.shape[:2]
                x0, x1 = (int(np.clip(v, 0, width)) for v in (box.x0, box.x1))
                y0, y1 = (int(np.clip(v, 0, height)) for v in (box.y0, box.y1))
                looked.thumbnails.append((after.rgb[y0:y1, x0:x1].copy(), f"frame {after.index}: {kind}"))
