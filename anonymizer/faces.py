"""What is known of a face on each side of the erasure: `Face` before, `MotionCode` after.

Coordinates: x right, y down, origin in the top left corner of the frame; z away from the camera.
Head space: centimetres, origin in the middle of the canonical head mesh, axes as in the image when
the head looks straight into the camera (x to the image's right, y down, z away from the camera).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.frames import RgbImage

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]
"""(H, W) uint8, 0 or 255 (255 = covered)."""

LANDMARK_COUNT = 478  # 468 mesh vertices, then 5 iris points an eye
VERTEX_COUNT = 468
EXPRESSION_COUNT = 52  # mediapipe blendshapes, ARKit names; index 0 is `_neutral`


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A rectangle in frame pixels, as two corners; may reach outside the frame."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def scaled(self, factor: float) -> Box:
        """The box grown about its centre."""
        (cx, cy), hw, hh = self.center, self.width * factor / 2, self.height * factor / 2
        return Box(cx - hw, cy - hh, cx + hw, cy + hh)

    def iou(self, other: Box) -> float:
        """Intersection over union with `other`, 0 to 1."""
        inter = self.intersection(other)
        union = self.width * self.height + other.width * other.height - inter
        return inter / union if union > 0 else 0.0

    def intersection(self, other: Box) -> float:
        """Common area, px²."""
        w = min(self.x1, other.x1) - max(self.x0, other.x0)
        h = min(self.y1, other.y1) - max(self.y0, other.y0)
        return w * h if w > 0 and h > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face as perceived: private, lives only until it is reduced to a motion code.

    box_px: bounds of the face. confidence: 0 to 1, of the detector that found it.
    landmarks_px: (478, 3) float32, x y in frame px, z in the same unit; None when a detector saw
    a face on which no landmarks could be found (too small, too turned, hidden).
    expression: (52,) float32 in [0, 1], raw blendshapes, or None like the landmarks.
    detected_box: where a detector saw it in the same frame, if one did. roll_rad: clockwise as seen.
    """

    box_px: Box
    confidence: float
    landmarks_px: Floats | None = None
    expression: Floats | None = None
    detected_box: Box | None = None
    roll_rad: float = 0.0

    def __post_init__(self) -> None:
        if self.landmarks_px is not None and self.landmarks_px.shape != (LANDMARK_COUNT, 3):
            raise ValueError(f"landmarks_px must be ({LANDMARK_COUNT}, 3), got {self.landmarks_px.shape}")
        if self.expression is not None and self.expression.shape != (EXPRESSION_COUNT,):
            raise ValueError(f"expression must be ({EXPRESSION_COUNT},), got {self.expression.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class MotionCode:
    """All of a face that outlives the erasure; quantised; nothing of its shape or colour.

    center_px: (2,) float32, where the head-space origin is seen. scale_px_per_cm: size.
    rotation: (3,) float32 rotation vector in radians, head space to image axes.
    expression: (52,) float32 in [0, 1], resting values taken off.
    gaze: (2, 2) float32, iris offset from the eye's centre in head space, as a share of half the
    eye's width; row 0 the eye at the image's left, row 1 the other; columns x, y.
    """

    center_px: Floats
    scale_px_per_cm: float
    rotation: Floats
    expression: Floats
    gaze: Floats

    def __post_init__(self) -> None:
        for name, shape in (
            ("center_px", (2,)),
            ("rotation", (3,)),
            ("expression", (EXPRESSION_COUNT,)),
            ("gaze", (2, 2)),
        ):
            value = getattr(self, name)
            if value.shape != shape or value.dtype != np.float32:
                raise ValueError(f"{name} must be float32 {shape}, got {value.dtype} {value.shape}")
            if not np.isfinite(value).all():
                raise ValueError(f"{name} is not finite")
        if not (np.isfinite(self.scale_px_per_cm) and self.scale_px_per_cm > 0):
            raise ValueError(f"scale_px_per_cm must be positive, got {self.scale_px_per_cm}")


HAND_POINTS = 21


@dataclass(frozen=True, slots=True, eq=False)
class PlannedHand:
    """A hand before a face: all that is kept of it.

    points_px: (21, 2) float32, its joints in frame px, MediaPipe's order. spread_px: (21,) float32, by how much each
    may be wrong. strength: 0 to 1, how far it stands in front; less than 1 where it comes and goes.
    """

    points_px: Floats
    spread_px: Floats
    strength: float = 1.0

    def __post_init__(self) -> None:
        for name, value, shape in (
            ("points_px", self.points_px, (HAND_POINTS, 2)),
            ("spread_px", self.spread_px, (HAND_POINTS,)),
        ):
            if value.shape != shape or value.dtype != np.float32 or not np.isfinite(value).all():
                raise ValueError(f"{name} must be finite float32 {shape}, got {value.dtype} {value.shape}")
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength must be above 0 and at most 1, got {self.strength}")


@dataclass(frozen=True, slots=True, eq=False)
class PlannedFace:
    """One face of one frame, as the renderer gets it.

    slot: which persona; slots count up in order of first appearance. code: its motion, or None
    when only a fallback cover is possible. cover_box: what the fallback hides (used when code is
    None), and, with a code, a further box that must be inside the hole; None = the hull alone.
    cover_outline: (N, 2) float64, convex, in frame px: a whole person, covered like the box and together with it.
    hands: before it; they stay in front of a persona, never of a cover.
    """

    slot: int
    code: MotionCode | None
    cover_box: Box | None = None
    cover_outline: npt.NDArray[np.float64] | None = None
    hands: tuple[PlannedHand, ...] = ()

    def __post_init__(self) -> None:
        if self.code is None and self.cover_box is None:
            raise ValueError("a planned face needs a motion code or a box to cover")


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """What the generator may see of one face. Made from a frame whose hole was erased before any resampling.

    context_rgb: (S, S, 3) float32 [0, 1] RGB, 0 under the hole. hole: (S, S) float32, 1 = erased.
    guide_rgb: (S, S, 3) float32 [0, 1], the persona rendered in pose, 0 outside guide_coverage.
    guide_coverage: (S, S) float32 [0, 1]. geometry: (S, S, 3) float32 [-1, 1], mesh normals.
    crop_from_frame: (2, 3) float64, p_crop = crop_from_frame @ (x, y, 1), pixel centres at .5.
    turned: sine of the head's yaw, positive where it looks to the right of the picture.
    """

    context_rgb: Floats
    hole: Floats
    guide_rgb: Floats
    guide_coverage: Floats
    geometry: Floats
    crop_from_frame: npt.NDArray[np.float64]
    turned: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticFace:
    """What the generator answers, in the space of its `FaceCrop`.

    gain, bias: (G, G, 3) float32, coarse colour grid for the guide. inpaint_rgb: (S, S, 3) float32
    [0, 1]. matte: (S, S) float32 [0, 1], 1 = the guide shows, 0 = the inpainted layer shows.
    wall: (K, K) float32 [0, 1], where behind_rgb (S, S, 3) float32 [0, 1] has to show in place of the inpainted layer,
    or None: nowhere.
    """

    gain: Floats
    bias: Floats
    inpaint_rgb: Floats
    matte: Floats
    wall: Floats | None = None
    behind_rgb: Floats | None = None


__all__ = [
    "EXPRESSION_COUNT",
    "HAND_POINTS",
    "LANDMARK_COUNT",
    "VERTEX_COUNT",
    "Box",
    "Face",
    "FaceCrop",
    "Floats",
    "Mask",
    "MotionCode",
    "PlannedFace",
    "PlannedHand",
    "RgbImage",
    "SyntheticFace",
]
