"""`python -m training train CONFIG --shard FILE --out DIR --minutes M [--resume RUN]`: one run in a numbered folder.

Several GPUs of a machine: `torchrun --nproc-per-node 4 -m training train CONFIG …`; `batch` is that of all together.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
from pathlib import Path

import torch

from training.checkpoint import read_checkpoint, restore
from training.config import TrainConfig, load_config, table_of
from training.data import load_shard
from training.loop import train
from training.step import make_players
from training.team import SEED_STEP, Team, check_in_step, joined
from training.warm_start import warm

log = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training train", description=__doc__)
    parser.add_argument("config", type=Path, help="a file of configs/train/")
    parser.add_argument(
        "--shard", type=Path, default=Path(".shard/shard.npz"), help="made by `prepare` (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), help="where run folders are made (default: %(default)s)"
    )
    parser.add_argument("--minutes", type=float, help="stop after this time; without it, at the configuration's length")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on from this run's checkpoint, in its own folder"
    )
    parser.add_argument("--warm-start", type=Path, metavar="FILE", help="begin with these weights")
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="on a lent machine: put what has to come back there, a few MB"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the resolved configuration and stop")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = load_config(options.config)
    if options.dry_run:
        print(json.dumps(table_of(config), indent=2))
        return 0
    run_training(
        config, options.shard, options.out, options.minutes, options.resume, options.warm_start, options.results
    )
    return 0


def run_training(
    config: TrainConfig,
    shard_path: Path,
    out: Path,
    minutes: float | None,
    resume: Path | None,
    warm_start: Path | None = None,
    results: Path | None = None,
) -> Path:
    """Train in a new folder of `out`, or go on in `resume`, to the bit if `config` is unchanged; the run's folder."""
    torch.set_num_threads(config.threads)
    state = read_checkpoint(resume) if resume else None
    with joined() as (team, device):
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.benchmark = True
        torch.manual_seed(config.seed)
        players = make_players(config, device, team)
        if team.rank:
            torch.manual_seed(config.seed + SEED_STEP * team.rank)
        shard = load_shard(shard_path, config.size_px).to(device)
        counts = (len(shard.train), len(shard.held_out), len(shard.textures), team.size)
        log.info("%d photos to train on, %d held out, %d personas; %d process(es)", *counts)
        run_dir = resume or _new_run_dir(out, config, shard_path, device, team)
        if state is not None:
            restore(players, state)
        elif warm_start is not None:
            warm(players, warm_start)
        check_in_step(team, players.generator.parameters())
        log.info("run %s at %d px on %s, from %d images", run_dir, config.size_px, device, players.images_seen)
        train(players, shard, config, run_dir, minutes, results)
    return run_dir


def _new_run_dir(out: Path, config: TrainConfig, shard_path: Path, device: torch.device, team: Team) -> Path:
    """out/00007-name, numbered on from the last, with run.json beside what follows; the first process makes it."""
    numbers = [int(p.name[:5]) for p in out.glob("[0-9]" * 5 + "-*")] if out.is_dir() else []
    number = int(team.gather(torch.tensor(max(numbers, default=-1) + 1))[0])
    run_dir = out / f"{number:05d}-{config.name}"
    if team.rank:
        return run_dir
    run_dir.mkdir(parents=True)
    hardware = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {config.threads} threads"
    hardware += f" × {team.size}" if team.size > 1 else ""
    record = {
        "config": table_of(config),
        "commit": _commit(),
        "seed": config.seed,
        "torch": torch.__version__,
        "hardware": hardware,
        "shard": shard_path.name,
        "shard_bytes": shard_path.stat().st_size,
    }
    (run_dir / "run.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return run_dir


def _commit() -> str:
    """The checkout's commit, or "unknown" outside one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
