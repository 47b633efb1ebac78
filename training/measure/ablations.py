"""`python -m training measure-ablations RUN… --shard FILE --out DIR`: small runs side by side on held-out photos.

Of the held-out photos every second one gets a persona (CROSS, the same for every run), the others are what the
composites are held against. Reads the averaged weights of each run's latest.pt.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from models.generator import PRESETS, Generator, compose
from training import losses
from training.augment import Batch, cut_batch, draw_jitter
from training.checkpoint import read_checkpoint
from training.config import TrainConfig, config_of
from training.data import Shard, load_shard
from training.guides import Guided, cross_guide
from training.measure.kernel_distance import features, ratio_with_interval, with_interval
from training.measure.report import print_table, write_json
from training.step import draw_guides, run_generator

SEED, BATCH, SHEET_ROWS = 20, 16, 10


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training measure-ablations", description=__doc__)
    parser.add_argument(
        "runs", type=Path, nargs="+", help="run folders; the first is what the others are compared with"
    )
    parser.add_argument("--shard", type=Path, default=Path(".shard/shard.npz"), help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/measure/ablations"), help="(default: %(default)s)")
    args = parser.parse_args(argv)
    players = {run.name: _load(run) for run in args.runs}
    sizes = {config.size_px for config, _, _ in players.values()}
    if len(sizes) > 1:
        parser.error(f"the runs have crops of {sorted(sizes)} px; give runs of one size")
    shard = load_shard(args.shard, sizes.pop())
    real = features(_pixels(_photos(shard, shard.held_out[1::2])))
    made = {name: _measured(shard, config, generator) for name, (config, generator, _) in players.items()}
    own = {name: features(_pixels(pictures)) for name, (pictures, _) in made.items()}
    photos = _photos(shard, shard.held_out[::2])
    rows = [_row("untouched", features(_pixels(photos)), real)]
    first = next(iter(own))
    for name, (_, means) in made.items():
        ratio = ratio_with_interval(own[name], own[first], real)
        compared = {} if name == first else dict(zip(("ratio", "ratio_low", "ratio_high"), ratio, strict=True))
        rows.append(_row(name, own[name], real) | {"images": players[name][2]} | means | compared)
    print_table([{key: row.get(key, "") for key in rows[-1]} for row in rows])
    write_json(args.out / "ablations.json", {"rows": rows, "held_out": len(photos), "against": len(real)})
    chosen = torch.linspace(0, len(photos) - 1, SHEET_ROWS).long()
    _save_sheet(args.out / "ablations.png", [photos[chosen], *(pictures[chosen] for pictures, _ in made.values())])
    return 0


def _load(run: Path) -> tuple[TrainConfig, Generator, int]:
    state = read_checkpoint(run)
    config = config_of(state["config"], str(run))
    generator = Generator(PRESETS[config.preset]).eval()
    generator.load_state_dict(state["ema"])
    return config, generator, state["images_seen"]


def _batches(shard: Shard, rows: Tensor) -> list[Batch]:
    """The same personas for every run, holes of the face, nothing jittered."""
    draws = torch.Generator().manual_seed(SEED)
    personas = torch.randint(len(shard.textures), (len(rows),), generator=draws)
    size = round(shard.photos.shape[-1] / 1.25)
    return [
        cut_batch(shard, some, who, torch.zeros(len(some), dtype=torch.long), draw_jitter(len(some), still=True), size)
        for some, who in zip(torch.split(rows, BATCH), torch.split(personas, BATCH), strict=True)
    ]


def _photos(shard: Shard, rows: Tensor) -> Tensor:
    return torch.cat([batch.photo for batch in _batches(shard, rows)])


@torch.no_grad()
def _measured(shard: Shard, config: TrainConfig, generator: Generator) -> tuple[Tensor, dict[str, float]]:
    """CROSS composites (N, 3, S, S), and means: error of SELF, of the light, of what is beside the face, and how much
    of the persona's detail is kept."""
    pictures, found = [], []
    for number, batch in enumerate(_batches(shard, shard.held_out[::2])):
        torch.manual_seed(SEED + number)
        own, _ = draw_guides(batch, config)
        torch.manual_seed(SEED + number)
        wanted = cross_guide(batch)
        _, cross = draw_guides(batch, replace(config, cross=True))
        ours, theirs = _show(generator, batch, own), _show(generator, batch, cross)
        face = torch.maximum(batch.own.coverage, batch.persona.coverage)
        beside = batch.blend * (1 - face)
        found.append(
            {
                "self_l1": float(losses.multi_scale_l1(ours, batch.photo, batch.blend)[0]),
                "cross_light": float(losses.light(theirs, batch.photo, batch.blend)),
                "beside_l1": float(losses.multi_scale_l1(theirs, batch.photo, beside)[0]),
                "persona_kept": 1 - float(losses.structure(theirs, wanted.guide, wanted.worn)),
            }
        )
        pictures.append(theirs)
    return torch.cat(pictures), {key: float(np.mean([each[key] for each in found])) for key in found[0]}


def _show(generator: Generator, batch: Batch, guided: Guided) -> Tensor:
    layers = run_generator(generator, guided.conditioning)
    return compose(layers, guided.conditioning, batch.photo, batch.blend).clamp(0, 1)


def _pixels(pictures: Tensor) -> list[npt.NDArray[np.uint8]]:
    return list((pictures.permute(0, 2, 3, 1) * 255).round().byte().numpy())


def _row(name: str, points: npt.NDArray[np.float64], real: npt.NDArray[np.float64]) -> dict[str, Any]:
    value, low, high = (1000 * each for each in with_interval(points, real))
    return {"run": name, "kd": value, "kd_low": low, "kd_high": high}


def _save_sheet(path: Path, columns: list[Tensor]) -> None:
    """Photo, then one column a run."""
    cells = torch.stack(columns, 1)  # (rows, columns, 3, S, S)
    sheet = cells.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    pixels = (sheet * 255).round().byte().numpy()
    image = Image.fromarray(pixels)
    image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC).save(path)
