"""`python -m training export RUN --shard FILE --out FILE`: a run's averaged generator as ONNX, in float32 and beside it
in int8, with its model card."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from anonymizer.errors import InputError
from models.export import LEAST_PARITY_DB, Exported, export_generator
from models.generator import PRESETS, Generator
from models.quantise import quantise_generator
from training.augment import cut_batch, draw_jitter
from training.card import Evidence, write_card
from training.checkpoint import read_checkpoint
from training.config import config_of
from training.data import Shard, load_shard
from training.guides import cross_guide

SAMPLES = 8
CALIBRATION = 32  # crops the ranges of int8 are taken from; more made them wider, and the answers coarser


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--shard", type=Path, default=Path(".shard/shard.npz"), help="the shard the run was trained on")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx to write")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), help="another size of the same network (default: the run's)"
    )
    parser.add_argument("--card", type=Path, help="the model card (default: models/cards/ and the name of --out)")
    options = parser.parse_args(argv)
    card = options.card or Path("models/cards") / (options.out.stem + ".md")
    for exported in export_run(options.run, options.shard, options.out, card, preset=options.preset):
        told = {"file": str(exported.path), "sha256": exported.sha256, "parity_db": round(exported.parity_db, 1)}
        print(json.dumps(told))
    return 0


def export_run(
    run_dir: Path,
    shard_path: Path,
    out: Path,
    card: Path,
    least_int8_db: float = LEAST_PARITY_DB,
    preset: str | None = None,
) -> tuple[Exported, Exported]:
    """Export the EMA generator of run_dir in float32 and int8, check both on held-out rows, write the card.

    preset: one of the same widths, for a network that works at another size than it learned at; InputError for others.
    """
    state = read_checkpoint(run_dir)
    config = config_of(state["config"], f"{run_dir}/latest.pt")
    if preset is not None and replace(PRESETS[preset], size_px=config.size_px) != PRESETS[config.preset]:
        raise InputError(
            f"{run_dir} is of {config.preset}, whose weights do not fit {preset}; choose one of its widths"
        )
    config = replace(config, preset=preset or config.preset)
    shard = load_shard(shard_path, config.size_px)
    generator = Generator(PRESETS[config.preset])
    generator.load_state_dict(state["ema"])
    told = _run_record(run_dir)
    trained_on = f"{len(shard.train)} photos, {len(shard.textures)} personas, {told['hardware']}"
    samples = cross_conditioning(shard, shard.held_out[:SAMPLES], config.size_px)
    exported = export_generator(generator, out, state["images_seen"], trained_on, samples)
    calibration = cross_conditioning(shard, shard.train[:CALIBRATION], config.size_px)
    int8 = quantise_generator(out, out.with_stem(out.stem + "_int8"), calibration, samples, least_int8_db)
    stats = [line for line in _stats(run_dir) if line["images"] <= state["images_seen"]]  # the run may have gone on
    counts = len(shard.train), len(shard.held_out), len(shard.textures)
    evidence = Evidence(exported, int8, config, told, stats, *counts, _provenance(shard_path))
    write_card(card, evidence)
    return exported, int8


@torch.no_grad()
def cross_conditioning(shard: Shard, rows: Tensor, size_px: int) -> Tensor:
    """(n, 11, S, S) of CROSS guides on rows of the shard; the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        personas = torch.randint(len(shard.textures), (len(rows),))
        batch = cut_batch(
            shard, rows, personas, torch.arange(len(rows)) % 3, draw_jitter(len(rows), still=True), size_px
        )
        return cross_guide(batch).conditioning


def _run_record(run_dir: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{run_dir} has no readable run.json ({error}); give the folder of a run") from error
    return record


def _provenance(shard_path: Path) -> dict[str, Any]:
    """What `prepare` wrote beside the shard, nothing for a shard made before it did."""
    path = shard_path.with_suffix(".json")
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise InputError(f"{path} is not readable ({error}); make the shard again") from error
    return report


def _stats(run_dir: Path) -> list[dict[str, float]]:
    path = run_dir / "stats.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
