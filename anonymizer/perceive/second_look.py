"""A second look at what may be no face: is there anything of a head, or of a person, at all?

Half a face at the frame's edge is never sure, so its score alone cannot tell it from a plant. Close looks at several
sizes and the network that marks people can: over the half faces of 16 made scenes and 3 filmed clips each was heard of
by one of them with .19 or had a person on two thirds of its box; a plant at the edge, "seen" with up to .5 in 41
frames, had at most .1 from the one and half of a person from the other. Landmarks that come up in a frame without any
before are asked about as well: some were laid over leaves with a presence of 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from anonymizer.faces import Box, Face
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.tracks import edges
from anonymizer.stages import PersonMasker

DOUBTED_SCORE = 0.6  # a bare face above it needs no second look
NEAR_EDGE = 1.3  # of a face's box, that touches the edge
LEAST_SCORE = 0.13  # of a close look, between a plant's .1 and half a face's .19
LEAST_PERSON = 0.55  # of the box within the frame, between a plant's .46 and half a face's .63
MOST_LOOKS = 3  # faces of one frame; further ones are believed as they are
MOST_WAITING = 3  # looks that are not done yet


class Listens(Protocol):
    """Does any close look hear of a face at or about the box, rolled so far?"""

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool: ...


class SecondLook:
    """Fed every frame with its faces; looks in a thread of its own, while the next frame is looked at."""

    def __init__(self, finder: Listens, masks: PersonMasker) -> None:
        self._finder, self._masks = finder, masks
        self._answers: dict[int, bool] = {}
        self._beside: ThreadPoolExecutor | None = None
        self._asked: deque[tuple[int, Future[bool]]] = deque()

    @property
    def backed(self) -> Mapping[int, bool]:
        """By id of a face, which the caller keeps alive: does anything speak for it? Of faces that were not looked at
        again nothing. Waits for what was asked; raises what a look raised."""
        self._wait(0)
        if self._beside is not None:
            self._beside.shutdown()
            self._beside = None
        return self._answers

    def observe(self, frame: Frame, faces: Sequence[Face], fresh: Sequence[bool]) -> None:
        """fresh: for each face, was it not in the frame before?"""
        size_px = frame.rgb.shape[1], frame.rgb.shape[0]
        doubted = [face for face, new in zip(faces, fresh, strict=True) if _is_doubted(face, new, size_px)]
        for face in doubted[:MOST_LOOKS]:
            self._beside = self._beside or ThreadPoolExecutor(1, "second look")
            self._asked.append(
                (id(face), self._beside.submit(is_backed, self._finder, self._masks, frame, face.box_px, face.roll_rad))
            )
        self._wait(MOST_WAITING)

    def _wait(self, most: int) -> None:
        while len(self._asked) > most:
            face, answer = self._asked.popleft()
            self._answers[face] = answer.result()


def is_backed(finder: Listens, masks: PersonMasker, frame: Frame, box: Box, roll_rad: float = 0.0) -> bool:
    """Is anything of a head heard of at or about the box, or is it on a person?"""
    return finder.heard_of(frame.rgb, box, LEAST_SCORE, roll_rad) or _person_share(frame, masks, box) >= LEAST_PERSON


def _is_doubted(face: Face, fresh: bool, size_px: tuple[int, int]) -> bool:
    if face.landmarks_px is not None:
        return fresh
    return face.confidence < DOUBTED_SCORE and bool(edges(face.box_px.scaled(NEAR_EDGE), size_px))


def _person_share(frame: Frame, masks: PersonMasker, box: Box) -> float:
    """Of the box within the frame; 1 where nothing of it is."""
    mask = masks.mask(frame)
    height, width = mask.shape
    x0, y0 = max(0, int(box.x0)), max(0, int(box.y0))
    inside = mask[y0 : min(height, max(y0, int(box.y1))), x0 : min(width, max(x0, int(box.x1)))]
    return float((inside > 0).mean()) if inside.size else 1.0
