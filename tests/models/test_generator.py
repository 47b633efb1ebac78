"""The networks: sizes, the untrained start, and what compositing promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anonymizer.errors import WeightsError
from anonymizer.faces import FaceCrop
from anonymizer.generate.conditioning import (
    CHANNELS,
    COVERAGE,
    GRID_DIVISOR,
    GUIDE,
    GeneratorSpec,
    condition,
    metadata_of,
    read_spec,
)
from models.discriminator import Discriminator
from models.generator import (
    FINE_LIMIT,
    GRID_LEVEL,
    PRESETS,
    SHADE_SHARE,
    SIDE_LIGHT,
    SIDE_REACH,
    Generator,
    Layers,
    _chosen,
    _from_a_side,
    _in_use,
    _less_haze,
    _no_spots,
    _without_dots,
    compose,
    core,
    shown,
    stack_conditioning,
)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_each_preset_answers_in_the_promised_sizes(preset: str) -> None:
    """Grid of S / 8, inpainting and matte of S."""
    size = PRESETS[preset].size_px
    with torch.device("meta"), torch.no_grad():
        gain, bias, inpaint, matte = Generator(PRESETS[preset])(torch.zeros(1, len(CHANNELS), size, size))
    assert gain.shape == bias.shape == (1, 3, size // GRID_DIVISOR, size // GRID_DIVISOR)
    assert inpaint.shape == (1, 3, size, size)
    assert matte.shape == (1, 1, size, size)
    assert 2 ** (GRID_LEVEL + 1) == GRID_DIVISOR


def test_the_untrained_network_shows_mostly_the_guide() -> None:
    """Before training the colour grid is the identity, the matte near 1, the inpainting a colour."""
    torch.manual_seed(0)
    conditioning = _conditioning(torch.ones(2, 1, 32, 32))
    with torch.no_grad():
        layers = Layers(*Generator(PRESETS["tiny32"])(conditioning))
    assert float(layers.matte.mean()) > 0.8
    torch.testing.assert_close(layers.gain, torch.ones_like(layers.gain))
    torch.testing.assert_close(layers.bias, torch.zeros_like(layers.bias))
    assert 0 <= float(layers.inpaint.min()) <= float(layers.inpaint.max()) <= 1


def test_a_guide_that_is_not_there_cannot_show() -> None:
    """Where coverage is 0 the inpainting alone is shown, whatever the matte says."""
    conditioning = _conditioning(torch.zeros(2, 1, 32, 32))
    inpaint = torch.rand(2, 3, 32, 32)
    layers = Layers(torch.ones(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.4), inpaint, torch.ones(2, 1, 32, 32))
    torch.testing.assert_close(shown(layers, conditioning), inpaint)


def test_outside_the_blend_the_photo_is_untouched() -> None:
    """compose gives the photo bit for bit where blend is 0, and the layers where it is 1."""
    conditioning = _conditioning(torch.ones(2, 1, 32, 32))
    layers = Layers(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), torch.rand(2, 3, 32, 32), torch.rand(2, 1, 32, 32))
    photo, blend = torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) < 0.5).float()
    out = compose(layers, conditioning, photo, blend)
    assert torch.equal(out[(blend == 0).expand_as(out)], photo[(blend == 0).expand_as(out)])
    torch.testing.assert_close(
        out[(blend == 1).expand_as(out)], shown(layers, conditioning)[(blend == 1).expand_as(out)]
    )


def test_training_and_live_use_condition_alike() -> None:
    """torch's channels equal those of anonymizer.generate.conditioning, for soft masks too."""
    rng = np.random.default_rng(0)
    draw = {
        name: rng.random((32, 32, n)).astype(np.float32)
        for name, n in (("photo", 3), ("guide", 3), ("hole", 1), ("cover", 1))
    }
    normals = rng.uniform(-1, 1, (32, 32, 3)).astype(np.float32)
    context = draw["photo"] * (1 - draw["hole"])
    crop = FaceCrop(context, draw["hole"][..., 0], draw["guide"], draw["cover"][..., 0], normals, np.eye(2, 3))
    photo, hole, guide, cover, geometry = (
        torch.from_numpy(a.transpose(2, 0, 1)[None].copy())
        for a in (draw["photo"], draw["hole"], draw["guide"], draw["cover"], normals)
    )
    ours = stack_conditioning(photo, hole, guide, cover, geometry)[0].numpy()
    np.testing.assert_allclose(ours, condition(crop), atol=1e-6)


