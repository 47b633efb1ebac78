"""Checkpoints that resume to the bit: all weights, optimisers, counters and random states, written atomically."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from anonymizer.errors import InputError, WeightsError
from models.generator import NETWORK
from training.step import Players

FILE_NAME = "latest.pt"
_PARTS = ("generator", "ema", "discriminator", "generator_adam", "discriminator_adam")


def save_checkpoint(run_dir: Path, players: Players, config_table: dict[str, Any]) -> Path:
    """Write run_dir/latest.pt through a temporary file; every process of a team takes part, the first one writes."""
    draws = players.team.gather(torch.get_rng_state())
    state: dict[str, Any] = {part: getattr(players, part).state_dict() for part in _PARTS}
    state |= {"images_seen": players.images_seen, "steps": players.steps, "config": config_table, "network": NETWORK}
    state["rng"], state["rng_others"] = draws[0], draws[1:]
    state["rng_cuda"] = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    path, temporary = run_dir / FILE_NAME, run_dir / (FILE_NAME + ".part")
    if players.team.rank:
        return path
    torch.save(state, temporary)
    temporary.replace(path)
    return path


def read_checkpoint(run_dir: Path) -> dict[str, Any]:
    """The raw state of run_dir/latest.pt, on the CPU."""
    path = run_dir / FILE_NAME
    if not path.is_file():
        raise InputError(f"{run_dir} holds no {FILE_NAME}; give the folder of a run, such as runs/00003-face128")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state.get("network") != NETWORK:
        raise WeightsError(f"{path} is of the network {state.get('network')}, this code makes {NETWORK}; train anew")
    return state


def restore(players: Players, state: dict[str, Any]) -> None:
    """Put a checkpoint's state into players made from the same configuration.

    To the bit where the team is as large as it was; processes that were not there keep the draws they were given.
    """
    if "generator_adam" not in state:
        raise WeightsError("these are weights without optimisers; begin with them by --warm-start, not --resume")
    try:
        for part in _PARTS:
            getattr(players, part).load_state_dict(state[part])
    except RuntimeError as error:
        raise WeightsError(f"the checkpoint does not fit this configuration; resume with its own ({error})") from error
    players.images_seen, players.steps = state["images_seen"], state["steps"]
    draws = [state["rng"], *state.get("rng_others", [])]
    if players.team.rank < len(draws):
        torch.set_rng_state(draws[players.team.rank])
    if torch.cuda.is_available() and len(state["rng_cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["rng_cuda"])
