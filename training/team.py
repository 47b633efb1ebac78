"""Several processes that train one network, as `torchrun` starts them: equal players, each its part of every batch.

Gradients are averaged by hand before each optimiser step, in one flat piece: both players go forward several times a
step and the penalty is differentiated twice, which DistributedDataParallel's hooks are not made for, and 8 MB of
gradients need no overlap. Process 0 alone writes. Alone, a process is a team of one and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from anonymizer.errors import AnonymizerError, ConfigError

SEED_STEP = 7919  # between the random draws of two processes; process 0 draws as one alone would


class Team(Protocol):
    """rank: this process's number; size: how many there are."""

    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace gradients by their mean over the team."""

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """The mean of each value; all processes give the same names."""

    def any(self, flag: bool) -> bool:
        """Whether any process says so; time is up for all at the same step."""

    def gather(self, value: Tensor) -> list[Tensor]:
        """Every process's tensor, by rank."""


@dataclass(slots=True)
class Alone:
    """A team of one."""

    rank: int = 0
    size: int = 1

    def average(self, parameters: Iterable[Tensor]) -> None:
        del parameters

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        return values

    def any(self, flag: bool) -> bool:
        return flag

    def gather(self, value: Tensor) -> list[Tensor]:
        return [value]


@dataclass(frozen=True, slots=True)
class Together:
    """A team over torch.distributed, whose process group exists. device: where gradients lie."""

    rank: int
    size: int
    device: torch.device

    def average(self, parameters: Iterable[Tensor]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(numbers)
        return dict(zip(values, (numbers / self.size).tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        told = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(told, op=dist.ReduceOp.MAX)
        return bool(told.item())

    def gather(self, value: Tensor) -> list[Tensor]:
        mine = value.to(self.device)
        all_of_them = [torch.empty_like(mine) for _ in range(self.size)]
        dist.all_gather(all_of_them, mine)
        return [each.cpu() for each in all_of_them]


@contextmanager
def joined() -> Iterator[tuple[Team, torch.device]]:
    """The team that torchrun's variables tell of, and this process's device; a team of one without them."""
    size, cuda = int(os.environ.get("WORLD_SIZE", "1")), torch.cuda.is_available()
    if size == 1:
        yield Alone(), torch.device("cuda" if cuda else "cpu")
        return
    device = torch.device("cpu")
    if cuda:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Together(dist.get_rank(), dist.get_world_size(), device), device
    finally:
        dist.destroy_process_group()


def part_of(batch: int, team: Team) -> int:
    """Rows of a batch that each process takes. ConfigError when it does not divide."""
    if batch % team.size or batch // team.size < 2:
        raise ConfigError(f"batch {batch} cannot be shared by {team.size} processes, wanted 2 rows or more for each")
    return batch // team.size


def check_in_step(team: Team, parameters: Iterable[Tensor]) -> None:
    """AnonymizerError when the processes' weights are no longer the same to the bit."""
    told = torch.stack([p.detach().double().sum().cpu() for p in parameters]).sum()
    sums = team.gather(told)
    if any(not torch.equal(each, sums[0]) for each in sums):
        raise AnonymizerError(f"the {team.size} processes' weights differ; resume from the last checkpoint")
