"""The committed start for the next run: weights of all three networks in half precision, without the optimisers.

python -m training warm-start runs/00002-face192 --out models/warm_start_face192.pt
python -m training train configs/train/face192_further.toml --warm-start models/warm_start_face192.pt ...
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

    Of a critic of another form, or for another size, what fits is taken.
    """
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state.get("network") != NETWORK:
        raise WeightsError(f"{path} is of the network {state.get('network')}, this code makes {NETWORK}; train anew")
    for part in PARTS:
        network, given = getattr(players, part), {k: v.float() for k, v in state[part].items()}
        own = network.state_dict()
        fitting = {k: v for k, v in given.items() if k in own and own[k].shape == v.shape}
        if part == "discriminator" and len(fitting) < len(own):
            log.warning("of the critic of %s %d of %d layers fit; the others begin anew", path, len(fitting), len(own))
            given = own | fitting
        try:
            network.load_state_dict(given)
        except RuntimeError as error:
            raise WeightsError(f"{path} does not fit this configuration ({error})") from error
    players.images_seen = int(state["images_seen"])


def half(value: Tensor) -> Tensor:
    """float16 of what is floating point."""
    return value.half() if value.is_floating_point() else value
