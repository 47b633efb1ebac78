"""A persona's skin goes on to the ears, and nothing else of the face moves for it."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.persona.apron import BACK_CM, OUT_CM, apron_cm
from anonymizer.persona.face_model import project
from anonymizer.persona.landmark_groups import EYE_LEFT, EYE_RIGHT, LIPS_INNER
from tests.heads import MODEL, code, turned

EAR_LEFT, EAR_RIGHT = 234, 454  # of the rim, before the ears
CHIN, BROW, NOSE = 152, 10, 1


def test_only_the_sides_go_on_and_both_alike() -> None:
    """Backwards and outwards before the ears by the whole way; eyes, nose, lips, chin and forehead stay."""
    moved = apron_cm(MODEL)
    np.testing.assert_allclose(moved[EAR_RIGHT], [OUT_CM, 0, BACK_CM], atol=0.02)
    np.testing.assert_allclose(moved[EAR_LEFT], [-OUT_CM, 0, BACK_CM], atol=0.02)
    assert not moved[[*EYE_LEFT, *EYE_RIGHT, *LIPS_INNER, CHIN, BROW, NOSE]].any()


def test_a_profile_reaches_its_ear() -> None:
    """Seen from the side the face ends further back by BACK_CM, seen from the front it is wider by OUT_CM a side."""
    assert grown_cm(90) == pytest.approx(BACK_CM, abs=0.05)
    assert grown_cm(0) == pytest.approx(OUT_CM, abs=0.02)


def grown_cm(yaw: float) -> float:
    """By how much the drawn face reaches further to either side, at most, in a head turned by so many degrees."""
    pose = code(rotation=turned(yaw))
    plain, wider = (project(pose, shape)[:, 0] for shape in (MODEL.neutral_cm, MODEL.neutral_cm + apron_cm(MODEL)))
    return float(max(plain.min() - wider.min(), wider.max() - plain.max())) / pose.scale_px_per_cm


def test_the_jaw_keeps_its_edge() -> None:
    """From below the cheeks on nothing moves outwards, and along the chin nothing at all."""
    moved = apron_cm(MODEL)
    jaw = MODEL.neutral_cm[:, 1] > 2.5
    assert jaw.any()
    assert not moved[jaw, 0].any()
    assert not moved[MODEL.neutral_cm[:, 1] > 6.5].any()
