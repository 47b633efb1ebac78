"""The loop: draw, step, count, show, save, stop. Everything it decides is counted in images."""

from __future__ import annotations

import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from anonymizer.errors import AnonymizerError
from training.augment import HOLE_ODDS, Batch, cut_batch, draw_jitter
from training.backgrounds import before_walls, draw_walls
from training.board import Board
from training.bring_back import bring_back
from training.cameras import draw_camera, through_camera
from training.checkpoint import save_checkpoint
from training.config import TrainConfig, table_of
from training.data import Shard
from training.lights import draw_lights, with_lights
from training.sheets import save_sheet
from training.skins import draw_skins, with_skins
from training.step import Players, train_step
from training.team import Team, check_in_step, part_of

log = logging.getLogger(__name__)


def draw_batch(shard: Shard, config: TrainConfig, images_seen: int, team: Team) -> Batch:
    """This process's rows at this point of the epoch's own order; random persona, hole, jitter, skin, wall, camera."""
    count = part_of(config.batch, team)
    at = (images_seen + team.rank * count + torch.arange(count)).tolist()
    epochs = sorted({position // len(shard.train) for position in at})
    orders = {epoch: _epoch_order(config.seed, epoch, len(shard.train)) for epoch in epochs}
    rows = torch.stack([shard.train[orders[p // len(shard.train)][p % len(shard.train)]] for p in at])
    personas = torch.randint(len(shard.textures), (count,))
    kinds = torch.multinomial(torch.tensor(HOLE_ODDS), count, replacement=True)
    batch = cut_batch(shard, rows, personas, kinds, draw_jitter(count), config.size_px)
    batch = before_walls(with_skins(batch, draw_skins(count)), draw_walls(count))
    batch = with_lights(batch, *draw_lights(count))
    return through_camera(batch, draw_camera(count))


def _epoch_order(seed: int, epoch: int, length: int) -> Tensor:
    return torch.randperm(length, generator=torch.Generator().manual_seed(seed * 100_003 + epoch))


def train(
    players: Players,
    shard: Shard,
    config: TrainConfig,
    run_dir: Path,
    minutes: float | None,
    results: Path | None = None,
) -> None:
    """Train until total_kimg or the time is over; the run can be resumed from where it stopped.

    results: folder for what has to come back from a machine that is lent, None = none.
    """
    # ---- setup
    team = players.team
    started = saved = time.monotonic()
    ends = math.inf if minutes is None else started + minutes * 60
    first = counted = players.images_seen
    told_at = started
    sums: dict[str, tuple[float | Tensor, int]] = {}
    total = round(config.total_kimg * 1000)
    board = Board(None if team.rank else run_dir)
    if players.images_seen == 0:
        _sheet(players, shard, config, run_dir, board)
    while players.images_seen < total and not team.any(time.monotonic() >= ends):
        # ---- one step
        losses = train_step(players, draw_batch(shard, config, players.images_seen, team), config)
        for name, value in losses.items():
            so_far, times = sums.get(name, (0.0, 0))
            sums[name] = (so_far + value, times + 1)
        # ---- stats
        if _passed(players.images_seen, config, config.stats_kimg) or players.images_seen >= total:
            now = time.monotonic()
            means = team.mean({name: float(value) / count for name, (value, count) in sums.items()})
            line = {"images": players.images_seen, "images_per_s": (players.images_seen - counted) / (now - told_at)}
            _tell(players, run_dir, {**line, "elapsed_s": now - started, **means}, board)
            told_at, counted, sums = now, players.images_seen, {}
            if not all(map(math.isfinite, means.values())):
                broken = ", ".join(name for name, value in means.items() if not math.isfinite(value))
                raise AnonymizerError(
                    f"training broke at {players.images_seen} images: {broken} is not finite; "
                    f"{run_dir} keeps the last sound checkpoint, lower the learning rates"
                )
        # ---- pictures and checkpoints
        if _passed(players.images_seen, config, config.sheet_kimg):
            _sheet(players, shard, config, run_dir, board)
        if team.any(time.monotonic() - saved > config.checkpoint_s):
            _save(players, config, run_dir, results)
            saved = time.monotonic()
    if players.images_seen > first:
        _sheet(players, shard, config, run_dir, board)
        _save(players, config, run_dir, results)
    board.close()
    log.info("stopped at %d images after %.0f s", players.images_seen, time.monotonic() - started)


def _passed(images: int, config: TrainConfig, every_kimg: float) -> bool:
    """Whether the last batch crossed a multiple of every_kimg."""
    every = every_kimg * 1000
    return images // every != (images - config.batch) // every


def _sheet(players: Players, shard: Shard, config: TrainConfig, run_dir: Path, board: Board) -> None:
    path = run_dir / f"sheet-{players.images_seen:07d}.png"
    if players.team.rank == 0 and not path.is_file():
        save_sheet(path, players.ema, shard, config.sheet_rows, config.size_px)
        board.sheet(path, players.images_seen)


def _save(players: Players, config: TrainConfig, run_dir: Path, results: Path | None) -> None:
    check_in_step(players.team, players.generator.parameters())
    save_checkpoint(run_dir, players, table_of(config))
    if results is not None and players.team.rank == 0:
        bring_back(run_dir, results)


def _tell(players: Players, run_dir: Path, stats: dict[str, Any], board: Board) -> None:
    if players.team.rank:
        return
    board.scalars(stats, players.images_seen)
    rounded = {name: round(value, 5) if isinstance(value, float) else value for name, value in stats.items()}
    with (run_dir / "stats.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(rounded) + "\n")
    log.info("%s", "  ".join(f"{name} {value:.4g}" for name, value in rounded.items()))
