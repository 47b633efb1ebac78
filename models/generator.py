"""The generator: a U-Net that lights the guide, paints what the guide lacks, and says which shows where.

Built for int8 and small CPUs: 3×3 and 1×1 convolutions, ReLU, bilinear upsampling, no normalisation,
and nothing but the first and the last step at full size, where memory would set the pace.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anonymizer.generate.conditioning import CHANNELS, COVERAGE, GUIDE, HOLE
from models.fill import fills

NETWORK = "unet-fill-10"  # changes whenever the same weights would mean something else
GRID_LEVEL = 2  # 2 ** (2 + 1) = GRID_DIVISOR
GAIN_LOG_LIMIT = 1.2  # gains from 0.3 to 3.3
BIAS_LIMIT = 0.5
HUE_CELLS = 4  # of the crop's side: the light's hue changes slowly over a face
LIGHT_CELLS = 4  # of the crop's side, over which light is free; within a cell its log gain is held to FINE_LIMIT:
FINE_LIMIT = 0.15  # free there, it had learnt photos by heart, and others' faces were patched with spots and bands
CORE_CELLS = 48  # of the crop's side: two inside its rim, half of one at the chin, the guide is shown as it is
PAINT_LIMIT = 1.5  # of what is painted over the smooth fill, in logits; without it cheeks glowed, ears had smears
PAINT_HUE = 0.5  # of the hue that is painted, as smooth as the grid: free hues were teal and orange specks at rims
START_ODDS = (3.0, 1.0, -1.0, -1.0)  # logits of the three fills and the shade before anything is learnt
SHADE_HUE = 0.5  # of the first fill's: with hues of its own hair beside light walls was teal
HAZE = 0.4  # of the bias while it learns; the rest becomes gain, which keeps the guide's contrast. In use 0
# In use, of how much lighter one cheek is than the other: what learns by its error says too little. Over 73 made
# portraits that were not learnt from, log brightness falls by .36 (standard deviation) over half a face, and fell by
# .20 (correlation .78), with 1.5 by .29 (.82). Of light from above the surroundings say nothing (.05).
SIDE_LIGHT = 1.4
SHADE_SHARE = 0.5  # of that the light side loses: cameras expose for it, and it would burn out
SIDE_REACH = 0.5  # of half the crop, from the face's middle; beyond it light stays as it is there


@dataclass(frozen=True, slots=True)
class GeneratorShape:
    """size_px: S. widths: channels of level k, which works at S / 2**(k + 1). depth: residual blocks at the bottom.
    direct: colours are painted, with neither colour grid, fill nor matte: what the grid is compared with."""

    size_px: int
    widths: tuple[int, ...]
    depth: int = 2
    direct: bool = False


PRESETS = {
    "tiny32": GeneratorShape(32, (8, 12, 16), 1),  # for tests
    "face64": GeneratorShape(64, (32, 64, 112)),  # for ablations, with the next
    "face64-direct": GeneratorShape(64, (32, 64, 112), direct=True),
    "face128": GeneratorShape(128, (32, 64, 112, 176)),
    "face192": GeneratorShape(192, (32, 64, 112, 176)),  # as face128, whose weights it starts from
    "face256": GeneratorShape(256, (16, 32, 64, 112, 176)),  # face128's and a level; 28 there: a third slower in int8
}


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The generator's answer: gain, bias (B, 3, G, G); inpaint (B, 3, S, S); matte (B, 1, S, S)."""

    gain: Tensor
    bias: Tensor
    inpaint: Tensor
    matte: Tensor


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))); started as the identity by its owner."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(act(self.first(act(x))))
        return x + out


