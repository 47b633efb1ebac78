"""What a cheap camera makes of a photo: exposure, white balance, haze, weak colours, softness and noise.

Photos of training data are sharp and rich; a webcam's frames are not. SELF's guide stays the rich photo, so that the
network learns to bring a guide down to the picture around it, by its sharpness too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from training.augment import Batch

RICH = 0.35  # share of the photos that stay as they are
EXPOSURE, WHITE_BALANCE = 0.25, 0.08  # log gain: all channels, each channel
LEAST_CONTRAST, LEAST_SATURATION = 0.55, 0.45
HAZE = 0.12  # light that is added everywhere, of full white
NOISE = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """gain (B, 3, 1, 1); the others (B, 1, 1, 1). contrast, saturation: 1 = as it was. softness: 0 to 1."""

    gain: Tensor
    contrast: Tensor
    saturation: Tensor
    haze: Tensor
    softness: Tensor
    noise: Tensor


def draw_camera(count: int) -> Camera:
    """Random cameras, drawn on the CPU."""
    poor = (torch.rand(count, 1, 1, 1) > RICH).float()
    gain = torch.randn(count, 1, 1, 1) * EXPOSURE + torch.randn(count, 3, 1, 1) * WHITE_BALANCE
    contrast, saturation, haze, softness, noise = torch.rand(5, count, 1, 1, 1) * poor
    return Camera(
        torch.exp(gain * poor),
        1 - contrast * (1 - LEAST_CONTRAST),
        1 - saturation * (1 - LEAST_SATURATION),
        haze * HAZE,
        softness,
        noise**2 * NOISE,
    )


def through_camera(batch: Batch, camera: Camera) -> Batch:
    """The batch as that camera would have taken it; `guide_photo` stays. Its noise is left to the
    context: a generator that must show noise which it cannot draw makes dots."""
    device = batch.photo.device
    gain, contrast, saturation, haze, softness, noise = (
        value.to(device)
        for value in (
            camera.gain,
            camera.contrast,
            camera.saturation,
            camera.haze,
            camera.softness,
            camera.noise,
        )
    )
    rgb = batch.photo * gain
    grey = rgb.mean(1, keepdim=True)
    rgb = grey + (rgb - grey) * saturation
    middle = rgb.mean((2, 3), keepdim=True)
    rgb = middle + (rgb - middle) * contrast + haze
    rgb = soften(rgb, softness)
    return replace(batch, photo=rgb.clamp(0, 1), softness=softness, noise=noise)


def soften_inside(rgb: Tensor, coverage: Tensor, softness: Tensor) -> Tensor:
    """The same where coverage (B, 1, S, S) is above 0, looking nowhere else: no dark rim comes in."""
    inside = (coverage > 0).float()
    straight = soften(rgb * inside, softness) / soften(inside, softness).clamp(min=1e-2)
    return straight * inside


def soften(rgb: Tensor, softness: Tensor) -> Tensor:
    """Blur by softness (B, 1, 1, 1): 0 = not at all, .5 = a box of 3 px twice, 1 = one of 5 px twice."""
    half = box_mean(box_mean(rgb, 3), 3)
    return torch.lerp(
        torch.lerp(rgb, half, (softness * 2).clamp(max=1)),
        box_mean(box_mean(rgb, 5), 5),
        (softness * 2 - 1).clamp(min=0),
    )


def box_mean(rgb: Tensor, side: int) -> Tensor:
    """Means of side × side px; on a CPU sums of shifted planes take a fraction of the time of `avg_pool2d`."""
    margin = side // 2
    rgb = F.pad(rgb, (margin,) * 4, mode="replicate")
    for dim in (2, 3):
        length = rgb.shape[dim] - side + 1
        total = rgb.narrow(dim, 0, length) + rgb.narrow(dim, 1, length)
        for shift in range(2, side):
            total += rgb.narrow(dim, shift, length)
        rgb = total
    return rgb / side**2
