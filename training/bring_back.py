"""What has to come back from a machine that is lent for a while: a few small files instead of a whole run.

The folder is one that `python -m training export` and `--warm-start FOLDER/latest.pt` take: all three networks in half
precision without their optimisers, the run's record and losses, and the latest sheets.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from training.checkpoint import FILE_NAME, read_checkpoint
from training.warm_start import PARTS, half

MOST_FILES, MOST_BYTES = 8, 16_000_000
RECORDS = ("run.json", "stats.jsonl")


def bring_back(run_dir: Path, folder: Path) -> list[Path]:
    """Write at most MOST_FILES files of MOST_BYTES into folder, each whole or not at all; those that were written.

    Weights that are larger come without the critic, which learns anew in a few hundred images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [_weights(run_dir, folder)]
    sheets = sorted(run_dir.glob("sheet-*.png"), reverse=True)
    for old in folder.glob("sheet-*.png"):
        old.unlink()
    for path in (*(run_dir / name for name in RECORDS), *sheets):
        if len(written) < MOST_FILES and path.is_file() and path.stat().st_size <= MOST_BYTES:
            written.append(_copied(path, folder))
    return written


def _weights(run_dir: Path, folder: Path) -> Path:
    state = read_checkpoint(run_dir)
    kept: dict[str, Any] = {part: {name: half(value) for name, value in state[part].items()} for part in PARTS}
    kept |= {name: state[name] for name in ("network", "images_seen", "steps", "config")}
    path, temporary = folder / FILE_NAME, folder / (FILE_NAME + ".part")
    torch.save(kept, temporary)
    if temporary.stat().st_size > MOST_BYTES:
        torch.save(kept | {"discriminator": {}}, temporary)
    temporary.replace(path)
    return path


def _copied(path: Path, folder: Path) -> Path:
    temporary = folder / (path.name + ".part")
    shutil.copyfile(path, temporary)
    return temporary.replace(folder / path.name)