class Generator(nn.Module):
    """(B, 11, S, S) conditioning -> gain, bias, inpaint, matte. Persona and style come with the guide."""

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        if len(shape.widths) <= GRID_LEVEL or shape.size_px % 2 ** len(shape.widths):
            raise ValueError(f"{shape} has no level for the colour grid, or a size that cannot be halved so often")
        self.shape, widths = shape, shape.widths
        self.stem = nn.Conv2d(len(CHANNELS), widths[0], 4, stride=2, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in itertools.pairwise(widths))
        self.same = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in widths)
        self.bottom = nn.Sequential(*(Residual(widths[-1]) for _ in range(shape.depth)))
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in itertools.pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in widths[:-1])
        self.grid = nn.Conv2d(widths[GRID_LEVEL], 7, 3, padding=1)  # gain, bias; brightness of the shade
        # Paint's grey and the matte of 2 × 2 px each, odds of the fills, paint's hue; 16 are computed at once. Direct:
        # colours of 2 × 2 px.
        self.image = nn.Conv2d(widths[0], 12 if shape.direct else 4 + 4 + len(START_ODDS) + 3, 3, padding=1)
        self._start_as_a_paste()

    def _start_as_a_paste(self) -> None:
        """Identity colour grid, the smooth fill, and a matte near 1: the untrained network pastes the guide."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        for module in self.bottom:
            if isinstance(module, Residual):
                nn.init.zeros_(module.second.weight)
        nn.init.zeros_(self.grid.weight)
        with torch.no_grad():
            self.image.weight.mul_(0.05)
            if self.image.bias is not None and not self.shape.direct:
                self.image.bias[4:8] = 2.0  # sigmoid(2) = .88
                self.image.bias[8:12] = torch.tensor(START_ODDS)

    def forward(self, conditioning: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = act(self.same[0](act(self.stem(conditioning))))
        skips = [x]
        for down, same in zip(self.down, self.same[1:], strict=True):
            x = act(same(act(down(x))))
            skips.append(x)
        x = act(self.bottom(x))
        grid = self.grid(x) if len(skips) == GRID_LEVEL + 1 else x
        for level in range(len(self.up) - 1, -1, -1):
            x = _doubled(self.narrow[level](x)) + skips[level]
            x = act(self.up[level](act(x)))
            if level == GRID_LEVEL:
                grid = self.grid(x)
        light = torch.tanh(grid[:, :6].float())
        light = _mean3(_one_hue(light.reshape(-1, 3, *light.shape[2:]))).reshape(light.shape)  # as one batch: quicker
        gain, bias = light.chunk(2, 1)
        gain, bias = _less_haze(torch.exp(gain * GAIN_LOG_LIMIT), bias * BIAS_LIMIT, conditioning)
        gain = torch.exp(_no_spots(torch.log(gain)))
        if not self.training:
            gain, bias = _in_use(gain, bias, conditioning)
        answer = self.image(x).float()
        if self.shape.direct:
            image = torch.sigmoid(F.pixel_shuffle(answer, 2))
            return gain, bias, image, torch.zeros_like(image[:, :1])
        painted, matte = _without_dots(F.pixel_shuffle(answer[:, :8], 2)).chunk(2, 1)
        pictures = fills(conditioning, gain, bias)
        shade = _shade(_mean3(torch.sigmoid(grid[:, 6:].float())), pictures[0])
        start = _chosen((*pictures, shade), answer[:, 8:12]).clamp(0.02, 0.98)  # shuffled, odds made ripples
        start = torch.log(start / (1 - start)) + _hue(answer[:, 12:])
        inpaint = torch.sigmoid(_doubled(start) + PAINT_LIMIT * torch.tanh(painted / PAINT_LIMIT))
        return gain, bias, inpaint, torch.maximum(torch.sigmoid(matte), core(conditioning[:, COVERAGE]))


def _chosen(pictures: tuple[Tensor, ...], odds: Tensor) -> Tensor:
    """A mean of pictures (B, 3, h, w) with shares from odds (B, N, h, w), logits: edges and hues of what is there."""
    shares = torch.exp(odds - odds.amax(1, keepdim=True))  # ONNX Runtime's softmax takes ten times as long
    mixed = torch.zeros_like(pictures[0])
    for i, picture in enumerate(pictures):
        mixed = mixed + shares[:, i : i + 1] * picture
    return mixed / shares.sum(1, keepdim=True)


def _shade(brightness: Tensor, picture: Tensor) -> Tensor:
    """(B, 3, h, w) of that brightness (B, 1, G, G), half as colourful as picture: side hair, a chin's shadow."""
    tint = picture / picture.mean(1, keepdim=True).clamp(min=0.05)
    return (_at_size(brightness, picture) * (1 + SHADE_HUE * (tint - 1))).clamp(0, 1)


