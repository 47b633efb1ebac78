"""What stays unloaded until it is needed. Who may import whom is checked by lint-imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import anonymizer

ROOT = Path(__file__).parent.parent
HEAVY = {"numpy", "cv2", "ai_edge_litert", "onnxruntime", "numba", "av", "PIL", "cryptography", "torch"}


def loaded_after(statement: str) -> set[str]:
    """Top-level names in sys.modules after `statement` in a fresh interpreter."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "statement",
    [
        "import anonymizer",
        "from anonymizer.cli import run; assert run(['--help']) == 0",
        "from anonymizer.cli import run; assert run(['video', '--help']) == 0",
        "from anonymizer.settings import load_settings; load_settings()",
    ],
)
def test_nothing_heavy_is_loaded_before_work_begins(statement: str) -> None:
    """The package, its help and its settings come without any heavy library."""
    assert not loaded_after(statement) & HEAVY


def test_public_names_are_sorted_and_exist() -> None:
    """`__all__` is sorted and tells the truth."""
    assert sorted(anonymizer.__all__) == anonymizer.__all__
    assert all(hasattr(anonymizer, name) for name in anonymizer.__all__)
