"""What is it that still tells people apart? The product with one thing after another made the same for everybody.

    python -m training measure-attribution --data FOLDER --recogniser configs/recognisers/mobilefacenet.toml \\
        --models FOLDER --out out/attribution

FOLDER as for measure-evaluation. Every photo is planned once and drawn in each version, each time under the same
--secrets, so that versions differ in what was taken away and not in whose face was drawn; faces are aligned by the
drawn persona's own points. Figures are means over the secrets. The floor, one finished face for all, is what lies
around the face: the mean of --faces such faces, since it hangs on whose face is taken as much as ours do.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer import app
from anonymizer.adapters.image_reader import read_image
from anonymizer.audit.baselines import pasted_face
from anonymizer.audit.metrics import Drawn, Scores, figure, measure, people_draws
from anonymizer.audit.photo_pairs import Photo, photos_in
from anonymizer.audit.recognisers import Recogniser, load_recognisers
from anonymizer.audit.seen import Seen, audit_finder, faces_of
from anonymizer.faces import FaceCrop, Floats, MotionCode, PlannedFace, SyntheticFace
from anonymizer.frames import Frame, RgbImage
from anonymizer.generate.guide import pose
from anonymizer.generate.softness import Softness
from anonymizer.geometry import yaw_pitch_roll
from anonymizer.machine import build
from anonymizer.perceive.clip import plan_still
from anonymizer.persona.face_model import load_face_model
from anonymizer.pipeline import Anonymizer
from anonymizer.settings import load_settings
from anonymizer.stages import FaceGenerator
from training.measure.evaluation import SETS, probes_of, show_progress
from training.measure.leaky import personas_of
from training.measure.report import print_table, write_json

Area = npt.NDArray[np.float64]
Change = Callable[[MotionCode], MotionCode]
TONE = 3


def resting(code: MotionCode) -> MotionCode:
    return replace(code, expression=load_face_model().resting_expression.astype(np.float32))


def looking_ahead(code: MotionCode) -> MotionCode:
    return replace(resting(code), gaze=np.zeros((2, 2), np.float32))


def upright(code: MotionCode) -> MotionCode:
    """The turn in the image plane is kept, yaw and pitch are not."""
    roll = yaw_pitch_roll(code.rotation)[2]
    return replace(looking_ahead(code), rotation=np.array([0, 0, roll], np.float32))


@dataclass(frozen=True, slots=True)
class Version:
    """What is taken away: the tone and the persona (one for all), parts of the motion code, following the light, the
    guide's softness."""

    one_tone: bool = False
    one_persona: bool = False
    change: Change | None = None
    light: bool = True
    soft: bool = True


VERSIONS = {
    "as shipped": Version(),
    "one tone": Version(one_tone=True),
    "one persona": Version(one_persona=True),
    "expression at rest": Version(change=resting),
    "… and gaze ahead": Version(change=looking_ahead),
    "… and no turn of the head": Version(change=upright),
    "light not followed": Version(light=False),
    "guide never softened": Version(soft=False),
    "none of these": Version(True, True, upright, False, False),
}


