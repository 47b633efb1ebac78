"""Hands cut out of photos and clips: true skin and poses, to be laid before faces. Whatever was cut out is the truth.

hands = hand_cutouts(data)                        # a list
layer = hands[3].draw((x, y), length_px, turn_deg=20, lab=mean_of_a_face)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.adapters.image_reader import read_image
from anonymizer.adapters.video_reader import VideoReader
from anonymizer.faces import Box, Floats, PlannedHand
from anonymizer.frames import RgbImage
from anonymizer.guard.hands import drawn_mask, finger_px, sure_mask
from anonymizer.perceive.fullrange import FullRange
from anonymizer.perceive.hands import Hand, HandFinder
from anonymizer.perceive.hands_in_time import planned_hand
from tests.scenes.cutouts import photos
from tests.scenes.layers import Layer

LEAST_FINGER_PX = 2.0
AROUND = 1.4  # of a finger's half breadth: what lies further from the drawn hand is surely not the hand
CLIP_EVERY = 4
LEAST_SHARE, MOST_SHARE = 0.5, 2.0  # of the cut out hand's area over the drawn one's; others were cut badly


@dataclass(frozen=True, slots=True, eq=False)
class HandCutout:
    """rgb (H, W, 3), alpha (H, W) float32 [0, 1]."""

    rgb: RgbImage
    alpha: Floats

    def draw(
        self,
        center: tuple[float, float],
        length_px: float,
        turn_deg: float,
        mirrored: bool = False,
        lab: npt.NDArray[np.float32] | None = None,
    ) -> Layer:
        """Its longer side length_px, turned clockwise. lab: the mean colour it takes on, (3,) as cv2 has it."""
        rgb, alpha = self.rgb if lab is None else _tinted(self.rgb, self.alpha, lab), self.alpha
        if mirrored:
            rgb, alpha = np.ascontiguousarray(rgb[:, ::-1]), np.ascontiguousarray(alpha[:, ::-1])
        height, width = alpha.shape
        scale = length_px / max(height, width)
        side = max(4, int(length_px * 1.5))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, scale)
        matrix[:, 2] += side / 2 - width / 2, side / 2 - height / 2
        if scale < 0.7:
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.35 / scale), np.uint8)
            alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.35 / scale), np.float32)
        drawn = cv2.warpAffine(rgb, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shown = np.clip(cv2.warpAffine(alpha, matrix, (side, side), flags=cv2.INTER_LINEAR), 0, 1)
        x, y = round(center[0] - side / 2), round(center[1] - side / 2)
        return Layer(x, y, np.asarray(drawn, np.uint8), np.asarray(shown, np.float32), np.zeros((side, side), bool))


def hand_cutouts(data: Path) -> list[HandCutout]:
    """Every hand near a face in the photos of `data`, and before the body in its clips of signers."""
    finder, faces = HandFinder(), FullRange()
    found: list[tuple[RgbImage, Hand]] = []
    for path in photos([data / name for name in ("eval/identity_openpeople", "train", "validation")]):
        rgb = read_image(path).rgb
        found += [(rgb, hand) for hand in finder.find(rgb, [face.box for face in faces.detect(rgb)])]
    for rgb in _of_clips(sorted((data / "eval/video").glob("*.mkv"))):
        height, width = rgb.shape[:2]
        body = Box(0.25 * width, 0.3 * height, 0.75 * width, 0.8 * height)
        heads = [face.box for face in faces.detect(rgb)]
        hands = finder.find(rgb, [body])
        found += [(rgb, hand) for hand in hands if not any(hand.box.intersection(head) for head in heads)]
    cut = [_cut(rgb, planned_hand(hand)) for rgb, hand in found]
    return [each for each in cut if each is not None]


def _of_clips(paths: list[Path]) -> Iterator[RgbImage]:
    for path in paths:
        reader = VideoReader(path, 1, exact_colour=False)
        while (frame := reader.read()) is not None:
            if frame.index % CLIP_EVERY == 0:
                yield frame.rgb
        reader.close()


def _cut(rgb: RgbImage, hand: PlannedHand) -> HandCutout | None:
    """By colour (GrabCut), from its joints; None when that fails."""
    if finger_px(hand.points_px) < LEAST_FINGER_PX:
        return None
    drawn, sure = drawn_mask(hand, rgb.shape), sure_mask([hand], np.zeros(rgb.shape[:2], np.uint8))
    reach = 2 * round(AROUND * finger_px(hand.points_px)) + 1
    marks = np.full(rgb.shape[:2], cv2.GC_BGD, np.uint8)
    marks[cv2.dilate(drawn, np.ones((reach, reach), np.uint8)) > 0] = cv2.GC_PR_BGD
    marks[drawn > 0] = cv2.GC_PR_FGD
    marks[sure > 0] = cv2.GC_FGD
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(np.array(rgb), marks, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    chosen = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(chosen, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    share = np.count_nonzero(mask) / max(1, int(np.count_nonzero(drawn)))
    if not LEAST_SHARE <= share <= MOST_SHARE:
        return None
    x, y, width, height = cv2.boundingRect(mask)
    part = slice(max(0, y - 2), y + height + 2), slice(max(0, x - 2), x + width + 2)
    alpha = cv2.GaussianBlur(mask[part].astype(np.float32), (0, 0), 0.7)
    return HandCutout(np.array(rgb[part]), np.asarray(alpha, np.float32))


def _tinted(rgb: RgbImage, alpha: Floats, lab: npt.NDArray[np.float32]) -> RgbImage:
    own = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    own += lab - own[alpha > 0.5].mean(0)
    return np.asarray(cv2.cvtColor(np.clip(own, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)
