"""Runs one .tflite network on the CPU, from bytes that were already checked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer import quiet
from anonymizer.errors import WeightsError
from anonymizer.faces import Floats


class Network:
    """A float network with one input. Thread-safe; one call at a time."""

    def __init__(self, model: bytes, name: str, threads: int = 1) -> None:
        try:
            with quiet.muted_stderr():  # one line a network, written by C++
                self._interpreter: Any = quiet.litert().Interpreter(model_content=model, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"network {name} cannot be loaded: {error}; reinstall the package") from error
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self._input["shape"])

    def run(self, values: npt.NDArray[np.float32]) -> Sequence[Floats]:
        """Outputs in the network's own order, as copies. `values`: float32 of `input_shape`."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], values.reshape(self.input_shape))
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(output["index"]) for output in self._outputs]