def _one_hue(grid: Tensor) -> Tensor:
    """(B, 3, G, G) with what its channels differ by held to HUE_CELLS² smooth cells: no blue noses."""
    grey = grid.mean(1, keepdim=True)
    return grey + _at_size(_cells(grid - grey, HUE_CELLS), grid)


def _hue(painted: Tensor) -> Tensor:
    """(B, 3, h, w) at half size -> logits that add hue alone, PAINT_HUE of it, as smooth as the colour grid."""
    hue = _mean3(F.avg_pool2d(painted - painted.mean(1, keepdim=True), 2**GRID_LEVEL))
    return _at_size(PAINT_HUE * PAINT_LIMIT * torch.tanh(hue / PAINT_LIMIT), painted)


def _no_spots(log_gain: Tensor) -> Tensor:
    """(B, 3, G, G) held to FINE_LIMIT away from what it is over LIGHT_CELLS²: side light, but no spots."""
    coarse = _at_size(_mean3(_cells(log_gain, LIGHT_CELLS)), log_gain)
    return coarse + FINE_LIMIT * torch.tanh((log_gain - coarse) / FINE_LIMIT)


def _less_haze(gain: Tensor, bias: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
    """The same light on the guide's mean colour by more gain and less bias."""
    mean = _mean_guide(conditioning).mean(1, keepdim=True).clamp(min=0.05)
    return (gain + (1 - HAZE) * bias / mean).clamp(min=0.1), HAZE * bias


def _mean_guide(conditioning: Tensor) -> Tensor:
    """(B, 3, 1, 1): the guide's mean colour, 0 without a guide."""
    coverage = conditioning[:, COVERAGE]
    guide = ((conditioning[:, GUIDE] + coverage) / 2).sum((2, 3), keepdim=True)  # 0 where coverage is 0
    return guide / coverage.sum((2, 3), keepdim=True).clamp(min=1)


def _in_use(gain: Tensor, bias: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
    """The light stronger from a side, and without haze, which is the scene's (`anonymizer.generate.veil`). While it
    learns, the network would say the less of the one, and miss the other where photos have it."""
    gain = gain + bias / _mean_guide(conditioning).clamp(min=0.05)
    return _from_a_side(gain.clamp(min=0.1), conditioning[:, COVERAGE]), torch.zeros_like(bias)


def _from_a_side(gain: Tensor, coverage: Tensor) -> Tensor:
    """(B, 3, G, G) with SIDE_LIGHT of the straight line through its log brightness across the guide."""
    log_gain = torch.log(gain)
    weight = _cells(coverage, log_gain.shape[-1])
    weight = weight / weight.sum((2, 3), keepdim=True).clamp(min=1e-3)
    at = torch.linspace(-1, 1, log_gain.shape[-1], device=log_gain.device)[None, None, None]
    across = at - (weight * at).sum((2, 3), keepdim=True)
    slope = (weight * across * log_gain.mean(1, keepdim=True)).sum((2, 3), keepdim=True)
    slope = slope / (weight * across.square()).sum((2, 3), keepdim=True).clamp(min=1e-3)
    more = slope * across.clamp(-SIDE_REACH, SIDE_REACH) - slope.abs() * SHADE_SHARE * SIDE_REACH
    return torch.exp(log_gain + (SIDE_LIGHT - 1) * more)


def core(coverage: Tensor) -> Tensor:
    """Coverage (B, 1, S, S) -> (B, 1, S, S): 0 at the guide's rim and outside, rising to 1 two of CORE_CELLS inside;
    below its middle half of one: no hair hangs over a chin, and chins were painted over with dark crescents."""
    cells = F.interpolate(coverage.float(), size=(CORE_CELLS, CORE_CELLS), mode="bilinear", align_corners=False)
    fine = F.interpolate(coverage.float(), size=(2 * CORE_CELLS,) * 2, mode="bilinear", align_corners=False)
    inner = _doubled(_rising(2 * _mean3(_mean3(cells)) - 1))
    chin = _rising(2 * _mean3(fine) - 1) * _at_size(_lower(cells), inner[..., :1])
    return _at_size(torch.maximum(inner, chin), coverage)


def _rising(x: Tensor) -> Tensor:
    """Smoothly from 0 to 1."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def _lower(coverage: Tensor) -> Tensor:
    """(B, 1, h, w) -> (B, 1, h, 1): 0 down to the middle of its rows, 1 a standard deviation further down."""
    rows = coverage.mean(3, keepdim=True)
    share = rows / rows.sum(2, keepdim=True).clamp(min=1e-3)
    at = torch.linspace(0, 1, coverage.shape[2], device=coverage.device)[None, None, :, None]
    middle = (share * at).sum(2, keepdim=True)
    spread = (share * (at - middle).square()).sum(2, keepdim=True).clamp(min=1e-6).sqrt()
    return ((at - middle) / spread).clamp(0, 1)


def _cells(x: Tensor, cells: int) -> Tensor:
    return F.avg_pool2d(x, max(x.shape[-1] // cells, 1))


def _at_size(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _mean3(x: Tensor) -> Tensor:
    """Means of 3 × 3: a convolution of single planes takes ONNX Runtime less time than `avg_pool2d`, in fewer steps."""
    planes = F.pad(x, (1, 1, 1, 1), mode="replicate").flatten(0, 1).unsqueeze(1)
    means = F.conv2d(planes, torch.full((1, 1, 3, 3), 1 / 9, device=x.device, dtype=x.dtype))
    return means.to(x.dtype).reshape(x.shape)  # in half precision a convolution's answers are halves


def _without_dots(x: Tensor) -> Tensor:
    """(B, C, S, S) blurred by about 1.2 px, (1, 2, 2, 2, 1) each way, which lets nothing of a period of 2 or 4 px
    through: free to set each px apart, training strung dots along holes and guides."""
    x = F.pad(x, (2, 2, 2, 2), mode="replicate")  # sums of planes: a convolution takes twice as long here
    x = x[..., :-4, :] + 2 * (x[..., 1:-3, :] + x[..., 2:-2, :] + x[..., 3:-1, :]) + x[..., 4:, :]
    return (x[..., :-4] + 2 * (x[..., 1:-3] + x[..., 2:-2] + x[..., 3:-1]) + x[..., 4:]) / 64


def _doubled(x: Tensor) -> Tensor:
    """Twice the size, smoothly: copied pixels drew a fine grid into hair and walls."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def act(x: Tensor) -> Tensor:
    return F.relu(x)  # part of int8's convolution; a leaky one is rounded twice, and takes time of its own


def stack_conditioning(photo: Tensor, hole: Tensor, guide: Tensor, coverage: Tensor, normals: Tensor) -> Tensor:
    """The channels of `anonymizer.generate.conditioning`, (B, 11, S, S), from colours in [0, 1]."""
    return torch.cat([(photo * 2 - 1) * (1 - hole), hole, (guide * 2 - 1) * coverage, coverage, normals], 1)


def shown(layers: Layers, conditioning: Tensor) -> Tensor:
    """What the layers show before the frame comes back, (B, 3, S, S); colours are not clipped."""
    coverage = conditioning[:, COVERAGE]
    guide = (conditioning[:, GUIDE] + coverage) / 2  # straight colour where coverage is 1
    size = guide.shape[-2:]
    gain = F.interpolate(layers.gain, size=size, mode="bilinear", align_corners=False)
    bias = F.interpolate(layers.bias, size=size, mode="bilinear", align_corners=False)
    matte = layers.matte
    return matte * (gain * guide + bias * coverage) + (1 - matte * coverage) * layers.inpaint


def compose(layers: Layers, conditioning: Tensor, photo: Tensor, blend: Tensor) -> Tensor:
    """photo outside, the layers inside, joined over the ring where blend falls from 1 to 0."""
    return photo + blend * (shown(layers, conditioning) - photo)


def hole_of(conditioning: Tensor) -> Tensor:
    return conditioning[:, HOLE]
