"""What ran and on what: version, hashes of the model files, processor. Goes beside every figure."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, cores, and how loaded they were."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_1_min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def build() -> dict[str, Any]:
    """Version, and the registered SHA-256 of every model file."""
    from anonymizer import __version__
    from anonymizer.weights.locate import registry

    return {"version": __version__, "weights": {name: entry.sha256 for name, entry in registry().items()}}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
