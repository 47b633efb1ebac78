"""The smoke configuration trains, resumes to the bit, stops on nonsense, and exports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from anonymizer.errors import AnonymizerError, ConfigError, InputError, WeightsError
from anonymizer.faces import FaceCrop
from anonymizer.generate.onnx_generator import OnnxGenerator
from models.generator import NETWORK, PRESETS
from training.__main__ import main
from training.checkpoint import read_checkpoint, save_checkpoint
from training.config import LossWeights, TrainConfig, config_of, table_of
from training.data import load_shard
from training.export import export_run
from training.loop import train
from training.step import make_players
from training.train import run_training
from training.warm_start import warm

TINY_INT8_DB = 30.0  # eight channels, 32 images seen: coarser than anything that is shipped


def test_a_run_leaves_its_record_losses_sheets_and_checkpoint(smoke_run: Path) -> None:
    """A finished run can be told from its folder: configuration, commit, losses per image count, sheets, state."""
    assert smoke_run.name == "00000-smoke"
    record = json.loads((smoke_run / "run.json").read_text())
    assert record["seed"] == 3
    assert record["config"]["preset"] == "tiny32"
    stats = [json.loads(line) for line in (smoke_run / "stats.jsonl").read_text().splitlines()]
    assert [line["images"] for line in stats] == [16, 32]
    assert {"l1", "structure", "adversarial", "images_per_s"} <= set(stats[0])
    assert sorted(p.name for p in smoke_run.glob("*.png")) == ["sheet-0000000.png", "sheet-0000032.png"]
    board = EventAccumulator(str(smoke_run)).Reload()
    assert [e.step for e in board.Scalars("l1")] == [s["images"] for s in stats]
    assert [e.value for e in board.Scalars("l1")] == pytest.approx([s["l1"] for s in stats], abs=6e-6)  # to 5 digits
    assert [e.step for e in board.Images("sheet")] == [0, 32]


def test_a_resumed_run_equals_one_that_never_stopped(
    smoke_run: Path, smoke_config: TrainConfig, tiny_shard: Path, tmp_path: Path
) -> None:
    """Stopping half-way and resuming gives the same weights, to the bit."""
    half = run_training(replace(smoke_config, total_kimg=0.016), tiny_shard, tmp_path, None, None)
    torch.manual_seed(99)
    run_training(smoke_config, tiny_shard, tmp_path, None, half)
    ours, theirs = read_checkpoint(half), read_checkpoint(smoke_run)
    assert ours["images_seen"] == theirs["images_seen"] == 32
    for part in ("generator", "ema", "discriminator"):
        for name, value in ours[part].items():
            assert torch.equal(value, theirs[part][name]), (part, name)


def test_training_moves_the_generator_towards_the_photos(
    tiny_shard: Path, smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """Within a hundred steps at a high rate the SELF error falls clearly."""
    config = replace(
        smoke_config, total_kimg=0.4, stats_kimg=0.08, sheet_kimg=9.0, warmup_kimg=0.0, lr_generator=4e-3, r1_every=99
    )
    run = run_training(config, tiny_shard, tmp_path, None, None)
    losses = [json.loads(line)["l1"] for line in (run / "stats.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.85 * losses[0]


def test_the_critic_of_a_warm_start_can_learn_alone_first(
    tiny_shard: Path, smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """For the first critic_first_kimg images the generator stays as it is and the critic does not."""
    config = replace(smoke_config, total_kimg=0.016, critic_first_kimg=0.016)
    players, fresh = (make_players(config, torch.device("cpu")) for _ in range(2))
    fresh.generator.load_state_dict(players.generator.state_dict())
    fresh.discriminator.load_state_dict(players.discriminator.state_dict())
    train(players, load_shard(tiny_shard, 32), config, tmp_path, None)
    for ours, before in zip(players.generator.parameters(), fresh.generator.parameters(), strict=True):
        assert torch.equal(ours, before)
    pairs = zip(players.discriminator.parameters(), fresh.discriminator.parameters(), strict=True)
    assert not all(torch.equal(ours, before) for ours, before in pairs)


def test_training_stops_when_a_loss_is_not_a_number(
    tiny_shard: Path, smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """A NaN ends the run with an error that names the loss, and no checkpoint of the broken state is written."""
    players = make_players(smoke_config, torch.device("cpu"))
    with torch.no_grad():
        next(players.generator.parameters()).fill_(float("nan"))
    with pytest.raises(AnonymizerError, match=r"l1.* not finite"):
        train(players, load_shard(tiny_shard, 32), smoke_config, tmp_path, None)
    assert not (tmp_path / "latest.pt").exists()


def test_a_checkpoint_of_another_network_is_refused(smoke_run: Path, tmp_path: Path) -> None:
    """Weights that would mean something else in this code are neither resumed nor exported."""
    state = read_checkpoint(smoke_run)
    torch.save({**state, "network": "other-1"}, tmp_path / "latest.pt")
    with pytest.raises(WeightsError, match=r"is of the network other-1, this code makes"):
        read_checkpoint(tmp_path)


def test_time_is_a_limit(tiny_shard: Path, smoke_config: TrainConfig, tmp_path: Path) -> None:
    """With no minutes left the run ends before its first step, without a checkpoint."""
    run = run_training(smoke_config, tiny_shard, tmp_path, 0.0, None)
    assert not (run / "latest.pt").exists()


@pytest.mark.slow
def test_an_exported_run_is_a_generator(smoke_run: Path, tiny_shard: Path, tmp_path: Path) -> None:
    """Both exported files run as FaceGenerators, agree with torch, and the card tells how young they are."""
    both = export_run(smoke_run, tiny_shard, tmp_path / "smoke.onnx", tmp_path / "card.md", TINY_INT8_DB)
    assert both[1].path.stat().st_size < both[0].path.stat().st_size
    rng = np.random.default_rng(0)
    crops = [_crop(rng, 32) for _ in range(3)]
    for exported, least_db in zip(both, (38, TINY_INT8_DB), strict=True):
        assert exported.parity_db >= least_db
        generator = OnnxGenerator.from_file(exported.path)
        assert (generator.size_px, generator.spec.images_seen) == (32, 32)
        together = generator.generate(crops)
        assert together[0].gain.shape == (4, 4, 3)
        assert together[0].inpaint_rgb.shape == (32, 32, 3)
        for crop, answer in zip(crops, together, strict=True):
            np.testing.assert_allclose(generator.generate([crop])[0].matte, answer.matte, atol=1e-5)
    card = (tmp_path / "card.md").read_text()
    assert "images seen | 32 |" in card
    assert "young network" in card


def test_a_run_exports_at_another_size_of_the_same_network_only(
    smoke_run: Path, tiny_shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same weights at twice the size; a preset of other widths is refused by name."""
    monkeypatch.setitem(PRESETS, "tiny64", replace(PRESETS["tiny32"], size_px=64))
    out, card = tmp_path / "smoke64.onnx", tmp_path / "card.md"
    exported, _ = export_run(smoke_run, tiny_shard, out, card, TINY_INT8_DB, preset="tiny64")
    assert exported.spec.size_px == 64
    with pytest.raises(InputError, match="tiny32, whose weights do not fit face64"):
        export_run(smoke_run, tiny_shard, out, card, TINY_INT8_DB, preset="face64")


