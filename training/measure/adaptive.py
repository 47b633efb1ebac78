"""Attackers who have trained on anonymized pictures: what does the tool's own output teach them?

    python -m training measure-adaptive --data FOLDER --recogniser configs/recognisers/mobilefacenet.toml \\
        --models FOLDER --out out/adaptive

Every photo is anonymized --draws times, each with another persona, and as the floor with one finished face for all.
Probe: a linear map from a recogniser's vector of the anonymized to that of the raw photo, learnt on four fifths of the
people, used on the others; five turns. Network: a small convolutional one, taught to name people from anonymized
pictures of one photo, tried on those of their other photo; the same people, so the strongest case.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.baselines import BASELINES, FLOOR
from anonymizer.audit.chips import ARCFACE_PX, chip_from_frame, cut_chip
from anonymizer.audit.metrics import Scores, chance_rank1, figure, measure, people_draws
from anonymizer.audit.photo_pairs import Photo, photos_in
from anonymizer.audit.recognisers import Recogniser, load_recognisers
from anonymizer.audit.seen import audit_finder, faces_of
from anonymizer.frames import Frame, RgbImage
from anonymizer.machine import build
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.settings import load_settings
from training.measure.evaluation import SETS, show_progress
from training.measure.report import print_table, write_json

Array = npt.NDArray[np.float64]
FOLDS, RIDGE, CHIP_PX, EPOCHS, BATCH = 5, 3.0, 64, 40, 64


class Pictures:
    """Aligned pictures and vectors of every person: [photo 0 or 1][draw]. Kinds: raw, anonymized, floor."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.recogniser = recogniser
        self.vectors: dict[tuple[str, int], list[list[npt.NDArray[np.float32]]]] = {}
        self.chips: dict[tuple[str, int], list[list[RgbImage]]] = {}
        self.groups: list[str] = []

    def add(self, pair: Sequence[Photo], draws: int, tools: Any) -> None:
        finder, anonymizer = tools
        looks = [(rgb := read_image(p.path).rgb, faces_of(finder, rgb)) for p in pair]
        if not all(faces for _, faces in looks):
            return
        self.groups.append(pair[0].group)
        for side, (rgb, faces) in enumerate(looks):
            planned = plan_still(Frame(rgb), finder, load_face_model())
            shown = {"raw": [rgb], "floor": [BASELINES[FLOOR](rgb, faces[0])], "anonymized": []}
            for _ in range(draws):
                anonymizer.reset()
                anonymizer.draw_persona = app.persona_drawer(load_settings())
                shown["anonymized"].append(anonymizer.render(Frame(rgb), planned).rgb)
            points = faces[0].landmarks_px
            matrix = chip_from_frame(points, ARCFACE_PX * (CHIP_PX / 112) * 0.8 + 0.1 * CHIP_PX)
            for kind, pictures in shown.items():
                vectors = [self.recogniser.embed(self.recogniser.chip(picture, points)) for picture in pictures]
                self.vectors.setdefault((kind, side), []).append(vectors)
                chips = [cut_chip(picture, matrix, CHIP_PX) for picture in pictures]
                self.chips.setdefault((kind, side), []).append(chips)


def linear_probe(pictures: Pictures, kind: str, learn: bool) -> dict[str, Any]:
    """Photo 1 of each person, as `kind`, looked for among the raw photos 0 of all."""
    raw = [np.stack([v[0] for v in pictures.vectors["raw", side]]).astype(np.float64) for side in (0, 1)]
    shown = [pictures.vectors[kind, side] for side in (0, 1)]
    raw = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in raw]
    people = len(pictures.groups)
    order, similarity = np.random.default_rng(0).permutation(people), np.zeros((people, people))
    comparable = np.array(pictures.groups)[:, None] == np.array(pictures.groups)[None]
    within_fold = np.zeros_like(comparable)
    for fold in range(FOLDS):
        tested = order[fold::FOLDS]
        trained = np.setdiff1d(order, tested)
        x = np.concatenate([_unit(shown[s][i]) for s in (0, 1) for i in trained])
        y = np.concatenate([np.repeat(raw[s][i][None], len(shown[s][i]), 0) for s in (0, 1) for i in trained])
        mean = x.mean(0)
        weights = _ridge(x - mean, y - y.mean(0)) if learn else np.eye(x.shape[1])
        probes = np.stack([(_unit(shown[1][i])[:1] - (mean if learn else 0)) @ weights for i in tested])[:, 0]
        gallery = raw[0][tested] - (y.mean(0) if learn else 0)
        similarity[np.ix_(tested, tested)] = _unit(probes) @ _unit(gallery).T
        within_fold[np.ix_(tested, tested)] = True
    scores = Scores(similarity, np.arange(people), np.arange(people), comparable & within_fold)
    drawn = measure(scores, people_draws(people))
    auc, rank1 = figure(drawn.auc), figure(drawn.rank1)
    return {
        "AUC": auc.value,
        "low": auc.low,
        "high": auc.high,
        "rank-1": rank1.value,
        "chance": chance_rank1(scores),
    }


