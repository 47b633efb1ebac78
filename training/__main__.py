"""`python -m training <verb> …`: each verb is a module of this folder with `main(argv) -> int`."""

from __future__ import annotations

import importlib
import sys

from anonymizer.errors import AnonymizerError

VERBS = {
    "fit-face-model": "training.fit_face_model",
    "fit-response": "training.fit_response",
    "fit-tilt": "training.fit_tilt",
    "fit-folds": "training.fit_folds",
    "fit-tone": "training.fit_tone",
    "build-personas": "training.build_personas",
    "prepare": "training.prepare",
    "train": "training.train",
    "export": "training.export",
    "warm-start": "training.warm_start",
    "evaluate": "training.evaluate",
    "make-sample": "training.make_sample",
    "measure-personas": "training.measure.personas",
    "measure-ablations": "training.measure.ablations",
    "measure-clips": "training.measure.clips",
    "measure-evaluation": "training.measure.evaluation",
    "measure-attribution": "training.measure.attribution",
    "measure-floors": "training.measure.floors",
    "measure-adaptive": "training.measure.adaptive",
    "measure-motion-probe": "training.measure.motion_probe",
    "measure-leaky": "training.measure.leaky",
    "measure-landmarks": "training.measure.landmarks",
    "measure-realism": "training.measure.realism",
    "measure-scenes": "training.measure.scenes",
    "measure-blind": "training.measure.blind",
    "measure-pairs": "training.measure.pairs",
    "measure-speed": "training.measure.speed",
}


def main(argv: list[str]) -> int:
    if not argv or argv[0] not in VERBS:
        print(f"usage: python -m training <verb> …, where the verb is one of: {', '.join(VERBS)}", file=sys.stderr)
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    try:
        return int(importlib.import_module(VERBS[argv[0]]).main(argv[1:]))
    except AnonymizerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