def test_the_channel_order_is_fixed() -> None:
    """Context, hole, guide, coverage, normals: a file trained with another order must not load."""
    assert [name.split("_")[0] for name in CHANNELS] == ["context"] * 3 + ["hole"] + ["guide"] * 4 + ["normal"] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec_version": "9"}, "made for guided-face v9, this build speaks guided-face v1"),
        ({"channels": "a,b"}, "expects 2 input channels, this build conditions 11"),
        ({"channels": ",".join(reversed(CHANNELS))}, "expects the channel normal_z where this build gives context_r"),
        ({"size_px": "100"}, "size 100 px, wanted a multiple of 8"),
        ({"size_px": "big"}, "is no generator"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(change: dict[str, str], message: str) -> None:
    """WeightsError says what the file wants, what this build gives, and what to do."""
    spec = GeneratorSpec("guided-face", 1, 128, CHANNELS, 5, "ab")
    assert read_spec(metadata_of(spec), "x") == spec
    with pytest.raises(WeightsError, match=message):
        read_spec({**metadata_of(spec), **change}, "x")


def test_the_critic_judges_patches_at_three_scales_and_the_whole() -> None:
    """At 128 px: patches of 32², 16² and 8², and one logit an image."""
    with torch.no_grad():
        verdicts = Discriminator(128)(
            torch.rand(2, 3, 128, 128), torch.ones(2, 1, 128, 128), torch.zeros(2, 3, 128, 128)
        )
    assert [p.shape[-1] for p in verdicts.patches] == [32, 16, 8]
    assert verdicts.whole.shape == (2, 1)


def _conditioning(coverage: torch.Tensor) -> torch.Tensor:
    count, _, size, _ = coverage.shape
    pictures = torch.rand(2, count, 3, size, size)
    guide = pictures[1] * (coverage > 0)
    return stack_conditioning(
        pictures[0], torch.ones(count, 1, size, size), guide, coverage, torch.zeros(count, 3, size, size)
    )


def test_nothing_is_painted_over_the_guides_inside() -> None:
    """The matte is 1 well inside the guide and what the network says at its rim, while it learns as well."""
    generator, conditioning = Generator(PRESETS["tiny32"]), _conditioning(torch.ones(2, 1, 32, 32))
    conditioning[:, COVERAGE] = 0
    conditioning[:, COVERAGE, 8:24, 8:24] = 1
    with torch.no_grad():
        learning = generator(conditioning)
        used = generator.eval()(conditioning)
    assert float(used[3][..., 12:20, 12:20].min()) == pytest.approx(1)
    assert float(used[3][..., :7, :].max()) < 1
    for learnt, in_use in zip(learning, used, strict=True):
        torch.testing.assert_close(learnt, in_use)


def test_answers_are_float32_in_half_precision_too() -> None:
    """What is lit and joined is computed from them; steps of 8 bits would show."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        answers = Generator(PRESETS["tiny32"])(_conditioning(torch.ones(1, 1, 32, 32)))
    assert [answer.dtype for answer in answers] == [torch.float32] * 4


def test_less_haze_keeps_the_light_on_the_guides_mean_colour() -> None:
    """Bias becomes gain: the guide's mean colour comes out as before, its contrast greater."""
    conditioning = torch.zeros(1, len(CHANNELS), 32, 32)
    conditioning[:, COVERAGE] = 1
    conditioning[:, GUIDE] = 2 * 0.4 - 1
    gain, bias = torch.full((1, 3, 4, 4), 0.8), torch.full((1, 3, 4, 4), 0.1)
    more, less = _less_haze(gain, bias, conditioning)
    torch.testing.assert_close(more * 0.4 + less, gain * 0.4 + bias)
    assert float(less.max()) < float(bias.min())


def test_light_from_a_side_is_made_stronger() -> None:
    """The fall of brightness across the guide grows by SIDE_LIGHT, on its light side by less than on its dark one; even
    light and light from above stay."""
    coverage = torch.zeros(1, 1, 192, 192)
    coverage[..., 48:144, 48:144] = 1
    falling = torch.linspace(-0.6, 0.6, 24).expand(1, 3, 24, 24)
    more = torch.log(_from_a_side(falling.exp(), coverage)) - falling
    torch.testing.assert_close(torch.diff(more)[..., 8:15], (SIDE_LIGHT - 1) * torch.diff(falling)[..., 8:15])
    light, dark = float(more[0, 0, 0, -1]), float(more[0, 0, 0, 0])
    assert light == pytest.approx((1 - SHADE_SHARE) * (SIDE_LIGHT - 1) * 0.6 * SIDE_REACH, rel=0.01)
    assert dark == pytest.approx(-(1 + SHADE_SHARE) * (SIDE_LIGHT - 1) * 0.6 * SIDE_REACH, rel=0.01)
    for alike in (torch.full((1, 3, 24, 24), 1.3), falling.transpose(2, 3).exp()):
        torch.testing.assert_close(_from_a_side(alike, coverage), alike)


def test_haze_is_left_to_the_scene() -> None:
    """In use added light is gain: the guide's mean colour comes out as it did, hue and all, and the bias is 0."""
    conditioning = torch.zeros(1, len(CHANNELS), 32, 32)
    conditioning[:, COVERAGE] = 1
    colour = torch.tensor([0.5, 0.4, 0.3])[None, :, None, None]
    conditioning[:, GUIDE] = 2 * colour - 1
    gain, bias = torch.full((1, 3, 4, 4), 0.8), torch.rand(1, 3, 1, 1).expand(1, 3, 4, 4)
    used, haze = _in_use(gain, bias, conditioning)
    torch.testing.assert_close(used * colour, gain * colour + bias)
    assert bool((haze == 0).all())


def test_light_is_changed_in_use_alone() -> None:
    """A network that learns is asked for the light as it says it."""
    torch.manual_seed(0)
    generator, conditioning = Generator(PRESETS["tiny32"]), _conditioning(torch.ones(2, 1, 32, 32))
    torch.nn.init.normal_(generator.grid.weight)
    with torch.no_grad():
        learns, used = (Layers(*generator.train(mode)(conditioning)) for mode in (True, False))
    for got, wanted in zip((used.gain, used.bias), _in_use(learns.gain, learns.bias, conditioning), strict=True):
        torch.testing.assert_close(got, wanted)
    assert float(learns.bias.abs().amax()) > 1e-3


def test_an_edge_is_where_one_picture_takes_over() -> None:
    """Odds pick among pictures px by px, hue and all; equal odds give their mean."""
    red, blue = (torch.zeros(1, 3, 16, 16) for _ in range(2))
    red[:, 0], blue[:, 2] = 1, 1
    odds = torch.zeros(1, 2, 16, 16)
    odds[:, 0, :, :8], odds[:, 1, :, 8:] = 20, 20
    out = _chosen((red, blue), odds)
    torch.testing.assert_close(out[..., :6], red[..., :6])
    torch.testing.assert_close(out[..., 10:], blue[..., 10:])
    torch.testing.assert_close(_chosen((red, blue), torch.zeros(1, 2, 16, 16)), (red + blue) / 2)


def test_light_from_the_side_passes_and_spots_do_not() -> None:
    """A slope over the crop keeps most of its range; a spot of half a cell is left FINE_LIMIT of."""
    slope = torch.linspace(-0.8, 0.8, 24).expand(1, 3, 24, 24)
    kept = _no_spots(slope)[0, 0, 12]
    assert float(kept[-4] - kept[3]) > 0.75 * float(slope[0, 0, 12, -4] - slope[0, 0, 12, 3])
    spot = torch.zeros(1, 3, 24, 24)
    spot[..., 10:13, 10:13] = 1
    assert float(spot.amax() - spot.amin()) == 1
    assert float(_no_spots(spot).amax()) < FINE_LIMIT + 0.1
    torch.testing.assert_close(_no_spots(torch.full((1, 3, 24, 24), 0.4)), torch.full((1, 3, 24, 24), 0.4))


@pytest.mark.parametrize("period_px", [2, 4])
def test_dots_are_blurred_away(period_px: int) -> None:
    """What repeats every 2 or 4 px is gone, a slow slope stays."""
    across = torch.cos(2 * torch.pi * torch.arange(32) / period_px).expand(1, 1, 32, 32)
    for dots in (across, across.mT):
        assert float(_without_dots(dots)[..., 4:-4, 4:-4].abs().max()) < 1e-5
    slope = torch.arange(32.0).expand(1, 1, 32, 32)
    torch.testing.assert_close(_without_dots(slope)[..., 4:-4], slope[..., 4:-4])


@pytest.mark.parametrize("size_px", [128, 192, 256])
def test_chins_are_shown_to_their_rim_and_foreheads_are_not(size_px: int) -> None:
    """A sixtieth of the crop inside the rim of an upright oval the chin is the guide's, the forehead may be hair;
    nothing is held beyond the rim."""
    y, x = (np.mgrid[0:size_px, 0:size_px] + 0.5) / size_px
    oval = torch.from_numpy((np.hypot((x - 0.5) / 0.24, (y - 0.5) / 0.33) < 1).astype(np.float32))[None, None]
    held = core(oval)[0, 0, :, size_px // 2]
    inside = round(0.015 * size_px)
    top, bottom = round(0.17 * size_px), round(0.83 * size_px) - 1
    assert float(held[bottom - inside]) > 0.9
    assert float(held[top + inside]) < 0.7
    assert float(held[size_px // 2]) == pytest.approx(1)
    beyond = round(size_px / 48)  # two of the finer cells: 3, 4 and 5 px
    assert float(held[: top - beyond].max()) < 0.02
    assert float(held[bottom + beyond :].max()) < 0.02
