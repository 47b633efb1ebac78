"""Makes torchvision importable beside CPU torch: the one place where that is done.

PyPI's torchvision wheels are built for CUDA torch. Beside CPU torch their compiled operators do not load, and
torchvision's own Python then fails to attach shapes to operators that nobody defined. Two schemas are enough.
Where the operators do load, defining them once more would abort the process, so loading is tried first.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_library: list[torch.library.Library] = []  # keeps the definitions alive


@cache
def torchvision_utils() -> ModuleType:
    """`torchvision.utils`, with the missing schemas defined first where torchvision's operators do not load."""
    if not _operators_load():
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for schema in _SCHEMAS.values():
            library.define(schema)  # type: ignore[no-untyped-call]
        _library.append(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that its image extension cannot be loaded, which is not used
        return importlib.import_module("torchvision.utils")


def _operators_load() -> bool:
    """Load torchvision's compiled operators, as its own import would."""
    found = importlib.util.find_spec("torchvision")
    folder = Path(found.origin).parent if found is not None and found.origin is not None else None
    for path in sorted(folder.glob("_C*")) if folder is not None else ():
        try:
            torch.ops.load_library(path)  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False
