"""The model card: what a generator was trained on, for how long, and where it is weak. Only measured numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.export import Exported
from training.config import TrainConfig

YOUNG_BELOW_IMAGES = 1_000_000
_TOLD = ("l1", "perceptual", "structure", "cross_light", "rim", "adversarial", "d_real", "d_fake")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a card is written from: the export, the run's own records, and counts of its shard."""

    exported: Exported
    int8: Exported
    config: TrainConfig
    run: dict[str, Any]
    stats: list[dict[str, float]]
    photos: int
    held_out: int
    personas: int
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """What `prepare` wrote beside the shard; empty for a shard without it."""


def write_card(path: Path, evidence: Evidence) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card_text(path.stem, evidence), encoding="utf-8")


def card_text(name: str, evidence: Evidence) -> str:
    spec, exported = evidence.exported.spec, evidence.exported
    size = exported.path.stat().st_size / 1e6
    hours = sum(_leg_ends(evidence.stats)) / 3600
    lines = [
        f"# {name}",
        "",
        "Lights a persona's render, paints what it lacks and joins both with the frame: "
        f"{spec.size_px} px, {spec.spec} v{spec.version}, {size:.1f} MB.",
        "",
        _age(spec.images_seen, evidence.photos),
        "",
        "| | |",
        "|---|---|",
        f"| images seen | {spec.images_seen:,} |",
        f"| photos trained on / held out | {evidence.photos:,} / {evidence.held_out:,} |",
        f"| persona textures | {evidence.personas:,} |",
        f"| training time | {hours:.1f} h on {evidence.run['hardware']} |",
        f"| seed, commit | {evidence.run['seed']}, {evidence.run['commit'][:12]} |",
        *([f"| started from | {evidence.run['warm_start']} |"] if "warm_start" in evidence.run else []),
        f"| ONNX Runtime against torch, inside the hole | {exported.parity_db:.1f} dB |",
        f"| int8 against float32, inside the hole | {evidence.int8.parity_db:.1f} dB |",
        f"| SHA-256 of the file | `{exported.sha256}` |",
        f"| SHA-256 of the int8 file | `{evidence.int8.sha256}` |",
        f"| SHA-256 of the weights | `{spec.weights_sha256}` |",
        "",
        *_losses(evidence.stats),
        "## Trained on",
        "",
        "Crops that `python -m training prepare` made of the portraits named in THIRD_PARTY.md, with their licences.",
        *provenance_lines(evidence.provenance),
        "The perceptual loss uses the VGG16 trunk of `stlpips-pytorch` (BSD-2-Clause) while training; nothing of it",
        "is in this file.",
        "",
        "## Known to be weak",
        "",
        "Young networks of this kind are soft where they paint without a guide: forehead, hairline, ears, neck and",
        "background inside large holes; frames of glasses end at the hole; strong light from one side is followed",
        "roughly.",
        "Whether a face can be recognised is measured by the project's audit, not by the losses above.",
    ]
    return "\n".join(lines) + "\n"


def provenance_lines(report: Mapping[str, Any]) -> list[str]:
    """Sources, licences and generators of all rows, held-out ones included, with their counts."""
    lines = []
    for title, key in (("Sources", "sources"), ("Licences", "licences"), ("Generators", "generators")):
        counts = sorted(report.get(key, {}).items(), key=lambda each: -each[1])
        lines += [f"{title}: {', '.join(f'{name} ({count:,})' for name, count in counts)}."] if counts else []
    return ["", *lines, ""] if lines else []


def _age(images: int, photos: int) -> str:
    passes = images / max(photos, 1)
    if images < YOUNG_BELOW_IMAGES:
        share = images / YOUNG_BELOW_IMAGES
        return (
            f"**A young network:** it has seen {images:,} images, {passes:.0f} passes over its photos; that is "
            f"{share:.1%} of the {YOUNG_BELOW_IMAGES:,} that training in earnest means here."
        )
    return f"It has seen {images:,} images, {passes:.0f} passes over its photos."


def _leg_ends(stats: list[dict[str, float]]) -> list[float]:
    """Seconds of each leg of a run: elapsed_s begins anew whenever the run is resumed."""
    times = [line["elapsed_s"] for line in stats]
    return [now for now, then in zip(times, [*times[1:], 0.0], strict=True) if then < now]


def _losses(stats: list[dict[str, float]]) -> list[str]:
    """First and last training losses, as a table."""
    if len(stats) < 2:
        return []
    first, last = stats[0], stats[-1]
    rows = [f"| {name} | {first[name]:.4f} | {last[name]:.4f} |" for name in _TOLD if name in first and name in last]
    head = f"| training loss | at {first['images']:,} images | at {last['images']:,} images |"
    return [head, "|---|---|---|", *rows, ""]
