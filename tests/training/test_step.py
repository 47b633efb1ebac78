"""What the critic is shown: rims as they are, and of the guide's inside its light alone. In which precision."""

from __future__ import annotations

import pytest
import torch

from anonymizer.generate.conditioning import CHANNELS, COVERAGE
from training.config import TrainConfig
from training.step import _shown, half_precision, light_of

SIZE = 64


def _covered() -> torch.Tensor:
    conditioning = torch.zeros(1, len(CHANNELS), SIZE, SIZE)
    conditioning[:, COVERAGE, 8:56, 8:56] = 1
    return conditioning


def test_features_are_hidden_from_the_critic_and_light_is_not() -> None:
    """A chequered inside looks grey; one that is brighter on the left looks so; the rim is seen px by px."""
    grey, blend = torch.full((1, 3, SIZE, SIZE), 0.5), torch.ones(1, 1, SIZE, SIZE)
    chequered, lit = grey.clone(), grey.clone()
    chequered[..., ::2, ::2], chequered[..., 1::2, 1::2] = 0.7, 0.3
    lit[..., :32] = 0.8
    config = TrainConfig()
    shown, counted = _shown(chequered, _covered(), blend, config)
    inside = slice(24, 40)
    torch.testing.assert_close(shown[..., inside, inside], grey[..., inside, inside], atol=0.02, rtol=0)
    assert float(counted[..., inside, inside].max()) < 0.01
    assert torch.equal(shown[..., :6, :], chequered[..., :6, :])
    shown, _ = _shown(lit, _covered(), blend, config)
    assert float(shown[..., inside, 16:22].mean() - shown[..., inside, 42:48].mean()) > 0.25


def test_a_critic_of_everything_sees_everything() -> None:
    """judge_rim = false hides nothing."""
    images, blend = torch.rand(1, 3, SIZE, SIZE), torch.ones(1, 1, SIZE, SIZE)
    shown, counted = _shown(images, _covered(), blend, TrainConfig(judge_rim=False))
    assert torch.equal(shown, images)
    assert torch.equal(counted, blend)


def test_light_keeps_the_mean() -> None:
    """Blurring neither brightens nor darkens."""
    images = torch.rand(2, 3, SIZE, SIZE)
    assert abs(float(light_of(images).mean() - images.mean())) < 0.01


@pytest.mark.parametrize(("has", "wanted"), [(True, torch.bfloat16), (False, torch.float32)])
def test_cpus_without_bfloat16_learn_in_float32(
    has: bool, wanted: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it would take ten times as long."""
    monkeypatch.setattr("training.step._cpu_has_bfloat16", lambda: has)
    with half_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is wanted
