"""The true face's fine detail is found where it shines through, and only there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from anonymizer.audit.detail import INNER, shine_through
from anonymizer.audit.findings import Fault, faults_of_faces, of_face
from anonymizer.audit.seen import Seen
from anonymizer.frames import RgbImage
from anonymizer.persona.face_model import load_face_model

SIZE_PX = 240


def skin(seed: int) -> RgbImage:
    """(240, 240, 3): texture of all scales, another for each seed."""
    import cv2

    random = np.random.default_rng(seed)
    fine = random.normal(0, 40, (SIZE_PX, SIZE_PX, 1))
    coarse = cv2.GaussianBlur(random.normal(0, 400, (SIZE_PX, SIZE_PX)), (0, 0), 12)[..., None]
    mixed = cv2.GaussianBlur(fine, (0, 0), 1.2)[..., None] * 3 + coarse + 128
    return np.repeat(np.clip(mixed, 0, 255), 3, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def face() -> Seen:
    """The average head, 160 px wide, in the middle."""
    points = load_face_model().head(np.zeros(52, np.float32))
    scale = 160 / np.ptp(points[:, 0])
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:468] = points * scale + [SIZE_PX / 2, SIZE_PX / 2, 0]
    landmarks[468:] = landmarks[468 - 1]
    return Seen(landmarks, np.zeros(52, np.float32))


def mixed(before: RgbImage, cover: RgbImage, opacity: float) -> RgbImage:
    return np.rint(before * (1 - opacity) + cover * opacity).astype(np.uint8)


def test_another_face_is_no_fault(face: Seen) -> None:
    """A cover of other texture, its edges included, is not taken for the true face."""
    for seed in range(1, 6):
        assert of_face(shine_through(skin(0), skin(seed), face)) is None


def test_an_untouched_face_is_raw(face: Seen) -> None:
    """The same picture, even a little darker, is raw."""
    before = skin(0)
    assert of_face(shine_through(before, before, face)) == "raw"
    assert of_face(shine_through(before, (before * 0.9).astype(np.uint8), face)) == "raw"


def test_a_cover_of_60_percent_is_see_through_and_its_share_is_told(face: Seen) -> None:
    """The slope of the detail tells how much of the true face is left."""
    before = skin(0)
    shine = shine_through(before, mixed(before, skin(1), 0.6), face)
    assert of_face(shine) == "see-through"
    assert np.mean([s.share for s in shine.regions.values()]) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("region", INNER)
def test_a_region_left_out_is_named(face: Seen, region: str) -> None:
    """Eyes, nose or mouth, bare in an otherwise covered face."""
    before, after = skin(0), skin(1)
    points = face.landmarks_px[list(INNER[region]), :2]
    (x0, y0), (x1, y1) = points.min(0).astype(int) - 2, points.max(0).astype(int) + 3
    after[y0:y1, x0:x1] = before[y0:y1, x0:x1]
    found = of_face(shine_through(before, after, face))
    assert found is not None
    assert found.startswith("region left out")
    assert region in found


def test_a_face_without_detail_is_not_judged(face: Seen) -> None:
    """A flat dark face is alike to anything; nothing is claimed of it."""
    flat = np.full((SIZE_PX, SIZE_PX, 3), 9, np.uint8)
    shine = shine_through(flat, flat, face)
    assert all(np.isnan(s.likeness) for s in shine.regions.values())
    assert of_face(shine) is None


def test_a_weak_leak_is_found_over_many_frames(face: Seen) -> None:
    """A few hundredths of the true face are missed in a single frame; in the median of many they are not."""
    shines = {}
    for frame in range(12):
        before = skin(frame)
        shines[str(frame)] = shine_through(before, mixed(before, skin(100 + frame), 0.9), face)
    assert [of_face(s) for s in shines.values()].count(None) >= 10
    (fault,) = (f for f in faults_of_faces(shines, "frames") if not f.where)
    assert isinstance(fault, Fault)
    assert fault.kind == "see-through"


def lined(lines: Sequence[tuple[float, float]], texture: int) -> RgbImage:
    """Faint skin of its own, with strong dark lines across the whole picture at those heights and slants."""
    import cv2

    out = 0.2 * (skin(texture).astype(np.float32) - 128) + 150
    y, x = np.mgrid[0:SIZE_PX, 0:SIZE_PX].astype(np.float32)
    for height, slant in lines:
        out -= (70 * np.exp(-(((y - height - slant * (x - SIZE_PX / 2)) / 2) ** 2)))[..., None]
    return np.asarray(cv2.GaussianBlur(np.clip(out, 0, 255), (0, 0), 0.7)).astype(np.uint8)


def test_lids_and_lips_that_lie_alike_are_no_fault(face: Seen) -> None:
    """Two faces in one pose share strong lines, a little apart; that is drawn, not seen through. A cover of 60 % is."""
    raw = [(80.0, 0.0), (120, 0.02), (165, -0.02)]
    drawn = [(81.2, 0.01), (118.8, 0.01), (166.2, -0.01)]
    before, after = lined(raw, 1), lined(drawn, 2)
    shine = shine_through(before, after, face)
    assert np.mean([s.likeness for s in shine.regions.values()]) > 0.42
    assert of_face(shine) is None
    assert of_face(shine_through(before, mixed(before, after, 0.6), face)) == "see-through"
