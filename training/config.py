"""Settings of a training run: a TOML file into frozen dataclasses; unknown keys are refused."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from anonymizer.errors import ConfigError
from models.generator import PRESETS

GUIDES = ("persona", "sketch")


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Share of each loss in the generator's total; 0 turns one off."""

    l1: float = 4.0
    coarse_l1: float = 4.0
    gradient: float = 2.0
    perceptual: float = 3.0
    adversarial: float = 0.35
    eyes_and_mouth: float = 2.0  # extra weight of those pixels in SELF's pixel losses
    structure: float = 0.5
    cross_light: float = 4.0
    cross_outside: float = 3.0
    rim: float = 0.7
    smooth_grid: float = 0.2
    matte: float = 0.2
    range: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. Lengths are in images seen (kimg = 1000)."""

    name: str = "face128"
    preset: str = "face128"
    seed: int = 1
    batch: int = 8
    total_kimg: float = 1000.0
    lr_generator: float = 3e-4
    lr_discriminator: float = 4e-4
    warmup_kimg: float = 0.4
    critic_first_kimg: float = 0.0  # the critic alone learns so long: in a warm start its optimiser is cold
    ema_halflife_kimg: float = 1.5
    r1: float = 1.5
    r1_every: int = 16
    augment: float = 0.6
    perceptual_share: float = 0.5  # of SELF's rows that go through the perceptual trunk
    threads: int = 2
    channels_last: bool = True
    compile: bool = False  # by torch.compile, on CUDA only
    sheet_kimg: float = 2.0
    sheet_rows: int = 8
    checkpoint_s: float = 300.0
    stats_kimg: float = 0.2
    judge_self: bool = True  # off: the critic sees CROSS alone, where composites of SELF no longer tell it anything
    judge_rim: bool = True  # off: the critic sees the guide's inside, too
    guide: str = "persona"  # or "sketch": one skin tone with dark eyes and mouth, no texture; for comparison
    cross: bool = True  # off: SELF alone, drawn twice; for comparison
    loss: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f'preset "{self.preset}" is not known; choose one of {", ".join(PRESETS)}')
        if self.guide not in GUIDES:
            raise ConfigError(f'guide "{self.guide}" is not known; choose one of {", ".join(GUIDES)}')
        for name in ("batch", "r1_every", "threads", "sheet_rows"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, wanted at least 1")

    @property
    def size_px(self) -> int:
        return PRESETS[self.preset].size_px


def load_config(path: Path) -> TrainConfig:
    """Read a TOML file; ConfigError names the file, the key and its nearest neighbour."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the training configuration {path}: {error}") from error
    return config_of(table, str(path))


def config_of(table: dict[str, Any], origin: str) -> TrainConfig:
    loss = table.get("loss", {})
    _check(table, TrainConfig, origin)
    _check(loss, LossWeights, f"{origin} [loss]")
    return TrainConfig(**{**table, "loss": LossWeights(**loss)})


def table_of(config: TrainConfig) -> dict[str, Any]:
    return asdict(config)


def _check(table: dict[str, Any], kind: type, origin: str) -> None:
    known = {f.name: f for f in fields(kind)}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise ConfigError(f'{origin}: unknown key "{key}"{hint}')
        wanted = str(known[key].type)
        kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
        fits = isinstance(value, kinds.get(wanted, (object,)))
        if not fits or (isinstance(value, bool) and wanted != "bool"):
            raise ConfigError(f"{origin}: {key} is {value!r}, wanted {wanted}")