def test_an_unknown_key_is_refused_with_its_nearest_name() -> None:
    """A misspelt setting names the file and the key that was probably meant."""
    with pytest.raises(ConfigError, match=r'x\.toml: unknown key "bach"; did you mean "batch"'):
        config_of({"bach": 3}, "x.toml")
    with pytest.raises(ConfigError, match="batch is '3', wanted int"):
        config_of({"batch": "3"}, "x.toml")


def test_a_file_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    """Missing arrays are named, and so is the command that makes a shard."""
    np.savez(tmp_path / "x.npz", images=np.zeros(3))
    with pytest.raises(InputError, match=r"lacks .*hull_box.*training prepare"):
        load_shard(tmp_path / "x.npz", 32)


def test_an_unknown_verb_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m training nonsense` ends with 2 and lists the verbs."""
    assert main(["nonsense"]) == 2
    assert "prepare, train, export" in capsys.readouterr().err


def _crop(rng: np.random.Generator, size: int) -> FaceCrop:
    hole = (rng.random((size, size)) < 0.5).astype(np.float32)
    coverage = (rng.random((size, size)) < 0.5).astype(np.float32)
    rgb = rng.random((2, size, size, 3)).astype(np.float32)
    normals = rng.uniform(-1, 1, (size, size, 3)).astype(np.float32)
    context, guide = rgb[0] * (1 - hole[..., None]), rgb[1] * coverage[..., None]
    return FaceCrop(context, hole, guide, coverage, normals, np.eye(2, 3))


def test_a_warm_start_carries_weights_and_counts_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three networks come back in half precision, and images seen go on from there."""
    config = TrainConfig(preset="tiny32", loss=LossWeights(perceptual=0.0))
    first, second = (make_players(config, torch.device("cpu")) for _ in range(2))
    first.images_seen = 320
    save_checkpoint(tmp_path, first, table_of(config))
    assert main(["warm-start", str(tmp_path), "--out", str(tmp_path / "warm.pt")]) == 0
    warm(second, tmp_path / "warm.pt")
    assert second.images_seen == 320
    assert "320 images" in capsys.readouterr().out
    for old, new in zip(first.ema.parameters(), second.ema.parameters(), strict=True):
        torch.testing.assert_close(new, old, rtol=2e-3, atol=1e-3)


def test_a_warm_start_for_another_size_keeps_what_fits_of_the_critic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its convolutions come along, the layer over the whole picture begins anew; the generator fits as it is."""
    monkeypatch.setitem(PRESETS, "tiny64", replace(PRESETS["tiny32"], size_px=64))
    config = TrainConfig(preset="tiny32", loss=LossWeights(perceptual=0.0))
    small, large = (make_players(c, torch.device("cpu")) for c in (config, replace(config, preset="tiny64")))
    parts = {name: getattr(small, name).state_dict() for name in ("generator", "ema", "discriminator")}
    torch.save(parts | {"network": NETWORK, "images_seen": 5}, tmp_path / "warm.pt")
    warm(large, tmp_path / "warm.pt")
    assert torch.equal(large.discriminator.stem.weight, small.discriminator.stem.weight)
    assert torch.equal(large.generator.stem.weight, small.generator.stem.weight)
    assert large.images_seen == 5
