"""Perceptual distance: the shift-tolerant LPIPS trunk (VGG16), from its weight file alone.

The published package imports torchvision and an interactive shell; only its state dict is read here,
found in the installed `stlpips-pytorch` without importing it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anonymizer.errors import ConfigError

PACKAGE, WEIGHTS = "stlpips_pytorch", "weights/vST0.0/vgg_shift_tolerant.pth"
STAGES = ((1, (0, 2)), (2, (6, 8)), (3, (12, 14, 16)))  # slice and layer numbers in the file, up to conv3_3


class PerceptualDistance(nn.Module):
    """Distance of two (B, 3, s, s) images in [0, 1]: (B,), with the published head on each of three stages."""

    def __init__(self) -> None:
        super().__init__()
        state = torch.load(weight_file(), map_location="cpu", weights_only=True)
        self.convs = nn.ModuleList()
        for stage, layers in STAGES:
            block = nn.ModuleList()
            for layer in layers:
                weight = state[f"net.slice{stage}.{layer}.weight"]
                conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
                conv.load_state_dict({"weight": weight, "bias": state[f"net.slice{stage}.{layer}.bias"]})
                block.append(conv)
            self.convs.append(block)
            self.register_buffer(f"head{stage}", state[f"lin{stage - 1}.model.1.weight"].clamp(min=0))
        self.register_buffer("shift", state["scaling_layer.shift"])
        self.register_buffer("scale", state["scaling_layer.scale"])
        self.requires_grad_(False)

    def features(self, rgb: Tensor) -> list[Tensor]:
        """Unit-length features of each stage."""
        x = (rgb * 2 - 1 - self.get_buffer("shift")) / self.get_buffer("scale")
        found = []
        for index, block in enumerate(self.convs):
            if index:
                x = F.avg_pool2d(x, 2)  # blurred maxima, as published, cost a CPU more than the convolutions
            assert isinstance(block, nn.ModuleList)
            for conv in block:
                x = F.relu(conv(x))
            length = (x * x).sum(1, keepdim=True, dtype=torch.float32)
            found.append(x * torch.rsqrt(length + 1e-8).to(x.dtype))
        return found

    def forward(self, got: Tensor, want: Tensor, where: Tensor) -> Tensor:
        """where (B, 1, s, s): the share of each px's part in the distance."""
        with torch.no_grad():
            targets = self.features(want)
        total = torch.zeros(len(got), device=got.device)
        for (stage, _), a, b in zip(STAGES, self.features(got), targets, strict=True):
            difference = a - b
            distance = F.conv2d(difference * difference, self.get_buffer(f"head{stage}")).float()
            counted = F.adaptive_avg_pool2d(where, (distance.shape[-2], distance.shape[-1]))
            total = total + (distance * counted).mean((1, 2, 3))
        return total


def weight_file() -> Path:
    """Where the installed package keeps the weights; ConfigError when it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError("the perceptual loss needs `stlpips-pytorch`; install it, or set [loss] perceptual = 0")
    return Path(found.origin).parent / WEIGHTS
