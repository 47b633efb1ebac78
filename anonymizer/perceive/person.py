"""Where people are: the cover of last resort when a face was lost (MediaPipe selfie segmentation on LiteRT)."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import stages
from anonymizer.faces import Box, Floats, Mask
from anonymizer.frames import Frame
from anonymizer.geometry import convex_outline
from anonymizer.perceive.network import Network
from anonymizer.perceive.shrink import shrunk
from anonymizer.weights.locate import weight_bytes

INPUT_PX = 256
PERSON_SHARE = 0.05  # of a lost face's cover that must be a person for the person to count as still there
MOST_PERSON = 0.8  # of the frame; a person region larger than that is no answer: the frame is blanked
SAME_SHARE = 0.3  # of the smaller of two regions in consecutive frames that must be common for them to be the same
OUTLINE_GROW_PX = 8.0
REGION_PX = 320  # longer side at which people are outlined; the network itself sees 256


class PersonMasker:
    """Marks people. min_share: how sure the network must be; low, because a missed person costs more than a wall."""

    def __init__(self, threads: int = 1, min_share: float = 0.3) -> None:
        self._network = Network(weight_bytes("selfie_segmentation"), "selfie segmentation", threads)
        self._min_share = min_share

    def mask(self, frame: Frame) -> Mask:
        """(H, W) uint8, 255 where a person may be."""
        height, width = frame.rgb.shape[:2]
        small = shrunk(frame.rgb, (INPUT_PX, INPUT_PX))
        share = self._share(np.asarray(small, np.float32) / np.float32(255))
        full = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(full >= self._min_share, np.uint8(255), np.uint8(0))

    def share(self, picture: Floats) -> Floats:
        """(P, P, 3) float32 RGB [0, 1] -> (P, P) float32 [0, 1]: how surely each px is a person."""
        size = (INPUT_PX, INPUT_PX)
        share = self._share(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.float32))
        return np.asarray(cv2.resize(share, picture.shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)

    def _share(self, picture: Floats) -> Floats:
        return np.asarray(self._network.run(picture)[0].reshape(INPUT_PX, INPUT_PX), np.float32)


class MasksWhenAsked:
    """Loads the network when it is asked first, as many clips never do, and looks once at a frame for all who ask, from
    whichever thread."""

    def __init__(self, masker: stages.PersonMasker | None = None) -> None:
        self._masker = masker
        self._last: tuple[Frame, Mask] | None = None
        self._lock = Lock()

    def mask(self, frame: Frame) -> Mask:
        """(H, W) uint8, 255 where a person may be."""
        with self._lock:
            if self._last is None or self._last[0] is not frame:
                self._masker = self._masker or PersonMasker()
                self._last = frame, self._masker.mask(frame)
            return self._last[1]


class PersonRegion:
    """Where people are in one frame."""

    def __init__(self, mask: Mask) -> None:
        height, width = mask.shape
        self._scale = max(1.0, max(height, width) / REGION_PX)
        size = max(1, round(width / self._scale)), max(1, round(height / self._scale))
        self._mask = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
        self.share = float(self._mask.mean())
        _, labels = cv2.connectedComponents(self._mask, connectivity=8)
        self._labels = np.asarray(labels, np.int32)

    def around(self, box: Box) -> npt.NDArray[np.float64] | None:
        """Convex outline (N, 2) of whoever stands in the box, in frame px; None when nobody does."""
        whole = self.at(box)
        return None if whole is None else self.outline(whole)

    def at(self, box: Box) -> npt.NDArray[np.bool_] | None:
        """(h, w) at this region's scale: whoever stands in the box; None when nobody does."""
        inside = self._inside(box)
        if inside.size == 0 or np.count_nonzero(inside) < PERSON_SHARE * inside.size:
            return None
        return np.isin(self._labels, np.unique(inside[inside > 0]))

    def near(self, box: Box) -> npt.NDArray[np.bool_] | None:
        """(h, w): whoever shows any part of himself in the box, however little."""
        inside = self._inside(box)
        return np.isin(self._labels, np.unique(inside[inside > 0])) if inside.any() else None

    def bounds(self, whole: npt.NDArray[np.bool_]) -> Box:
        """Around what `at`, `near` and `after` give, in frame px."""
        x, y, width, height = (v * self._scale for v in cv2.boundingRect(whole.astype(np.uint8)))
        return Box(x, y, x + width, y + height)

    def _inside(self, box: Box) -> npt.NDArray[np.int32]:
        height, width = self._mask.shape
        x0, y0, x1, y1 = (v / self._scale for v in (box.x0, box.y0, box.x1, box.y1))
        return self._labels[
            max(0, int(y0)) : min(height, max(0, int(y1) + 1)), max(0, int(x0)) : min(width, max(0, int(x1) + 1))
        ]

    def after(self, before: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
        """Where those who were `before` (of the frame before, as `at` gives it) are now; None when they are gone."""
        common, now = (np.bincount(labels, minlength=2) for labels in (self._labels[before], self._labels.ravel()))
        common = np.pad(common, (0, max(0, len(now) - len(common))))
        same = np.flatnonzero(common[: len(now)] >= SAME_SHARE * np.minimum(now, before.sum()))
        same = same[(same > 0) & (now[same] > 0)]
        return np.isin(self._labels, same) if len(same) else None

    def holds(self, whole: npt.NDArray[np.bool_] | None, points: Iterable[tuple[float, float]]) -> bool:
        """Does what `at` and `after` give hold any of these points of the frame (px)?"""
        height, width = self._mask.shape
        return whole is not None and any(
            whole[min(max(int(y / self._scale), 0), height - 1), min(max(int(x / self._scale), 0), width - 1)]
            for x, y in points
        )

    def outline(self, whole: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Convex outline (N, 2), in frame px, of what `at` and `after` give."""
        corners = cv2.convexHull(cv2.findNonZero(whole.astype(np.uint8)))[:, 0] + 0.5
        return convex_outline(corners * self._scale, grow_px=OUTLINE_GROW_PX)
