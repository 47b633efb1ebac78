"""Fit the likely colour of a face from what is seen around its hole, into the persona bank.

    python -m training fit-tone --shard .shard/shard.npz --out anonymizer/weights/persona_bank_v2.npz

A ridge regression on the crops that the generator learns from, with holes of all kinds and other walls; the held-out
ones say what it is worth. Random exposures were left out: cameras expose well, so how bright a room is tells something
(London was off by .19 with them, by .14 without). At run time it is averaged with the rule of `persona.tone`, which
needs no learning: portraits are lit otherwise than what was trained on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from anonymizer.persona.bank import load_bank
from anonymizer.persona.surroundings import features
from anonymizer.persona.tone import UNKNOWN
from training.augment import Batch, cut_batch, draw_jitter
from training.backgrounds import before_walls, draw_walls
from training.data import Shard, load_shard
from training.textures import masked_mean

SIZE_PX = 128
ROUNDS = 4  # of every photo, each with a hole and a wall of its own
PORTRAIT_WEIGHT = 4.0  # of the portraits of `personas/`, whose light is that of selfies
RIDGE = 30.0
ROWS = 32
Array = npt.NDArray[np.float64]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training fit-tone", description=__doc__)
    parser.add_argument("--shard", type=Path, default=Path(".shard/shard.npz"))
    parser.add_argument("--out", type=Path, default=Path("anonymizer/weights/persona_bank_v2.npz"))
    args = parser.parse_args(argv)
    torch.manual_seed(1)
    shard = load_shard(args.shard, SIZE_PX)
    portrait = np.array([name.startswith("personas/") for name in shard.names])
    told, away = seen(shard, shard.train.repeat(ROUNDS))
    weight = np.where(portrait[shard.train.repeat(ROUNDS).numpy()], PORTRAIT_WEIGHT, 1.0)
    weights = ridge(told, away, weight)
    held, wanted = seen(shard, shard.held_out)
    print(json.dumps({"photos": len(held), "usual_rms": _rms(-wanted), "left_rms": _rms(held @ weights - wanted)}))
    with np.load(args.out) as arrays:
        rest = {name: arrays[name] for name in arrays.files}
    np.savez_compressed(args.out, **(rest | {"tone_weights": weights.astype(np.float32)}))
    return 0


def seen(shard: Shard, rows: Tensor) -> tuple[Array, Array]:
    """(N, COUNT) features, and (N, 3) log colour of the faces' skin away from the usual tone."""
    usual = load_bank().tones[UNKNOWN]
    told, away = [], []
    for some in torch.split(rows, ROWS):
        batch = _batch(shard, some)
        skin = masked_mean(batch.photo, batch.own.skin)[:, :, 0, 0].numpy()
        for photo, hole, colour in zip(batch.photo.numpy(), batch.hole.numpy()[:, 0], skin, strict=True):
            rgb = np.rint(photo.transpose(1, 2, 0) * 255).astype(np.uint8)
            y, x = np.nonzero(hole > 0.5)
            hull = np.array([[x.min(), y.min()], [x.max() + 1, y.max() + 1]], np.float64)
            unknown = (hole > 0).astype(np.uint8)
            told.append(features(rgb * (unknown == 0)[..., None].astype(np.uint8), unknown, hull, usual))
            away.append(np.log(np.maximum(colour, 0.01)) - np.log(usual))
    return np.array(told), np.array(away, np.float64)


def _batch(shard: Shard, rows: Tensor) -> Batch:
    count = len(rows)
    batch = cut_batch(shard, rows, torch.zeros(count).long(), torch.randint(3, (count,)), draw_jitter(count), SIZE_PX)
    return before_walls(batch, draw_walls(count))


def ridge(told: Array, wanted: Array, weight: Array) -> Array:
    """(N, k) features, the last of them 1, and (N, 3) -> (k, 3) weights."""
    mean, spread = told.mean(0), told.std(0) + 1e-6
    mean[-1], spread[-1] = 0, 1
    x = (told - mean) / spread
    penalty = RIDGE * ROUNDS * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    found = np.linalg.solve((x * weight[:, None]).T @ x + penalty, (x * weight[:, None]).T @ wanted)
    found /= spread[:, None]
    found[-1] -= mean @ found
    return np.asarray(found)


def _rms(error: Array) -> dict[str, float]:
    """Of brightness (mean of the channels' logs) and of hue (what they differ by)."""
    grey = error.mean(1, keepdims=True)
    found = {"brightness": grey, "hue": error - grey}
    return {name: round(float(np.sqrt((values**2).mean())), 3) for name, values in found.items()}
