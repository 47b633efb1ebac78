"""CenterFace, the full-range detector and the person mask, run for real on drawn pictures."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.errors import WeightsError
from anonymizer.faces import Box
from anonymizer.frames import Frame
from anonymizer.perceive.centerface import CenterFace, input_size
from anonymizer.perceive.detections import Detection, same_face, suppressed
from anonymizer.perceive.fullrange import FullRange
from anonymizer.perceive.network import Network
from anonymizer.perceive.onnx_shapes import with_free_size
from anonymizer.perceive.person import PersonMasker
from tests.perceive.drawn_face import draw_face, empty_room


@pytest.fixture(scope="module")
def centerface() -> CenterFace:
    return CenterFace()


@pytest.fixture(scope="module")
def full_range() -> FullRange:
    return FullRange()


@pytest.mark.parametrize(("width", "height"), [(640, 360), (361, 641), (97, 403)])
def test_centerface_finds_a_face_at_odd_sizes(centerface: CenterFace, width: int, height: int) -> None:
    """Whatever the frame's size, the box lies on the face in frame pixels."""
    rgb = empty_room(width, height)
    draw_face(rgb, (width // 2, height // 2), 90)
    best = centerface.detect(rgb, 640, 0.2)[0]
    assert best.box.iou(Box(width / 2 - 36, height / 2 - 45, width / 2 + 36, height / 2 + 47)) > 0.5


def test_centerface_answers_alike_at_several_scales(centerface: CenterFace) -> None:
    """The scale a frame is looked at changes the box by little."""
    rgb = empty_room()
    draw_face(rgb, (300, 170), 120)
    boxes = [centerface.detect(rgb, side, 0.2)[0].box for side in (480, 640)]
    assert boxes[0].iou(boxes[1]) > 0.7


def test_detectors_say_nothing_of_an_empty_room(centerface: CenterFace, full_range: FullRange) -> None:
    """No face, no box."""
    assert centerface.detect(empty_room(), 640, 0.3) == ()
    assert full_range.detect(empty_room(), 0.5) == ()


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640)])
def test_full_range_finds_a_face_in_wide_and_tall_frames(full_range: FullRange, width: int, height: int) -> None:
    """The letterbox is undone: the box lies on the face."""
    rgb = empty_room(width, height)
    draw_face(rgb, (width // 2 + 40, height // 2 - 20), 120)
    best = full_range.detect(rgb)[0]
    assert best.box.iou(Box(width / 2 - 4, height / 2 - 80, width / 2 + 84, height / 2 + 40)) > 0.45


def test_input_sizes_are_steps_of_32_in_the_frames_shape() -> None:
    """The network's input is a multiple of 32 on both sides and never empty."""
    assert input_size((1280, 720), 640) == (640, 384)
    assert input_size((720, 1280), 480) == (288, 480)
    assert input_size((2000, 20), 640) == (640, 32)


def test_suppression_keeps_the_best_of_each_face() -> None:
    """Overlapping boxes and a box within a box mean one face; neighbours stay."""
    boxes = [Box(0, 0, 10, 10), Box(1, 1, 11, 11), Box(2, 2, 9, 9), Box(12, 0, 22, 10)]
    kept = suppressed(Detection(box, score) for box, score in zip(boxes, (0.5, 0.9, 0.8, 0.4), strict=True))
    assert [each.score for each in kept] == [0.9, 0.4]
    assert not same_face(Box(0, 0, 100, 100), Box(10, 10, 20, 20))


def test_the_person_mask_covers_a_person_and_not_the_room() -> None:
    """A big head and neck are marked; an empty room hardly is."""
    masker = PersonMasker()
    rgb = empty_room()
    draw_face(rgb, (320, 150), 220)
    mask = masker.mask(Frame(rgb))
    assert mask.shape == (360, 640)
    assert set(np.unique(mask)) <= {0, 255}
    assert mask[150, 320] == 255
    assert mask[:, :60].mean() < 25
    assert masker.mask(Frame(empty_room())).mean() < 25


def test_a_broken_network_is_refused_in_words() -> None:
    """Bytes that are no network raise WeightsError with the network's name."""
    with pytest.raises(WeightsError, match="nonsense cannot be loaded"):
        Network(b"TFL3 no network at all", "nonsense")


def test_a_broken_protobuf_is_refused() -> None:
    """A file that ends in the middle of a field is not taken for a network."""
    with pytest.raises(ValueError, match="ends early"):
        with_free_size(b"\x3a\x7f\x00")