class _Unsoftened(Softness):
    @property
    def guide_px(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class _Unlit:
    """A FaceGenerator whose colour grid changes nothing."""

    inner: FaceGenerator

    @property
    def size_px(self) -> int:
        return self.inner.size_px

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        return tuple(
            replace(face, gain=np.ones_like(face.gain), bias=np.zeros_like(face.bias))
            for face in self.inner.generate(crops)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A photo that is attacked: its largest face, and the plan of all its faces."""

    photo: Photo
    rgb: RgbImage
    face: Seen
    planned: tuple[PlannedFace, ...]

    def main(self) -> PlannedFace | None:
        """The planned face nearest to the largest one."""
        middle = self.face.landmarks_px[:, :2].mean(0)
        coded = [face for face in self.planned if face.code is not None]
        return min(coded, key=lambda f: float(np.linalg.norm(_centre(f) - middle)), default=None)


def _centre(face: PlannedFace) -> Floats:
    assert face.code is not None
    return face.code.center_px


class Renderer:
    def __init__(self) -> None:
        self._anonymizer: Anonymizer = app.build_anonymizer(load_settings())
        self._lit = self._anonymizer.generator

    def __call__(self, probe: Probe, version: Version, secret: int) -> tuple[RgbImage, Floats]:
        """The picture and the points by which a recogniser aligns it."""
        anonymizer = self._anonymizer
        anonymizer.reset()
        anonymizer.generator = self._lit if version.light else _Unlit(self._lit)
        anonymizer.tone = TONE if version.one_tone else None
        if not version.soft:
            anonymizer._softness = _Unsoftened()
        whose = "all" if version.one_persona else probe.photo.key
        anonymizer.draw_persona = personas_of(hashlib.sha256(f"{secret} {whose}".encode()).digest())
        faces = [_changed(face, version.change) for face in probe.planned]
        rgb = anonymizer.render(Frame(probe.rgb), tuple(faces)).rgb
        main = probe.main()
        if main is None or main.slot not in anonymizer._personas:
            return rgb, probe.face.landmarks_px
        code = next(face.code for face in faces if face.slot == main.slot)
        assert code is not None
        _, persona, mips = anonymizer._personas[main.slot]
        return rgb, pose(code, persona, mips, load_face_model()).vertices_px


def _changed(face: PlannedFace, change: Change | None) -> PlannedFace:
    return face if change is None or face.code is None else replace(face, code=change(face.code))


class Attack:
    """Probes looked for among the raw other photos of everybody of their set, by one recogniser after another."""

    def __init__(self, data: Path, recognisers: Sequence[Recogniser]) -> None:
        self.recognisers = recognisers
        self.probes: list[Probe] = []
        gallery: list[tuple[Photo, list[Floats]]] = []
        wanted = {photo.key for photo in probes_of(data)}
        photos = [p for p in photos_in(data) if p.group in SETS and p.view]
        with audit_finder() as finder:
            for done, photo in enumerate(photos):
                rgb = read_image(photo.path).rgb
                faces = faces_of(finder, rgb)
                if faces and photo.key in wanted:
                    planned = plan_still(Frame(rgb), finder, load_face_model())
                    self.probes.append(Probe(photo, rgb, faces[0], planned))
                elif faces:
                    gallery.append((photo, self.vectors(rgb, faces[0].landmarks_px)))
                show_progress(done + 1, len(photos))
        known = {photo.person for photo, _ in gallery}
        self.probes = [probe for probe in self.probes if probe.photo.person in known]
        names = {name: i for i, name in enumerate(sorted(known))}
        self._draws = people_draws(len(names))
        self._who = np.array([names[probe.photo.person] for probe in self.probes])
        self._gallery_who = np.array([names[photo.person] for photo, _ in gallery])
        self._comparable = np.array([[p.photo.group == photo.group for photo, _ in gallery] for p in self.probes])
        self._gallery = [vectors for _, vectors in gallery]

    def floors(self, faces: int) -> list[Area]:
        """Of each recogniser: what one finished face for all gives, the mean over so many faces."""
        runs = [
            [self.vectors(pasted_face(p.rgb, p.face, face), p.face.landmarks_px) for p in self.probes]
            for face in range(faces)
        ]
        return [mean_area([self.drawn(run, which) for run in runs]) for which in range(len(self.recognisers))]

    def vectors(self, rgb: RgbImage, points_px: Floats) -> list[Floats]:
        """One of each recogniser."""
        return [recogniser.embed(recogniser.chip(rgb, points_px)) for recogniser in self.recognisers]

    def drawn(self, vectors: Sequence[Sequence[Floats]], which: int) -> Drawn:
        probes, gallery = (np.stack([own[which] for own in some]) for some in (vectors, self._gallery))
        similarity = self.recognisers[which].similarity(probes, gallery).astype(np.float64)
        return measure(Scores(similarity, self._who, self._gallery_who, self._comparable), self._draws)


def rows_of(attack: Attack, versions: Mapping[str, Version], secrets: int, faces: int) -> list[dict[str, Any]]:
    """A row a version and recogniser: area under the curve, and what is left of it without the floor and without that
    of the first version."""
    render, rows = Renderer(), []
    floors = attack.floors(faces)
    firsts: list[Area] = []
    for done, (name, version) in enumerate(versions.items()):
        for which, (recogniser, drawn) in enumerate(
            zip(attack.recognisers, drawings(attack, render, version, secrets), strict=True)
        ):
            area = mean_area(drawn)
            if not done:
                firsts.append(area)
            rows.append(
                {
                    "version": name,
                    "recogniser": recogniser.name,
                    "AUC": float(area[0]),
                    "spread of a secret": float(np.std([each.auc[0] for each in drawn])),
                    "floor": float(floors[which][0]),
                    "over the floor": _interval(area - floors[which]),
                    "against the first": _interval(area - firsts[which]),
                    "rank-1": float(np.mean([each.rank1[0] for each in drawn])),
                }
            )
        show_progress(done + 1, len(versions))
    return rows


def drawings(attack: Attack, render: Renderer, version: Version, secrets: int) -> list[list[Drawn]]:
    """Of each recogniser the figures of each secret."""
    runs = [[attack.vectors(*render(p, version, secret)) for p in attack.probes] for secret in range(secrets)]
    return [[attack.drawn(run, which) for run in runs] for which in range(len(attack.recognisers))]


def mean_area(drawn: Sequence[Drawn]) -> Area:
    """Areas under the curve, (1 + draws,), the mean over several drawings of the same people."""
    return np.asarray(np.mean([each.auc for each in drawn], 0), np.float64)


def _interval(drawn: Area) -> str:
    value = figure(drawn)
    return f"{value.value:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training measure-attribution", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recogniser", type=Path, nargs="*", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--dlib", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--secrets", type=int, default=3, help="personas a person (default: %(default)s)")
    parser.add_argument("--faces", type=int, default=8, help="finished faces of the floor (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(VERSIONS), default=list(VERSIONS), help="of these versions")
    parser.add_argument("--out", type=Path, default=Path("out/attribution"))
    args = parser.parse_args(argv)
    attack = Attack(args.data, load_recognisers(args.recogniser, args.models, args.dlib))
    rows = rows_of(attack, {name: VERSIONS[name] for name in args.only}, args.secrets, args.faces)
    counts = f"{len(attack.probes)} people, {args.secrets} secrets, {args.faces} faces of the floor"
    print(f"{counts}; weights {build()['weights'][app.GENERATOR_INT8][:16]}")
    print_table(rows)
    write_json(args.out / "attribution.json", {"rows": rows, "secrets": args.secrets, "faces": args.faces, **build()})
    return 0


__all__ = ["VERSIONS", "Attack", "Renderer", "Version", "drawings", "main", "mean_area"]
