"""How soft the camera's picture is around a face, and guides made as soft: sharp faces on soft frames look pasted.

An edge of blur s that is blurred by s0 more loses a share of its steepness that tells s (Zhuo and Sim, "Defocus map
estimation from a single image", 2011).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Mask

EVERY_FRAMES = 32  # looked at again so often
NEW_SHARE = 0.3  # of each new look
USUAL_PX = 0.7  # where there are no edges; what webcams at 640×480 had
SKIN_SHARE = 1.0  # of the edges' blur; skin of webcams is softer (1.4), but then faces in sharp photos looked waxy
DRAWN_PX = 0.45  # what drawing from a texture blurs by itself
MOST_PX = 1.2
_REBLUR_PX = 1.0
_STEEP = 8.0  # levels a px
_SHARPEST = 75.0  # percentile over edges: what is out of focus is not the person
_FEWEST = 50
_SIDE_PX = 512  # of the part that is looked at


def edge_blur_px(rgb: npt.NDArray[np.uint8], unknown: Mask) -> float | None:
    """Standard deviation (px) of the blur of edges of rgb (h, w, 3) where unknown (h, w) is 0; None without edges.

    That of the Sobel operator, .75 px on a straight edge, is in it.
    """
    import cv2

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    steep, reblurred = _steepness(grey), _steepness(np.asarray(cv2.GaussianBlur(grey, (0, 0), _REBLUR_PX), np.float32))
    known = cv2.dilate(unknown, np.ones((13, 13), np.uint8)) == 0
    crest = (steep > _STEEP) & (steep >= cv2.dilate(steep, np.ones((3, 3), np.uint8))) & known
    if np.count_nonzero(crest) < _FEWEST:
        return None
    ratio = float(np.percentile(steep[crest] / np.maximum(reblurred[crest], 1e-3), _SHARPEST))
    return float(np.clip(_REBLUR_PX / np.sqrt(max(ratio * ratio - 1, 1e-2)), 0.2, 3.0))


def _steepness(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    import cv2

    across, down = (cv2.Sobel(grey, cv2.CV_32F, x, 1 - x, scale=1 / 8) for x in (1, 0))
    return np.asarray(cv2.magnitude(across, down), np.float32)


def around(where: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of at most _SIDE_PX about the middle of `where`, inside a frame of that shape."""
    spans = []
    for span, length in zip(where, shape, strict=False):
        start = max((span.start + span.stop - _SIDE_PX) // 2, 0)
        spans.append(slice(start, min(start + _SIDE_PX, length)))
    return spans[0], spans[1]


class Softness:
    """The blur of one clip's edges, followed slowly. edges_px: standard deviation, None before the first look."""

    def __init__(self, edges_px: float | None = None) -> None:
        self.edges_px = edges_px

    def look(self, erased: npt.NDArray[np.uint8], hole: Mask, where: tuple[slice, slice], index: int) -> None:
        """Take note of the frame (H, W, 3) of that index around a face at `where`; hole (H, W) is not looked into."""
        if self.edges_px is not None and index % EVERY_FRAMES:
            return
        part = around(where, hole.shape)
        seen = edge_blur_px(erased[part], hole[part])
        if self.edges_px is None:
            self.edges_px = USUAL_PX if seen is None else seen
        elif seen is not None:
            self.edges_px += NEW_SHARE * (seen - self.edges_px)

    @property
    def guide_px(self) -> float:
        """By how much a drawn guide is to be blurred, standard deviation in frame px."""
        wanted = SKIN_SHARE * (USUAL_PX if self.edges_px is None else self.edges_px)
        return float(min(np.sqrt(max(wanted**2 - DRAWN_PX**2, 0)), MOST_PX))


def softened(guide: npt.NDArray[np.uint8], coverage: Mask, sigma_px: float) -> npt.NDArray[np.uint8]:
    """The guide (h, w, 3) blurred inside its coverage (h, w), whose edge stays; unchanged below a third of a px."""
    import cv2

    if sigma_px < 1 / 3:
        return guide
    side = 2 * int(np.ceil(2 * sigma_px)) + 1
    blurred = cv2.GaussianBlur(guide, (side, side), sigma_px)
    weight = cv2.GaussianBlur(coverage, (side, side), sigma_px)
    straight = cv2.divide(blurred, cv2.merge([weight] * 3), scale=255)
    return np.asarray(cv2.copyTo(straight, coverage), np.uint8)
