"""People cut out of photos: true skin, hair and clothes. What is known of them was seen at the photo's full size.

cast = cutouts([folder, …], yaw=(50, 70))      # a Cast for stories
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.adapters.image_reader import read_image
from anonymizer.faces import Floats, Mask, MotionCode
from anonymizer.frames import Frame
from anonymizer.geometry import rotation_from_vector, vector_from_rotation, yaw_pitch_roll
from anonymizer.perceive.finder import Finder, FinderSettings
from anonymizer.perceive.motion import fit_motion, photo_baseline, reduce_motion
from anonymizer.perceive.person import PersonMasker
from anonymizer.persona.face_model import load_face_model
from tests.scenes.layers import Bools, Layer, Person, Pose
from tests.scenes.mannequin import FACE_WIDTH_CM, FEATURES

SUFFIXES = {".webp", ".png", ".jpg", ".jpeg"}
MATTE_SOFT_PX = 2.0
HAIR_REACH, SHOULDERS_BELOW = 0.9, 0.6  # face widths from a face's middle, to the side and down


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """rgb (H, W, 3), alpha (H, W) [0, 1], inner (H, W) and the head's pose, all in the photo's own px."""

    rgb: npt.NDArray[np.uint8]
    alpha: Floats
    inner: Bools
    code: MotionCode
    name: str

    @property
    def width_px(self) -> float:
        return FACE_WIDTH_CM * self.code.scale_px_per_cm

    @property
    def yaw(self) -> float:
        return float(np.rad2deg(yaw_pitch_roll(self.code.rotation)[0]))

    def draw(self, pose: Pose) -> Layer:
        """The photo at the pose's place, size and roll; its yaw and pitch stay its own."""
        scale = pose.width_px / self.width_px
        own_roll = float(np.rad2deg(yaw_pitch_roll(self.code.rotation)[2]))
        turn = np.deg2rad(pose.roll - own_roll)
        small = [self._shrunk(part, scale) for part in (self.rgb, self.alpha, self.inner.astype(np.float32))]
        shrink = np.array([small[0].shape[1] / self.rgb.shape[1], small[0].shape[0] / self.rgb.shape[0]])
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        height, width = self.alpha.shape
        corners = (np.array([[0, 0], [width, 0], [width, height], [0, height]]) - self.code.center_px) @ linear.T
        low = np.floor(corners.min(0) + pose.center_px)
        size = tuple(int(v) for v in np.ceil(corners.max(0) + pose.center_px) - low)
        shift = np.array(pose.center_px) - low - linear @ self.code.center_px
        matrix = np.concatenate([linear / shrink, (shift + linear @ [0.5, 0.5] / shrink - 0.5)[:, None]], 1)
        rgb, alpha, inner = (cv2.warpAffine(part, matrix, size, flags=cv2.INTER_LINEAR) for part in small)
        code = MotionCode(
            np.array(pose.center_px, np.float32),
            self.code.scale_px_per_cm * scale,
            _turned_in_plane(self.code.rotation, turn),
            self.code.expression,
            self.code.gaze,
        )
        return Layer(
            int(low[0]),
            int(low[1]),
            np.asarray(rgb, np.uint8),
            np.asarray(alpha, np.float32),
            np.asarray(inner >= 0.5),
            pose.width_px,
            code,
            self.yaw,
        )

    def _shrunk(self, part: npt.NDArray[Any], scale: float) -> npt.NDArray[Any]:
        """Averaged down, so that a warp skips no pixel."""
        if scale >= 0.75:
            return part
        size = max(2, round(part.shape[1] * scale)), max(2, round(part.shape[0] * scale))
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA))


def _turned_in_plane(rotation: Floats, turn_rad: float) -> Floats:
    turned = rotation_from_vector([0, 0, turn_rad]) @ rotation_from_vector(rotation)
    return np.asarray(vector_from_rotation(turned), np.float32)


class Cutter:
    """Holds the networks that know where a photo's person ends and the features lie."""

    def __init__(self) -> None:
        self._finder = Finder(FinderSettings(side_px=480, min_landmark_px=60))
        self._masker = PersonMasker()

    def cut(self, path: Path) -> Cutout | None:
        """The one person of a photo; None when there is none, or several, or the features are not plain."""
        frame = Frame(read_image(path).rgb)
        faces = self._finder.find(frame)
        if len(faces) != 1 or faces[0].landmarks_px is None or faces[0].confidence < 0.8:
            return None
        model = load_face_model()
        motion = fit_motion(faces[0], model)
        code = reduce_motion(
            motion.pose, motion.expression, motion.gaze, photo_baseline(motion.expression, model), model
        )
        inner = np.zeros(frame.rgb.shape[:2], np.uint8)
        features = faces[0].landmarks_px[list(FEATURES), :2]
        cv2.fillConvexPoly(inner, np.round(cv2.convexHull(features)[:, 0]).astype(np.int32), 1)
        mask = self._masker.mask(frame)
        _without_surroundings(mask, code)
        rim = cv2.convexHull(np.ascontiguousarray(faces[0].landmarks_px[:, :2]))[:, 0]
        cv2.fillConvexPoly(mask, np.round(rim).astype(np.int32), 255)  # a face never has holes
        alpha = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), MATTE_SOFT_PX)
        return Cutout(np.array(frame.rgb), np.asarray(alpha, np.float32), inner > 0, code, path.name)


def _without_surroundings(mask: Mask, code: MotionCode) -> None:
    """Take from a mask of people (H, W) what lies beside the head: lamps in the background were taken for hair."""
    width = FACE_WIDTH_CM * code.scale_px_per_cm
    x, y = (float(v) for v in code.center_px)
    above_shoulders = mask[: max(0, round(y + SHOULDERS_BELOW * width))]
    above_shoulders[:, : max(0, round(x - HAIR_REACH * width))] = 0
    above_shoulders[:, max(0, round(x + HAIR_REACH * width)) :] = 0


def photos(folders: Sequence[Path]) -> list[Path]:
    """Every photo of some folders, in the order of their names."""
    return [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]


def yaws_of(manifest: Path) -> dict[str, float]:
    """File name -> yaw in degrees, where the data's list of files knows it."""
    with manifest.open(newline="") as lines:
        return {Path(row["path"]).name: float(row["yaw_deg"]) for row in csv.DictReader(lines) if row["yaw_deg"]}


def cutouts(paths: Sequence[Path], most: int, seed: int = 0) -> Callable[[int], Person]:
    """A cast of at most `most` people out of photos, drawn by seed. ValueError when nobody could be cut out."""
    cutter, people = Cutter(), list[Person]()
    order = np.random.default_rng(seed).permutation(len(paths))
    for number in order:
        if len(people) == most:
            break
        person = cutter.cut(paths[int(number)])
        if person is not None:
            people.append(person)
    if not people:
        raise ValueError(f"nobody could be cut out of {len(paths)} photos")
    return lambda number: people[number % len(people)]
