"""Finds the faces of the newest frame within a budget: what must be known now is looked for now, the rest beside.

Every frame: landmarks where they were, and a close look where they were lost. On this very frame too, when a face is
new or lost, after a cut and every few frames: the full-range detector. Beside, in a thread of its own: CenterFace over
the whole frame, as often as the budget says, so that what it says is at most `witness_age_s` old; when it is later than
that, the full-range detector stands in, and when it does not answer at all, the frame is blanked. Nobody in sight,
after a cut, or with no answer for twice that age: CenterFace looks at this very frame before it leaves.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from anonymizer.faces import Box, Face
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.cuts import CutDetector
from anonymizer.perceive.detections import Detection, same_face
from anonymizer.perceive.finder import Finder, FinderSettings, Tracked, covered, one_a_face
from anonymizer.perceive.landmarks import bounds

AGAIN_SCORE = 0.3  # of a detection that is believed at the second look
MOST_SPEED = 1.5  # widths of a face a second, of somebody who walks past a camera
WITNESS_NICE = 5  # a third of the processor time of a thread of usual priority, when both want it


@dataclass(frozen=True, slots=True)
class LiveBudget:
    """witness_every_s: from one start of CenterFace to the next. witness_age_s: the oldest answer that counts.
    give_up_s: without any answer for longer it cannot be told where faces are; broken_s: for longer, frames fail.
    full_range_every: frames. every_frame: both detectors on every frame, whatever it costs (`strict`).
    """

    witness_every_s: float = 0.13
    witness_age_s: float = 0.2
    give_up_s: float = 1.0
    broken_s: float = 10.0
    full_range_every: int = 3
    every_frame: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """faces of a frame. cut: the picture changed wholly. witnessed: where CenterFace, a moment ago, was sure of one."""

    faces: tuple[Face, ...]
    cut: bool = False
    witnessed: tuple[Box, ...] = ()


class LiveFinder(Finder):
    """A Finder for frames that do not wait. One thread."""

    def __init__(self, settings: FinderSettings | None = None, budget: LiveBudget | None = None) -> None:
        super().__init__(settings)
        self.budget = budget or LiveBudget()
        self._cuts = CutDetector()
        self._witness: ThreadPoolExecutor = ThreadPoolExecutor(1, "live-witness", _step_back)
        self._asked: Future[tuple[Detection, ...]] | None = None
        self._asked_at_s = self._answered_at_s = -math.inf  # times of the frames asked about
        self._since_full_range = 0
        self._weak: tuple[Detection, ...] = ()  # what CenterFace half saw at its last look

    def look(self, frame: Frame) -> Sight:
        """Faces of the next frame. Raises when a detector fails, or the second one does not answer any more."""
        rgb, now_s = frame.rgb, frame.captured_at_s
        cut = self._cuts.is_cut(rgb)
        if cut:
            self.reset()
        witness = old_news = self._answer(now_s)
        age_s = now_s - self._answered_at_s
        detections: tuple[Detection, ...] = ()
        every = self.budget.every_frame
        late = now_s - self._answered_at_s > self.budget.witness_age_s
        due = every or cut or late or not self._tracked or self._since_full_range >= self.budget.full_range_every
        looking = self._beside.submit(self._fast, rgb) if due else None
        followed = {old: face for old, face in self._follow(rgb).items() if _is_finite(face)}
        lost = [old for old in self._tracked if old not in followed]
        kept = list(followed.values())
        self._since_full_range += 1
        if looking is not None or not kept or any(old.face.landmarks_px is not None and not old.lost for old in lost):
            detections += looking.result() if looking is not None else self._fast(rgb)
            self._since_full_range = 0
        blind = now_s - self._answered_at_s > 2 * self.budget.witness_age_s
        if every or cut or blind or not (kept or detections or old_news):  # both must have looked at this very frame
            witness, old_news = self._weighed(self._looks.at_all(rgb)), ()
            detections += witness
            self._answered_at_s = now_s
        self._ask(rgb, now_s)
        sure = tuple(each.box for each in witness if each.score >= self.settings.sure_score)
        return Sight(self._with_new(rgb, kept, lost, detections, old_news, age_s), cut, sure)

    def close(self) -> None:
        self._witness.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _fast(self, rgb: RgbImage) -> tuple[Detection, ...]:
        return tuple(map(self._looks.weighed, self._looks.fast(rgb)))

    def _answer(self, now_s: float) -> tuple[Detection, ...]:
        """What CenterFace has said since the last frame; also its errors."""
        if self._asked is None or not self._asked.done():
            waiting_s = now_s - max(self._answered_at_s, self._asked_at_s)
            if self._asked is not None and waiting_s > self.budget.broken_s:
                raise RuntimeError("the second detector is stuck")
            if self._asked is not None and waiting_s > self.budget.give_up_s:
                raise TimeoutError("the second detector does not answer")
            return ()
        asked, self._asked = self._asked, None
        self._answered_at_s = max(self._answered_at_s, self._asked_at_s)
        return self._weighed(asked.result())

    def _weighed(self, said: tuple[Detection, ...]) -> tuple[Detection, ...]:
        """CenterFace's answer: weak ones are believed when it says them twice, the weakest only with landmarks.

        At .2 it takes a plant for a face every few seconds; a clip's tracks sort that out, a live frame cannot.
        """
        before, self._weak = self._weak, tuple(each for each in said if each.score < self.settings.sure_score)
        out = []
        for each in said:
            again = each.score >= AGAIN_SCORE and any(same_face(each.box, old.box) for old in before)
            out.append(each if each.score >= self.settings.sure_score or again else self._looks.doubted(each))
        return tuple(out)

    def _ask(self, rgb: RgbImage, now_s: float) -> None:
        due = now_s - max(self._asked_at_s, self._answered_at_s) >= self.budget.witness_every_s
        if self._asked is None and due:
            self._asked = self._witness.submit(self._looks.at_all, rgb)
            self._asked_at_s = now_s

    def _with_new(
        self,
        rgb: RgbImage,
        kept: list[Face],
        lost: list[Tracked],
        detections: tuple[Detection, ...],
        old_news: tuple[Detection, ...],
        age_s: float,
    ) -> tuple[Face, ...]:
        """The faces followed, those that are new, those lost that a close look finds where they were, and what else
        CenterFace saw in a frame that was age_s old."""
        new = self._faces(rgb, [each for each in detections if not covered(each.box, kept)])
        found = [face for face in (*kept, *new) if _is_finite(face)]
        again = self._look_near(rgb, [old for old in lost if not covered(old.box(), found)])
        found += [face for face in again.values() if face is not None and _is_finite(face)]
        later = self._faces(rgb, [each for each in old_news if not covered(each.box, found)])
        found += [_by_now(face, age_s) for face in later if _is_finite(face)]
        faces = one_a_face(found)
        self._tracked = self._remembered(faces, again)
        return faces


def _by_now(face: Face, age_s: float) -> Face:
    """Without landmarks it is only known where it was: room for where it may have gone."""
    if face.landmarks_px is not None:
        return face
    return replace(face, box_px=face.box_px.scaled(1 + 2 * MOST_SPEED * max(0.0, age_s)))


def _step_back() -> None:
    """Let the thread that calls this yield to the others, where the system can: a frame that is due comes first."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), WITNESS_NICE)


def _is_finite(face: Face) -> bool:
    """Boxes and landmarks that are numbers; what a broken network gives is taken for a lost face."""
    box = face.box_px
    numbers = [box.x0, box.y0, box.x1, box.y1]
    if face.landmarks_px is not None:
        inside = bounds(face.landmarks_px)
        numbers += [inside.x0, inside.y0, inside.x1, inside.y1]
    return bool(np.isfinite(numbers).all()) and box.width > 0 and box.height > 0


__all__ = ["LiveBudget", "LiveFinder", "Sight"]
