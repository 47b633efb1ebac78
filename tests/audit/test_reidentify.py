"""Tables made of vectors that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonymizer.audit.baselines import FLOOR
from anonymizer.audit.detail import FaceShine
from anonymizer.audit.findings import photo_faults
from anonymizer.audit.photo_pairs import Attack, Photo
from anonymizer.audit.photos import AFTER, AGAIN, Key, Looked, PhotoFacts
from anonymizer.audit.recognisers import Recogniser
from anonymizer.audit.regions import REGIONS
from anonymizer.audit.reidentify import reidentify
from anonymizer.faces import Floats
from anonymizer.frames import RgbImage

PEOPLE = 40


class Cosine:
    """Looks at nothing: the vectors are given."""

    name = "cosine"

    @property
    def thresholds(self) -> dict[str, float]:
        return {"half": 0.5}

    def chip(self, rgb: RgbImage, landmarks_px: Floats) -> RgbImage:
        raise NotImplementedError

    def transform(self, landmarks_px: Floats) -> np.ndarray:
        raise NotImplementedError

    def embed(self, chip: RgbImage) -> Floats:
        raise NotImplementedError

    def similarity(self, a: Floats, b: Floats) -> Floats:
        unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b)]
        return np.asarray(unit[0] @ unit[1].T, np.float32)


def looked(follows: bool) -> Looked:
    """Two photos of each of 40 people; the new faces of one person are alike, or nobody's."""
    random = np.random.default_rng(0)
    photos = [Photo(Path(f"{i}_{v}.png"), f"{i}_{v}", "", f"/{i}", v) for i in range(PEOPLE) for v in "ab"]
    gallery = {"a": [p for p in photos if p.view == "b"], "b": [p for p in photos if p.view == "a"]}
    recogniser: Recogniser = Cosine()
    out = Looked(Attack(photos, gallery, True), [recogniser])
    true, new = random.normal(size=(2, PEOPLE, 16))
    for photo in photos:
        who = int(photo.person[1:])
        face = new[who] if follows else random.normal(size=16)
        for method in (AFTER, AGAIN, *(f"without {region}" for region in REGIONS)):
            out.vectors[Key(method, "cosine", photo.key)] = np.asarray(face + 0.3 * random.normal(size=16), np.float32)
        for method in ("raw", FLOOR):
            out.vectors[Key(method, "cosine", photo.key)] = np.asarray(true[who], np.float32)
        out.facts[photo.key] = PhotoFacts(True, True, True, 0.0, 0.0, FaceShine({}, float("nan")))
    return out


@pytest.mark.parametrize("follows", [True, False])
def test_new_faces_that_follow_the_true_ones_are_named(follows: bool) -> None:
    """However well what lies around the faces links them: the floor here is perfect."""
    seen = looked(follows)
    kinds = {fault.kind for fault in photo_faults(seen, reidentify(seen))}
    assert ("persona follows the face" in kinds) is follows
