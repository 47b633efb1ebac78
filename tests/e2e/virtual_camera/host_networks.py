"""Computes networks for the guest, on the host, until killed: -m tests.e2e.virtual_camera.host_networks FOLDER."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from anonymizer import quiet
from tests.e2e.virtual_camera.guest.exchange import packed, put, taken, unpacked

LOOK_S = 0.003


class Host:
    """The networks that were asked for, by the hash of their files. The guest asks each one thing at a time."""

    def __init__(self) -> None:
        self._networks: dict[str, Any] = {}

    def answer(self, place: Path) -> None:
        try:
            asked = taken(place)
            got = self._load(asked) if "load" in asked else self._run(asked)
        except Exception as error:  # noqa: BLE001  the guest has to hear of it
            got = {"error": f"{type(error).__name__}: {error}"}
        put(place.with_suffix(".answer"), got)

    def _load(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = asked["load"]
        if asked["kind"] == "onnx":
            runtime = quiet.onnxruntime()
            options = runtime.SessionOptions()
            options.intra_op_num_threads = 1
            session = runtime.InferenceSession(asked["model"], options, providers=["CPUExecutionProvider"])
            self._networks[key] = session
            ports = {"inputs": session.get_inputs(), "outputs": session.get_outputs()}
            about: dict[str, Any] = {
                side: [{"name": port.name, "shape": list(port.shape)} for port in there]
                for side, there in ports.items()
            }
            return {**about, "metadata": dict(session.get_modelmeta().custom_metadata_map)}
        network = quiet.litert().Interpreter(model_content=asked["model"], num_threads=1)
        network.allocate_tensors()
        self._networks[key] = network
        details = {"inputs": network.get_input_details(), "outputs": network.get_output_details()}
        return {
            side: [{"index": int(one["index"]), "shape": [int(n) for n in one["shape"]]} for one in there]
            for side, there in details.items()
        }

    def _run(self, asked: dict[str, Any]) -> dict[str, Any]:
        network, feeds = self._networks[asked["run"]], unpacked(asked["arrays"])
        if hasattr(network, "get_modelmeta"):
            names = [port.name for port in network.get_outputs()]
            return {"arrays": packed(dict(zip(names, network.run(names, feeds), strict=True)))}
        for index, values in feeds.items():
            network.set_tensor(int(index), values)
        network.invoke()
        indices = [one["index"] for one in network.get_output_details()]
        return {"arrays": packed({str(index): network.get_tensor(index) for index in indices})}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    host, workers = Host(), ThreadPoolExecutor(2)
    begun: set[str] = set()
    while True:
        there = {place for place in folder.iterdir() if place.suffix == ".ask"}
        begun &= {place.name for place in there}
        for place in sorted(there):
            if place.name not in begun:
                begun.add(place.name)
                workers.submit(host.answer, place)
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
