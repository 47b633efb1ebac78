"""`python -m training train CONFIG --shard FILE --out DIR --minutes M [--resume RUN]`: one run in a numbered folder."""

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
    parser.add_argument("--dry-run", action="store_true", help="show the resolved configuration and stop")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = load_config(options.config)
    if options.dry_run:
        print(json.dumps(table_of(config), indent=2))
        return 0
    run_training(config, options.shard, options.out, options.minutes, options.resume, options.warm_start)
    return 0


def run_training(
    config: TrainConfig,
    shard_path: Path,
    out: Path,
    minutes: float | None,
    resume: Path | None,
    warm_start: Path | None = None,
) -> Path:
    """Train in a new folder of `out`, or go on in `resume`, to the bit if `config` is unchanged; the run's folder."""
    torch.set_num_threads(config.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    state = read_checkpoint(resume) if resume else None
    torch.manual_seed(config.seed)
    players = make_players(config, device)
    shard = load_shard(shard_path, config.size_px).to(device)
    log.info(
        "%d photos to train on, %d held out, %d personas", len(shard.train), len(shard.held_out), len(shard.textures)
    )
    run_dir = resume or _new_run_dir(out, config, shard_path, device)
    if state is not None:
        restore(players, state)
    elif warm_start is not None:
        warm(players, warm_start)
    log.info("run %s at %d px on %s, from %d images", run_dir, config.size_px, device, players.images_seen)
    train(players, shard, config, run_dir, minutes)
    return run_dir


def _new_run_dir(out: Path, config: TrainConfig, shard_path: Path, device: torch.device) -> Path:
    """out/00007-name, numbered on from the last, with run.json beside what follows."""
    numbers = [int(p.name[:5]) for p in out.glob("[0-9]" * 5 + "-*")] if out.is_dir() else []
    run_dir = out / f"{max(numbers, default=-1) + 1:05d}-{config.name}"
    run_dir.mkdir(parents=True)
    hardware = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {config.threads} threads"
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
