"""One training step: both branches through the generator, then the discriminator's turn, then the generator's."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anonymizer.generate.conditioning import CONTEXT, COVERAGE
from models.discriminator import Discriminator, Verdicts
from models.generator import PRESETS, Generator, Layers, compose, core
from training import losses
from training.augment import Batch, diff_augment
from training.cameras import box_mean, soften_inside
from training.config import TrainConfig
from training.guides import Guided, cross_guide, self_guide, sketched
from training.perceptual import PerceptualDistance
from training.team import Alone, Team

LIGHT_CELLS = 16  # of the crop's side, as the loss of light has


@dataclass(slots=True, eq=False)
class Players:
    """Everything that learns, and how. images_seen counts photos: SELF and CROSS of one photo are one."""

    generator: Generator
    ema: Generator
    discriminator: Discriminator
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam
    perceptual: PerceptualDistance | None
    team: Team = field(default_factory=Alone)
    images_seen: int = 0
    steps: int = 0


def make_players(config: TrainConfig, device: torch.device, team: Team | None = None) -> Players:
    shape = PRESETS[config.preset]
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    generator = Generator(shape).to(device, memory_format=layout)  # type: ignore[call-overload]  # torch's stub lacks it
    discriminator = Discriminator(shape.size_px).to(device, memory_format=layout)  # type: ignore[call-overload]
    perceptual = PerceptualDistance().to(device, memory_format=layout) if config.loss.perceptual > 0 else None  # type: ignore[call-overload]
    betas, ema = (0.0, 0.99), copy.deepcopy(generator).requires_grad_(False).eval()  # shown as it is used
    if config.compile and device.type == "cuda":
        for module in (generator, discriminator, perceptual):
            if module is not None:
                module.compile()  # in place: names of weights stay
    return Players(
        generator,
        ema,
        discriminator,
        torch.optim.Adam(generator.parameters(), config.lr_generator, betas),
        torch.optim.Adam(discriminator.parameters(), config.lr_discriminator, betas),
        perceptual,
        team or Alone(),
    )


def half_precision(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Convolutions in bfloat16; on a CPU without instructions for it in float32, a tenth of the time (AVX2)."""
    fast = device.type != "cpu" or _cpu_has_bfloat16()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


def _cpu_has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def run_generator(generator: nn.Module, conditioning: Tensor) -> Layers:
    """The generator in bfloat16 where that is fast; its answers are float32."""
    with half_precision(conditioning.device):
        return Layers(*generator(conditioning.contiguous(memory_format=torch.channels_last)))


