"""`python -m anonymizer`, whose networks are computed by the host: an emulated processor takes minutes for a frame.

Nothing else is taken out of the guest: camera, threads, tracking, drawing, checks and output are the package's own. The
inputs that the networks get are the guest's, and so is what is done with their answers. Times after which runs end are
SLOWER times as long: --max-age has an option, they have none.
"""

from __future__ import annotations

import hashlib
import runpy
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from anonymizer import quiet
from anonymizer.live.shared import LiveOptions
from anonymizer.perceive.live_finder import LiveBudget
from tests.e2e.virtual_camera.guest.exchange import ask, packed, unpacked

SLOWER = 30


class Options:
    """Takes every setting; the host has its own."""

    def add_session_config_entry(self, key: str, value: str) -> None: ...


class Session:
    """In place of onnxruntime.InferenceSession."""

    def __init__(self, model: bytes, _options: Options, providers: list[str]) -> None:
        self._key, self._about = loaded("onnx", model)

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**port) for port in self._about["inputs"]]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**port) for port in self._about["outputs"]]

    def get_modelmeta(self) -> SimpleNamespace:
        return SimpleNamespace(custom_metadata_map=self._about["metadata"])

    def run(self, names: list[str] | None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        answer = unpacked(ask({"run": self._key, "arrays": packed(feeds)})["arrays"])
        return [answer[name] for name in names or [port["name"] for port in self._about["outputs"]]]


class Interpreter:
    """In place of LiteRT's."""

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        self._key, self._about = loaded("tflite", model_content)
        self._tensors: dict[str, np.ndarray] = {}

    def allocate_tensors(self) -> None: ...

    def get_input_details(self) -> list[dict[str, Any]]:
        return list(self._about["inputs"])

    def get_output_details(self) -> list[dict[str, Any]]:
        return list(self._about["outputs"])

    def set_tensor(self, index: int, values: np.ndarray) -> None:
        self._tensors[str(index)] = np.asarray(values)

    def invoke(self) -> None:
        self._tensors = unpacked(ask({"run": self._key, "arrays": packed(self._tensors)})["arrays"])

    def get_tensor(self, index: int) -> np.ndarray:
        return self._tensors[str(index)]


def loaded(kind: str, model: bytes) -> tuple[str, dict[str, Any]]:
    key = hashlib.sha256(model).hexdigest()
    return key, ask({"load": key, "kind": kind, "model": model})


def be_patient() -> None:
    """A stage that is stuck ends the run after 10 s; so does a second detector that is silent for one."""
    options, budget = LiveOptions((2, 2)), LiveBudget()
    LiveOptions.__init__.__defaults__ = (
        options.fps_hz,
        options.max_age_s,
        options.most_failures,
        options.give_up_s * SLOWER,
    )
    LiveBudget.__init__.__defaults__ = (
        budget.witness_every_s,
        budget.witness_age_s,
        budget.give_up_s * SLOWER,
        budget.broken_s * SLOWER,
        budget.full_range_every,
        budget.every_frame,
    )


if __name__ == "__main__":
    runtime = SimpleNamespace(SessionOptions=Options, InferenceSession=Session)
    quiet.onnxruntime = lambda: runtime  # type: ignore[assignment]
    quiet.litert = lambda: SimpleNamespace(Interpreter=Interpreter)  # type: ignore[assignment]
    be_patient()
    assert LiveOptions((2, 2)).give_up_s == 10 * SLOWER
    sys.argv[0] = "anonymizer"
    runpy.run_module("anonymizer", run_name="__main__", alter_sys=True)
