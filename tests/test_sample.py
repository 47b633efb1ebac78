"""The clip that comes with the package: small, with sound, and one face to find all along."""

from __future__ import annotations

import av
import numpy as np
import pytest

from anonymizer.app import SAMPLE
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.finder import Finder

MOMENTS_S = (0.2, 1.8, 2.75, 4.3, 6.5)  # ahead, turned one way, lids closed, turned the other way, smiling


@pytest.fixture(scope="module")
def pictures() -> dict[int, RgbImage]:
    """Frames of the clip by their number."""
    with av.open(str(SAMPLE)) as clip:
        return {
            i: np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for i, frame in enumerate(clip.decode(video=0))
        }


def test_the_sample_is_small_and_its_pictures_move(pictures: dict[int, RgbImage]) -> None:
    """At most 1.5 MB, 6 to 8 s at 25 frames a second, 640 × 640 px, and no frame equals the one a second later."""
    assert SAMPLE.stat().st_size <= 1_500_000
    assert 6 * 25 <= len(pictures) <= 8 * 25
    assert {rgb.shape for rgb in pictures.values()} == {(640, 640, 3)}
    for i in range(0, len(pictures) - 25, 25):
        assert np.abs(pictures[i].astype(int) - pictures[i + 25]).mean() > 1


def test_the_sample_has_sound_with_speech_and_pauses() -> None:
    """AAC as long as the pictures, loud while the person speaks and quiet in between."""
    with av.open(str(SAMPLE)) as clip:
        assert clip.streams.audio[0].codec_context.name == "aac"
        rate_hz = clip.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray()[0] for frame in clip.decode(audio=0)])
    assert 6.5 < len(sound) / rate_hz < 8
    level = [float(sound[int(t * rate_hz) : int((t + 0.2) * rate_hz)].std()) for t in (0.1, 1.2, 2.8, 3.5, 4.6, 5.4)]
    assert max(level[0::2]) * 10 < min(level[1::2])


def test_one_face_is_found_at_every_moment_of_the_sample(pictures: dict[int, RgbImage]) -> None:
    """The head turns, blinks and smiles, and stays one face with landmarks."""
    with Finder() as finder:
        for moment_s in MOMENTS_S:
            faces = finder.find(Frame(pictures[round(moment_s * 25)]))
            assert len(faces) == 1
            assert faces[0].landmarks_px is not None


def test_the_sample_carries_no_tags() -> None:
    """Nothing tells when, where or by which program it was made."""
    with av.open(str(SAMPLE)) as clip:
        tags = set(clip.metadata) - {"major_brand", "minor_version", "compatible_brands"}
        assert not tags
