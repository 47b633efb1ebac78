"""The discriminator: judges a composite at three scales of patch and as a whole, knowing hole and context.

It shrinks by 4 × 4 kernels and by means: a 3 × 3 kernel with stride 2 looks at every other pixel more often, and the
generator draws rows of dots where it does.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IN_CHANNELS = 7  # composite RGB, hole, context RGB


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """patches: (B, 1, h, w) logits, finest first; whole: (B, 1) logits."""

    patches: tuple[Tensor, ...]
    whole: Tensor


class Discriminator(nn.Module):
    """(B, 7, S, S) -> Verdicts. Each level halves the image; the levels at S/4, S/8 and S/16 judge patches."""

    def __init__(self, size_px: int, widths: tuple[int, ...] = (24, 40, 64, 96, 128, 160)) -> None:
        super().__init__()
        levels = min(len(widths), size_px.bit_length() - 2)  # down to at least 4 px
        widths = widths[:levels]
        self.stem = nn.Conv2d(IN_CHANNELS, widths[0], 4, padding=1, stride=2)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.same = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in widths[1:])
        self.patch = nn.ModuleList(nn.Conv2d(w, 1, 3, padding=1) for w in widths[1:4])
        side = size_px // 2**levels
        self.whole = nn.Sequential(nn.Linear((widths[-1]) * side * side + 1, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, a=0.2)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for head in (*self.patch, self.whole[2]):
            assert isinstance(head, nn.Conv2d | nn.Linear)
            nn.init.normal_(head.weight, std=0.02)

    def forward(self, composite: Tensor, hole: Tensor, context: Tensor) -> Verdicts:
        x = torch.cat([composite * 2 - 1, hole, context], 1)
        x = F.leaky_relu(self.stem(x), 0.2)
        patches = []
        for level, (down, same) in enumerate(zip(self.down, self.same, strict=True)):
            x = F.leaky_relu(down(F.avg_pool2d(x, 2)), 0.2)
            x = F.leaky_relu(same(x), 0.2)
            if level < len(self.patch):
                patches.append(self.patch[level](x).float())
        spread = x.float().std(0, unbiased=False).mean().expand(len(x), 1)  # a batch of one look is a fake
        whole = self.whole(torch.cat([x.float().flatten(1), spread], 1))
        return Verdicts(tuple(patches), whole.float())
