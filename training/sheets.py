"""Sample sheets: fixed held-out rows, what goes in and what comes out, one PNG a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from models.generator import Generator, compose
from training.augment import Batch, cut_batch, draw_jitter
from training.data import Shard
from training.guides import Guided, cross_guide, self_guide
from training.step import run_generator

PERSONAS = 3
_SEED = 20  # the same guides on every sheet of a shard


@torch.no_grad()
def save_sheet(path: Path, generator: Generator, shard: Shard, rows: int, size_px: int) -> None:
    """Columns: photo, CROSS guide in the hole, SELF, then CROSS of three personas. Leaves the random state alone."""
    chosen = shard.held_out[torch.linspace(0, len(shard.held_out) - 1, rows).long()]
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        kinds = torch.arange(rows) % 3
        still = draw_jitter(rows, still=True)
        personas = torch.stack([torch.randperm(len(shard.textures))[:rows] for _ in range(PERSONAS)])
        if personas.shape[1] < rows:
            personas = torch.randint(len(shard.textures), (PERSONAS, rows))
        batch = cut_batch(shard, chosen, personas[0], kinds, still, size_px)
        own = self_guide(batch)
        cross = [cross_guide(_wearing(batch, shard, p.to(batch.photo.device))) for p in personas]
    columns = [batch.photo, _pasted(batch, cross[0]), _show(generator, batch, own)]
    columns += [_show(generator, batch, guided) for guided in cross]
    cells = torch.stack(columns, 1).float().cpu()  # (rows, columns, 3, S, S)
    sheet = cells.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    pixels = (sheet.clamp(0, 1) * 255).round().byte().numpy()
    temporary = path.with_suffix(".part")
    Image.fromarray(pixels).save(temporary, format="PNG")
    temporary.replace(path)


def _wearing(batch: Batch, shard: Shard, personas: Tensor) -> Batch:
    return replace(batch, textures=shard.textures[personas], coarse_textures=shard.coarse_textures[personas])


def _pasted(batch: Batch, guided: Guided) -> Tensor:
    inside = torch.lerp(torch.full_like(batch.photo, 0.5), guided.guide, guided.coverage)
    return torch.lerp(batch.photo, inside, batch.hole)


def _show(generator: Generator, batch: Batch, guided: Guided) -> Tensor:
    return compose(run_generator(generator, guided.conditioning), guided.conditioning, batch.photo, batch.blend)
