"""The committed start for the next run: weights of all three networks in half precision, without the optimisers.

python -m training warm-start runs/00002-face128 --out models/warm_start_face128.pt
python -m training train configs/train/face128.toml --warm-start models/warm_start_face128.pt ...
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from anonymizer.errors import WeightsError
from models.generator import NETWORK
from training.checkpoint import read_checkpoint
from training.step import Players

log = logging.getLogger(__name__)

PARTS = ("generator", "ema", "discriminator")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training warm-start", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    state = read_checkpoint(args.run)
    halves: dict[str, Any] = {part: {k: half(v) for k, v in state[part].items()} for part in PARTS}
    torch.save(halves | {"network": NETWORK, "images_seen": state["images_seen"]}, args.out)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, {state['images_seen']} images seen")
    return 0


def warm(players: Players, path: Path) -> None:
    """Give fresh players the weights of a warm start; images seen are counted on from there.

    A critic of another form is left out: it learns in a few hundred images.
    """
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state.get("network") != NETWORK:
        raise WeightsError(f"{path} is of the network {state.get('network')}, this code makes {NETWORK}; train anew")
    for part in PARTS:
        try:
            getattr(players, part).load_state_dict({k: v.float() for k, v in state[part].items()})
        except RuntimeError as error:
            if part != "discriminator":
                raise WeightsError(f"{path} does not fit this configuration ({error})") from error
            log.warning("the critic of %s has another form; a new one begins", path)
    players.images_seen = int(state["images_seen"])


def half(value: Tensor) -> Tensor:
    """float16 of what is floating point."""
    return value.half() if value.is_floating_point() else value
