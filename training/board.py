"""Losses and sheets of a run for TensorBoard, beside stats.jsonl: tensorboard --logdir runs"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

log = logging.getLogger(__name__)


class Board:
    """Writes run_dir/events.out.tfevents.*; nothing where tensorboard is not installed, or for a run_dir of None."""

    def __init__(self, run_dir: Path | None) -> None:
        self._writer: Any = None
        if run_dir is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            log.warning("no TensorBoard (%s); losses are in %s", error, run_dir / "stats.jsonl")
            return
        self._writer = SummaryWriter(str(run_dir))

    def scalars(self, values: dict[str, float], images: int) -> None:
        """Each value by its name, at so many images seen."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, images)

    def sheet(self, path: Path, images: int) -> None:
        """The PNG at path."""
        if self._writer is not None:
            self._writer.add_image("sheet", np.asarray(Image.open(path)), images, dataformats="HWC")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
