"""Several processes train as one would; what comes back from a lent machine; what training does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from anonymizer.errors import ConfigError, WeightsError
from training.bring_back import MOST_BYTES, MOST_FILES, bring_back
from training.checkpoint import read_checkpoint, restore, save_checkpoint
from training.config import TrainConfig, table_of
from training.data import load_shard
from training.loop import draw_batch
from training.step import Players, make_players, train_step
from training.team import SEED_STEP, Alone, part_of
from training.train import run_training
from training.warm_start import warm

ROOT = Path(__file__).resolve().parents[2]
STEPS = 2
# Two processes add their gradients in the order that one would, but a mean of two is not always that of the sums.
TOLERANCE = 1e-6


@dataclass(slots=True)
class Replayed(Alone):
    """One of two processes, played alone: gradients that are known are set, the first unknown ones are noted."""

    known: list[list[Tensor]] = field(default_factory=list)
    noted: list[Tensor] = field(default_factory=list)
    calls: int = 0

    def average(self, parameters: Iterable[Tensor]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self.calls < len(self.known):
            for gradient, mean in zip(gradients, self.known[self.calls], strict=True):
                gradient.copy_(mean)
        elif self.calls == len(self.known):
            self.noted = [gradient.clone() for gradient in gradients]
        self.calls += 1


def _played(config: TrainConfig, shard: Path, rank: int, known: list[list[Tensor]]) -> tuple[Players, Replayed]:
    team = Replayed(rank, 2, known)
    torch.manual_seed(config.seed)
    players = make_players(config, torch.device("cpu"), team)
    if rank:
        torch.manual_seed(config.seed + SEED_STEP)
    rows = load_shard(shard, config.size_px)
    for _ in range(STEPS):
        train_step(players, draw_batch(rows, config, players.images_seen, team), config)
    return players, team


def _one_process(config: TrainConfig, shard: Path) -> Players:
    """Both halves of every batch through one process: each mean of gradients is found, then used to find the next."""
    known: list[list[Tensor]] = []
    while True:
        played = [_played(config, shard, rank, known) for rank in (0, 1)]
        if played[0][1].calls == len(known):
            return played[0][0]
        noted = [team.noted for _, team in played]
        known.append([(a + b) / 2 for a, b in zip(*noted, strict=True)])


def _config_file(config: TrainConfig, path: Path) -> Path:
    lines = [f"{key} = {json.dumps(value)}" for key, value in table_of(config).items() if key != "loss"]
    lines += ["[loss]", *(f"{key} = {value}" for key, value in table_of(config)["loss"].items())]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_same_batch(
    tiny_shard: Path, smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """torchrun with two processes gives the weights of one process that is given both halves of each batch."""
    config = replace(smoke_config, total_kimg=STEPS * smoke_config.batch / 1000, sheet_kimg=9.0, r1_every=1)
    file = _config_file(config, tmp_path / "two.toml")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "training"]
    command += ["train", str(file), "--shard", str(tiny_shard), "--out", str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    state = read_checkpoint(tmp_path / "runs" / "00000-smoke")
    assert state["images_seen"] == STEPS * config.batch
    assert len(state["rng_others"]) == 1
    players = _one_process(config, tiny_shard)
    start = make_players(config, torch.device("cpu")).generator.state_dict()
    for part in ("generator", "ema", "discriminator"):
        for name, value in getattr(players, part).state_dict().items():
            assert torch.allclose(state[part][name], value, atol=TOLERANCE), (part, name)
    assert any(not torch.allclose(state["generator"][name], value, atol=1e-4) for name, value in start.items())


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    """Every process takes as many rows, and two at least."""
    assert part_of(8, Alone(size=4)) == 2
    with pytest.raises(ConfigError, match="batch 8 cannot be shared by 3"):
        part_of(8, Alone(size=3))
    with pytest.raises(ConfigError, match="2 rows or more"):
        part_of(4, Alone(size=4))


def test_what_comes_back_is_small_and_can_be_gone_on_from(
    smoke_run: Path, smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """At most eight files; its weights begin another run, and are refused where optimisers are needed."""
    for number in range(12):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / f"sheet-{number:07d}.png").write_bytes(b"png")
    for name in ("latest.pt", "run.json", "stats.jsonl"):
        (tmp_path / "run" / name).write_bytes((smoke_run / name).read_bytes())
    back = tmp_path / "back"
    for _ in range(2):
        bring_back(tmp_path / "run", back)
    files = sorted(back.iterdir())
    assert len(files) == MOST_FILES
    assert max(path.stat().st_size for path in files) <= MOST_BYTES
    assert [p.name for p in files][:3] == ["latest.pt", "run.json", "sheet-0000007.png"]
    players = make_players(smoke_config, torch.device("cpu"))
    warm(players, back / "latest.pt")
    assert players.images_seen == 32
    whole = read_checkpoint(smoke_run)["ema"]
    for name, value in players.ema.state_dict().items():
        assert torch.allclose(value, whole[name], atol=1e-3)
    with pytest.raises(WeightsError, match="--warm-start, not --resume"):
        restore(players, read_checkpoint(back))


def test_a_run_with_results_leaves_them_there(tiny_shard: Path, smoke_config: TrainConfig, tmp_path: Path) -> None:
    """At its end a run puts weights, record, losses and sheets into the folder."""
    config = replace(smoke_config, total_kimg=0.008, stats_kimg=0.004)
    run_training(config, tiny_shard, tmp_path / "runs", None, None, results=tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"latest.pt", "run.json", "stats.jsonl", "sheet-0000008.png"} <= names


def test_a_team_of_another_size_resumes(smoke_config: TrainConfig, tmp_path: Path) -> None:
    """A run of two can be gone on with alone: the draws are process 0's."""
    players = make_players(smoke_config, torch.device("cpu"))
    path = save_checkpoint(tmp_path, players, table_of(smoke_config))
    state = read_checkpoint(path.parent)
    restore(players, {**state, "rng_others": [state["rng"]]})
    assert torch.equal(torch.get_rng_state(), state["rng"])


def test_layout_of_memory_does_not_change_what_is_computed(tiny_shard: Path, smoke_config: TrainConfig) -> None:
    """channels_last is a matter of speed: the first step's losses are the same but for rounding."""
    found = []
    for channels_last in (True, False):
        config = replace(smoke_config, channels_last=channels_last)
        torch.manual_seed(0)
        players = make_players(config, torch.device("cpu"))
        rows = load_shard(tiny_shard, config.size_px)
        found.append(train_step(players, draw_batch(rows, config, 0, Alone()), config))
    for name, value in found[0].items():
        assert float(value) == pytest.approx(float(found[1][name]), rel=0.02, abs=1e-4), name


def test_training_needs_nothing_of_the_live_path() -> None:
    """On a GPU machine `train` runs without mediapipe, LiteRT, ONNX Runtime, OpenCV, numba and torchvision."""
    code = (
        "import sys, training.train, training.sheets, training.bring_back\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    unwanted = {"mediapipe", "ai_edge_litert", "onnxruntime", "onnx", "cv2", "numba", "torchvision", "openvino"}
    assert not unwanted & set(done.stdout.split())