def train_step(players: Players, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Update both players on one batch; the losses, detached."""
    own, cross = draw_guides(batch, config)
    conditioning = torch.cat([own.conditioning, cross.conditioning])
    layers = run_generator(players.generator, conditioning)
    photos, blends = batch.photo.repeat(2, 1, 1, 1), batch.blend.repeat(2, 1, 1, 1)
    composites = compose(layers, conditioning, photos, blends)
    stats = discriminator_turn(players, batch, composites.detach(), conditioning, config)
    total, found = generator_losses(players, batch, (own, cross), conditioning, layers, composites, config)
    if players.steps * config.batch >= config.critic_first_kimg * 1000:
        players.generator_adam.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]  # torch's own annotation lacks it
        _adam_step(players.generator_adam, players, config, config.lr_generator)
    players.images_seen += len(batch.photo) * players.team.size
    players.steps += 1
    update_ema(players, len(batch.photo) * players.team.size, config.ema_halflife_kimg)
    return {**stats, **found, "generator": total.detach()}


def draw_guides(batch: Batch, config: TrainConfig) -> tuple[Guided, Guided]:
    """SELF's and CROSS's, or what the configuration compares with them."""
    own, cross = self_guide(batch), cross_guide(batch) if config.cross else self_guide(batch)
    if config.guide == "sketch":
        return sketched(own, batch.own), sketched(cross, batch.persona if config.cross else batch.own)
    return own, cross


def _judged(composites: Tensor, conditioning: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor]:
    """Composites and conditioning of both branches, or of CROSS alone."""
    first = 0 if config.judge_self else len(composites) // 2
    return composites[first:], conditioning[first:]


def _shown(images: Tensor, conditioning: Tensor, blend: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor]:
    """What the critic sees of images, and which px (B, 1, S, S) count for it.

    Light alone where the guide shows as it is: a critic that knows personas by their features teaches nothing of rims.
    """
    if not config.judge_rim:
        return images, blend
    hidden = core(conditioning[:, COVERAGE])
    return torch.lerp(images, light_of(images), hidden), blend * (1 - hidden)


def light_of(images: Tensor) -> Tensor:
    """(B, 3, S, S) blurred over about 5 cm, a third of a face: light and tone without features."""
    cells = F.avg_pool2d(images, images.shape[-1] // LIGHT_CELLS)
    return F.interpolate(box_mean(cells, 3), size=images.shape[-2:], mode="bilinear", align_corners=False)


def judge(players: Players, composite: Tensor, hole: Tensor, context: Tensor, full: bool = False) -> Verdicts:
    with contextlib.nullcontext() if full else half_precision(composite.device):
        critic = players.discriminator.forward if full else players.discriminator  # compiled ones differentiate once
        verdicts: Verdicts = critic(composite, hole, context)
        return verdicts


def discriminator_turn(
    players: Players, batch: Batch, composites: Tensor, conditioning: Tensor, config: TrainConfig
) -> dict[str, Tensor]:
    """Real photos up, composites (of CROSS, or of both branches) down; every r1_every steps the gradient penalty."""
    composites, conditioning = _judged(composites, conditioning, config)
    count, times = len(batch.photo), (len(composites) // len(batch.photo), 1, 1, 1)
    hole, context = batch.hole, conditioning[:count, CONTEXT]
    photo, counted = _shown(batch.photo, conditioning[-count:], batch.blend, config)  # hidden where CROSS is
    composites, counted_made = _shown(composites, conditioning, batch.blend.repeat(times), config)
    players.discriminator.requires_grad_(True)
    players.discriminator_adam.zero_grad(set_to_none=True)
    real = judge(players, *diff_augment(photo, hole, context, config.augment))
    up = losses.discriminator_says(real, counted, real=True)
    fake = judge(players, *diff_augment(composites, hole.repeat(times), context.repeat(times), config.augment))
    down = losses.discriminator_says(fake, counted_made, real=False)
    (up + down).backward()  # type: ignore[no-untyped-call]
    stats = {"d_real": up.detach(), "d_fake": down.detach()}
    if config.r1 > 0 and players.steps % config.r1_every == 0:
        half = max(count // 2, 2)
        images = photo[:half].detach().requires_grad_(True)
        penalty = losses.gradient_penalty(judge(players, images, hole[:half], context[:half], full=True), images)
        (penalty * (config.r1 / 2 * config.r1_every)).backward()  # type: ignore[no-untyped-call]
        stats["r1"] = penalty.detach()
    _adam_step(players.discriminator_adam, players, config, config.lr_discriminator)
    players.discriminator.requires_grad_(False)
    return stats


def generator_losses(
    players: Players,
    batch: Batch,
    guided: tuple[Guided, Guided],
    conditioning: Tensor,
    layers: Layers,
    composites: Tensor,
    config: TrainConfig,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted total, and each loss by name. conditioning: of both branches, SELF's first."""
    count, weights = len(batch.photo), config.loss
    own, cross = guided
    ours, theirs = composites[:count], composites[count:]
    focus = batch.blend * (1 + weights.eyes_and_mouth * batch.own.patch) * own.asked
    l1, coarse = losses.multi_scale_l1(ours, batch.photo, focus)
    face = torch.maximum(batch.own.coverage, batch.persona.coverage)
    outside = batch.blend * (1 - face)
    within = core(batch.own.coverage) * core(batch.persona.coverage)  # light by the hair made foreheads foggy
    judged, given = _judged(composites, conditioning, config)
    times = len(judged) // count, 1, 1, 1
    judged, counted = _shown(judged, given, batch.blend.repeat(times), config)
    verdicts = judge(players, *diff_augment(judged, batch.hole.repeat(times), given[:, CONTEXT], config.augment))
    found = {
        "l1": l1,
        "coarse_l1": coarse,
        "gradient": losses.gradient_l1(ours, batch.photo, focus),
        "adversarial": losses.generator_says(verdicts, counted),
        "structure": losses.structure(theirs, soften_inside(cross.guide, cross.coverage, batch.softness), cross.worn),
        "cross_light": losses.light(theirs, batch.photo, batch.blend * within),
        "cross_outside": losses.multi_scale_l1(theirs, batch.photo, outside)[0],
        "rim": losses.edges(theirs, cross.rim),
        "smooth_grid": losses.grid_roughness(layers),
        "matte": losses.matte_hole(layers, torch.cat([own.inner, cross.inner])),
        "range": losses.out_of_range(composites),
    }
    if players.perceptual is not None:
        where = own.asked, outside
        found["perceptual"] = perceptual_loss(players.perceptual, (ours, theirs), batch.photo, where, players, config)
    total = torch.stack([value * getattr(weights, name) for name, value in found.items()]).sum()
    return total, {name: value.detach() for name, value in found.items()}


def perceptual_loss(
    trunk: PerceptualDistance,
    composites: tuple[Tensor, Tensor],
    photo: Tensor,
    where: tuple[Tensor, Tensor],
    players: Players,
    config: TrainConfig,
) -> Tensor:
    """Of SELF, and of CROSS beside both faces: alternately the whole crop at half size, and a part of it at full size,
    on a part of the rows."""
    rows = max(int(len(photo) * config.perceptual_share), 1)
    ours, photo = torch.cat([branch[:rows] for branch in composites]), photo[:rows].repeat(2, 1, 1, 1)
    counted = torch.cat([mask[:rows] for mask in where])
    size = ours.shape[-1]
    if players.steps % 2 == 0:
        ours, photo, counted = (F.avg_pool2d(t, 2) for t in (ours, photo, counted))
    else:
        x, y = (int(torch.randint(size // 8, size * 3 // 8 + 1, ()).item()) for _ in range(2))
        ours, photo, counted = (t[..., y : y + size // 2, x : x + size // 2] for t in (ours, photo, counted))
    ours, photo = (t.contiguous(memory_format=torch.channels_last) for t in (ours, photo))
    with half_precision(ours.device):
        distance: Tensor = trunk(ours, photo, counted)
    return distance.mean()


def _adam_step(adam: torch.optim.Adam, players: Players, config: TrainConfig, rate: float) -> None:
    """Linear warm-up, clipped gradients."""
    share = min(1.0, (players.steps + 1) * config.batch / max(config.warmup_kimg * 1000, 1))
    for group in adam.param_groups:
        players.team.average(group["params"])
        group["lr"] = rate * share
        torch.nn.utils.clip_grad_norm_(group["params"], 5.0, foreach=True)
    adam.step()


@torch.no_grad()
def update_ema(players: Players, images: int, halflife_kimg: float) -> None:
    """Weights averaged over a half-life that grows with the run up to halflife_kimg."""
    halflife = min(halflife_kimg * 1000, max(players.images_seen * 0.1, 1.0))
    keep = 0.5 ** (images / halflife)
    for average, live in zip(players.ema.parameters(), players.generator.parameters(), strict=True):
        average.lerp_(live, 1 - keep)
