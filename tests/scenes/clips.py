"""Filmed clips through both passes of `anonymizer video`. Nobody knows their truth, so judges that are no part of the
product say where faces are in the raw frames: dlib's HOG detector with its five-point predictor, and now and then its
CNN, which sees faces from the side too. What they miss is not judged.

A pixel of a judged face's inner region that is not in the erased mask is a leak. Filmed frames have plain patches, and
a repainted pixel may meet its old value there by chance: such are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.audit.recognisers import packaged_dlib_models
from anonymizer.faces import Box
from anonymizer.frames import Frame, RgbImage, SafeFrame
from anonymizer.guard.coverage import oval_outline
from anonymizer.settings import Settings
from anonymizer.two_passes import TwoPasses
from tests.scenes.layers import TrueFace
from tests.scenes.leaks import Leak, LeakReport, outside_hole
from tests.scenes.run import Planned
from tests.scenes.scene import MadeFrame

POINTS_FILE = "shape_predictor_5_face_landmarks.dat"
CNN_FILE = "mmod_human_face_detector.dat"
HOG_SIDE_PX = 960  # faces of 80 px or more at that size
HOG_SCORE = 0.2  # letters on a pullover had .11 once, faces of three clips .28 and more
CNN_SIDE_PX = 640
CNN_CORE = 0.65  # of its box, the oval that holds eyes, nose and mouth
# Of a head: eyes' outer corners to the nose's base is 1 upwards; brows, mouth corners and lower lip along that
# direction, and half a mouth in eye spans (Farkas 1994, means of adults).
BROWS_UP, MOUTH_DOWN, LIP_DOWN, HALF_MOUTH = 0.3, 0.45, 0.75, 0.3


class Judges:
    """Faces of a raw frame, as its truth. cnn_every: frames."""

    def __init__(self, cnn_every: int = 15) -> None:
        import dlib

        models = packaged_dlib_models()
        self._dlib: Any = dlib
        self._hog: Any = dlib.get_frontal_face_detector()
        self._points: Any = dlib.shape_predictor(str(models / POINTS_FILE))
        self._cnn: Any = dlib.cnn_face_detection_model_v1(str(models / CNN_FILE))
        self._cnn_every = cnn_every

    def faces(self, frame: Frame) -> tuple[TrueFace, ...]:
        found = [self._region(frame.rgb, box) for box in self._boxes(frame.rgb, HOG_SIDE_PX, self._frontal)]
        if frame.index % self._cnn_every == 0:
            found += [_core(box) for box in self._boxes(frame.rgb, CNN_SIDE_PX, self._cnn)]
        return tuple(face for number, polygon in enumerate(found) if (face := _face(number, polygon, frame.rgb)))

    def _frontal(self, rgb: RgbImage, upsamplings: int) -> list[Any]:
        rects, scores, _ = self._hog.run(rgb, upsamplings, 0.0)
        return [rect for rect, score in zip(rects, scores, strict=True) if score >= HOG_SCORE]

    def _boxes(self, rgb: RgbImage, long_side_px: int, detect: Any) -> list[Box]:
        height, width = rgb.shape[:2]
        scale = long_side_px / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        rects = [getattr(each, "rect", each) for each in detect(np.ascontiguousarray(small), 0)]
        return [Box(*(v / scale for v in (r.left(), r.top(), r.right() + 1, r.bottom() + 1))) for r in rects]

    def _region(self, rgb: RgbImage, box: Box) -> npt.NDArray[np.float64]:
        """(8, 2): around brows, eyes, nose and mouth, from the eyes' corners and the nose's base."""
        rect = self._dlib.rectangle(*(round(v) for v in (box.x0, box.y0, box.x1, box.y1)))
        shape = self._points(np.ascontiguousarray(rgb), rect)
        xy = np.array([(shape.part(i).x, shape.part(i).y) for i in range(5)], np.float64)
        eyes, nose = xy[[0, 2]], xy[4]  # outer corners
        up, span = eyes.mean(0) - nose, eyes[0] - eyes[1]
        mouth = nose - MOUTH_DOWN * up
        corners = [mouth + HALF_MOUTH * span, mouth - HALF_MOUTH * span, nose - LIP_DOWN * up]
        return np.concatenate([eyes, eyes + BROWS_UP * up, np.array(corners), nose[None]])


def _core(box: Box) -> npt.NDArray[np.float64]:
    """(32, 2): the oval in the middle of a box; its corners are cheek."""
    return oval_outline(box.scaled(CNN_CORE))


def _face(number: int, polygon: npt.NDArray[np.float64], rgb: RgbImage) -> TrueFace | None:
    """The polygon's hull as a face's inner region; None outside the frame."""
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(polygon).astype(np.int32)), 1)
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return None
    (x0, y0), (x1, y1) = polygon.min(0), polygon.max(0)
    inner = mask[y : y + height, x : x + width] > 0
    return TrueFace(number, Box(x0, y0, x1, y1), x, y, inner, 1.0, float(x1 - x0), 0.0, 0.0, None)


@dataclass(slots=True)
class ClipReport:
    """judged: frames with a face that a judge sees. chance: leaks of which the erased mask holds every pixel."""

    report: LeakReport = field(default_factory=LeakReport)
    judged: int = 0
    leaks: list[Leak] = field(default_factory=list)
    chance: list[Leak] = field(default_factory=list)

    def take(self, other: ClipReport) -> None:
        self.report.take(other.report)
        self.judged += other.judged
        self.leaks += other.leaks
        self.chance += other.chance

    def __str__(self) -> str:
        return (
            f"{len({leak.index for leak in self.leaks})} leak frames; {self.report.frames} frames, {self.judged} with "
            f"{self.report.faces} faces that the judges see; equal by chance within the hole: {len(self.chance)}"
        )


def run_clip(path: Path, settings: Settings, judges: Judges) -> ClipReport:
    """One clip through both passes, judged frame by frame. Raises InputError."""
    source = VideoReader(path, 1, exact_colour=False)
    renderer = app.build_anonymizer(settings)
    with app.build_finder(settings) as finder:
        finder.reset()
        planned = Planned(finder, settings, source.fps_hz)
        again = _Kept(VideoReader(path, 1, exact_colour=False))
        judge = _Judge(again, planned, renderer, judges)
        TwoPasses(planned, renderer).run(source, lambda: again, judge)
    return judge.report


@dataclass(slots=True)
class _Kept:
    """A FrameSource that keeps its frames until they are judged."""

    source: VideoReader
    frames: dict[int, Frame] = field(default_factory=dict)

    @property
    def size_px(self) -> tuple[int, int]:
        return self.source.size_px

    @property
    def fps_hz(self) -> float:
        return self.source.fps_hz

    def read(self) -> Frame | None:
        frame = self.source.read()
        if frame is not None:
            self.frames[frame.index] = frame
        return frame

    def close(self) -> None:
        self.source.close()


@dataclass(slots=True)
class _Judge:
    """A FrameSink."""

    raw: _Kept
    planned: Planned
    renderer: Any
    judges: Judges
    report: ClipReport = field(default_factory=ClipReport)

    def send(self, safe: SafeFrame) -> None:
        frame = self.raw.frames.pop(safe.source_index)
        made = MadeFrame(frame, self.judges.faces(frame), np.zeros(frame.rgb.shape[:2], bool))
        hole = self.renderer.hole(self.planned.plans[safe.source_index] or (), safe.rgb.shape)
        for leak in self.report.report.add(safe, made, hole):
            face = next(each for each in made.faces if each.person == leak.person)
            (self.report.leaks if outside_hole(hole, face) else self.report.chance).append(leak)
        self.report.judged += bool(made.faces)

    def close(self, ok: bool) -> None:
        pass