def _unit(vectors: Any) -> Array:
    stacked = np.stack(list(vectors)).astype(np.float64)
    return np.asarray(stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12))


def _ridge(x: Array, y: Array) -> Array:
    gram = x.T @ x
    return np.asarray(np.linalg.solve(gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)), x.T @ y))


class SmallNetwork(nn.Module):
    """Four convolutions of 64 px pictures, then a name; about .4 M parameters."""

    def __init__(self, people: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 32), (32, 64), (64, 128), (128, 192)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3))
        self.head = nn.Linear(192, people)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.body(x))
        return answer


def network_attack(pictures: Pictures, kind: str, group: str) -> dict[str, Any]:
    """Taught on photo 0 of everybody of one set as `kind`, tried on photo 1."""
    chosen = [i for i, name in enumerate(pictures.groups) if name == group]
    sides = [[pictures.chips[kind, side][i] for i in chosen] for side in (0, 1)]
    x, y = (_tensor([c for chips in sides[0] for c in chips]), _labels(sides[0]))
    tried, truth = (_tensor([c for chips in sides[1] for c in chips]), _labels(sides[1]))
    torch.manual_seed(0)
    network = SmallNetwork(len(chosen))
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.05)
    steps = EPOCHS * max(1, -(-max(len(x), 4 * len(chosen)) // BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(steps):
        at = torch.randint(0, len(x), (BATCH,))
        loss = nn.functional.cross_entropy(network(_varied(x[at])), y[at], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        named = network(tried).softmax(1).numpy()
    means = np.stack([named[truth.numpy() == i].mean(0) for i in range(len(chosen))])
    people = np.arange(len(chosen))
    drawn = measure(Scores(means, people, people, np.ones(means.shape, bool)), people_draws(len(chosen)))
    auc, rank1 = figure(drawn.auc), figure(drawn.rank1)
    return {
        "AUC": auc.value,
        "low": auc.low,
        "high": auc.high,
        "rank-1": rank1.value,
        "chance": 1 / len(chosen),
    }


def _tensor(chips: Sequence[RgbImage]) -> torch.Tensor:
    return torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _labels(chips: Sequence[Sequence[RgbImage]]) -> torch.Tensor:
    return torch.tensor([i for i, own in enumerate(chips) for _ in own])


def _varied(x: torch.Tensor) -> torch.Tensor:
    """Mirrored, shifted by up to 4 px, brighter or darker."""
    if torch.rand(()) < 0.5:
        x = x.flip(3)
    dx, dy = (int(v) for v in torch.randint(-4, 5, (2,)))
    return torch.roll(x, (dy, dx), (2, 3)) * (0.8 + 0.4 * torch.rand(len(x), 1, 1, 1))


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    recogniser = load_recognisers(args.recogniser, args.models, args.dlib)[-1]
    pictures, finder = Pictures(recogniser), audit_finder()
    anonymizer = app.build_anonymizer(load_settings())
    people = _people(args.data, args.people)
    for done, pair in enumerate(people):
        pictures.add(pair, args.draws, (finder, anonymizer))
        show_progress(done + 1, len(people))
    rows = []
    for kind, shown in (("raw", "raw"), ("floor", FLOOR), ("anonymized", "anonymized")):
        for learn in (False, True):
            attack = f"{recogniser.name}, {'with' if learn else 'without'} a learnt map"
            rows.append({"attack": attack, "pictures": shown, **linear_probe(pictures, kind, learn)})
    for group in dict.fromkeys(pictures.groups):
        for kind, shown in (("raw", "raw"), ("floor", FLOOR), ("anonymized", "anonymized")):
            rows.append({"attack": f"network, {group}", "pictures": shown, **network_attack(pictures, kind, group)})
    print(f"{len(pictures.groups)} people, {args.draws} draws; weights {build()['weights'][app.GENERATOR][:16]}")
    print_table(rows)
    write_json(args.out / "adaptive.json", {"rows": rows, "draws": args.draws, **build()})
    return 0


def _people(data: Path, most: int | None) -> list[list[Photo]]:
    """Two photos of each: the gallery's, then the one that is attacked. most: people of each set."""
    by_person: dict[str, list[Photo]] = {}
    for photo in photos_in(data):
        if photo.group in SETS and photo.view:
            by_person.setdefault(photo.person, []).append(photo)
    pairs = [sorted(p, key=lambda q: q.view == SETS[q.group]) for p in by_person.values() if len(p) == 2]
    return [pair for name in SETS for pair in [p for p in pairs if p[0].group == name][:most]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training measure-adaptive", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--people", type=int, help="of each set, at most")
    parser.add_argument("--out", type=Path, default=Path("out/adaptive"))
    return parser
