"""A tiny shard and a finished smoke run, made once for all tests of training."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from training.config import TrainConfig, load_config
from training.train import run_training

ROOT = Path(__file__).resolve().parents[2]


def _writer() -> Callable[..., Path]:
    place = Path(__file__).with_name("synthetic_shard.py")
    spec = importlib.util.spec_from_file_location("synthetic_shard", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    writer: Callable[..., Path] = module.write_shard
    return writer


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def smoke_config() -> TrainConfig:
    return load_config(ROOT / "configs/train/smoke.toml")


@pytest.fixture(scope="session")
def tiny_shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _writer()(tmp_path_factory.mktemp("shard") / "shard.npz")


@pytest.fixture(scope="session")
def smoke_run(tiny_shard: Path, smoke_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_training(smoke_config, tiny_shard, tmp_path_factory.mktemp("runs"), None, None)
