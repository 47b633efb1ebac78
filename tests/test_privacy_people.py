"""More promises: whose persona it is, who is lost, and what happens without weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.app import GENERATOR_INT8, build_anonymizer, persona_drawer
from anonymizer.errors import WeightsError
from anonymizer.faces import Box, Face
from anonymizer.frames import Frame, RgbImage, Verdict
from anonymizer.perceive.clip import ClipPlanner, ClipSettings
from anonymizer.perceive.finder import Finder, FinderSettings
from anonymizer.perceive.tracks import REACH
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.persona import Persona
from anonymizer.settings import load_settings
from anonymizer.weights import locate
from tests.heads import CHIN, INNER, MODEL, code, random_expression, random_shape, seen_face, turned
from tests.planned import Actor, anonymizer, drawer, planned, render_clip, room

COUNT = 60


class KnownFinder(Finder):
    """Sees just the faces it is told of, frame by frame."""

    def __init__(self, seen: list[tuple[Face, ...]]) -> None:
        self._left = iter(seen)
        self.settings = FinderSettings()

    def find_first(self, frame: Frame) -> tuple[Face, ...]:
        return self.find_tracked(frame)

    def trace_back(self, frames: Sequence[Frame], face: Face) -> list[Face]:
        return []

    def find_tracked(self, frame: Frame, witness: bool = True, further: bool = False) -> tuple[Face, ...]:
        return next(self._left)

    def heard_of(self, rgb: RgbImage, box: Box, least_score: float, roll_rad: float = 0.0) -> bool:
        return True

    def reset(self) -> None:
        pass


def plans_of(seen: list[tuple[Face, ...]]) -> list[Any]:
    """What the planner makes of a clip in which these faces were seen."""
    planner = ClipPlanner(KnownFinder(seen), MODEL, ClipSettings(witness_every=3, window_s=0.12, fps_hz=30))
    still = Frame(room(3))
    for _ in seen:
        planner.observe(still)
    return planner.plan()


def assert_covered(truth: list[Face], plans: list[Any], steps: range) -> None:
    """In every frame the true face's inner points and chin have pixels that do not reach the output."""
    ends = np.append(INNER, CHIN)
    blank, white = np.zeros((240, 320, 3), np.uint8), np.full((240, 320, 3), 255, np.uint8)
    renderer = anonymizer(tone=2, fallback="solid")
    for step in steps:
        points = truth[step].landmarks_px
        assert points is not None
        x, y = np.floor(points[ends, :2]).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < 320) & (y < 240)
        marked = blank.copy()
        marked[y[inside], x[inside]] = white[0, 0]
        outs = [renderer.render(Frame(rgb.copy()), plans[step]).rgb for rgb in (blank, marked)]
        leaked = (outs[0] != outs[1]).any(2)[y[inside], x[inside]]
        assert leaked.mean() <= 0.001, f"frame {step}: {leaked.sum()} of {len(leaked)} points are seen"


@given(
    gap=st.integers(1, 44),
    speed=st.tuples(st.floats(-2, 2), st.floats(-1, 1)),
    yaw=st.floats(-50, 50),
    seed=st.integers(0, 999),
)
@settings(max_examples=6)
def test_a_lost_face_stays_covered(gap: int, speed: tuple[float, float], yaw: float, seed: int) -> None:
    """Between losing a moving face and finding it again, every frame hides the place where it truly is."""
    rng = np.random.default_rng(seed)
    shape, expression = random_shape(rng), random_expression(rng)
    centers = [(160 + speed[0] * (t - 30), 120 + speed[1] * (t - 30)) for t in range(COUNT)]
    truth = [seen_face(code(c, 5.0, turned(yaw), expression), shape) for c in centers]
    lost = range(8, 8 + gap)
    plans = plans_of([() if t in lost else (face,) for t, face in enumerate(truth)])
    assert all(len(faces) == 1 for faces in plans)
    assert_covered(truth, plans, range(6, 10 + gap, 3))


@pytest.mark.parametrize(("turns_hz", "reach_px"), [(3.0, 40.0), (5.0, 20.0)])
def test_a_shaken_head_stays_in_its_hole(turns_hz: float, reach_px: float) -> None:
    """Smoothing takes off tremble, not motion: a head that shakes and nods quickly is covered in every frame."""
    shape = random_shape(np.random.default_rng(4))
    wave = np.sin(2 * np.pi * turns_hz * np.arange(COUNT) / 30)
    poses = [code((160 + reach_px * w, 120 + 12 * w), 5.0, turned(35 * w, 15 * w)) for w in wave]
    truth = [seen_face(pose, shape) for pose in poses]
    assert_covered(truth, plans_of([(face,) for face in truth]), range(10, 16))


@pytest.mark.parametrize("seen", [7, 30])
def test_a_face_that_leaves_is_covered_a_while_longer(seen: int) -> None:
    """After the last sighting the place is still hidden: it may only have turned away. Who was in plain view for long
    stays hidden, since nobody leaves from there within a frame."""
    truth = [seen_face(code((160, 120), 5.0)) for _ in range(COUNT)]
    plans = plans_of([(face,) if t < seen else () for t, face in enumerate(truth)])
    assert_covered(truth, plans, range(seen - 2, seen + 6))
    rest = plans[seen + REACH :]
    assert len(rest) >= 5
    assert all(rest) if seen == 30 else not any(rest)


def same(a: Persona, b: Persona) -> bool:
    return np.array_equal(a.shape_cm, b.shape_cm) and np.array_equal(a.texture_rgb, b.texture_rgb)


def persona_of(picture: int, actor: Actor, **choices: Any) -> list[tuple[int, int]]:
    """Every (slot, tone step) the renderer asks a persona for; it has nothing else to tell."""
    asked = []

    def note(slot: int, tone: int) -> Persona:
        asked.append((slot, tone))
        return drawer(slot, tone)

    (safe,) = render_clip(anonymizer(draw_persona=note, **choices), [room(picture)], [actor])
    assert safe.verdict is Verdict.REPLACED
    return asked


@given(
    pictures=st.tuples(st.integers(0, 99), st.integers(0, 99)), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99))
)
@settings(max_examples=5)
def test_two_people_with_one_secret_get_one_persona(pictures: tuple[int, int], seeds: tuple[int, int]) -> None:
    """A persona is asked for by slot and tone step alone, whatever the picture and whoever moves in it."""
    people = [Actor("persona", 1 + 0.01 * seed, (100 + seed, 120), (seed % 40, 0, 0), (0, 0), seed) for seed in seeds]
    first, second = (persona_of(p, actor, tone=2) for p, actor in zip(pictures, people, strict=True))
    assert first == second == [(0, 2)]
    key = load_settings()
    draw = persona_drawer(key)
    assert same(draw(*first[0]), draw(*second[0]))


def test_secrets_make_the_difference(tmp_path: Path) -> None:
    """One key file gives one persona in every run; another gives another; without a key, every run has its own."""
    keys = [load_settings(flags={"persona_key": tmp_path / name}) for name in ("a.key", "b.key")]
    first, again, other = (persona_drawer(key)(0, 3) for key in (keys[0], keys[0], keys[1]))
    assert same(first, again)
    assert not same(first, other)
    without = [persona_drawer(load_settings())(0, 3) for _ in range(2)]
    assert not same(*without)


def test_the_secret_cannot_be_read_back(tmp_path: Path) -> None:
    """Neither the drawer's words nor the renderer's show a byte of the key."""
    settings_ = load_settings(flags={"persona_key": tmp_path / "a.key"})
    draw = persona_drawer(settings_)
    secret = (tmp_path / "a.key").read_bytes()
    for text in (repr(draw), str(draw), repr(anonymizer(draw_persona=draw))):
        assert repr(secret)[2:-1] not in text
        assert secret.hex() not in text


def test_the_tone_is_read_beside_the_hole_only() -> None:
    """The tone estimate is the only thing a picture decides, and it is fixed at the first sight of a slot."""
    actor = Actor("persona", 1.0, (160, 120), (0, 0, 0), (1, 0), 5)
    asked: list[tuple[int, int]] = []

    def note(slot: int, tone: int) -> Persona:
        asked.append((slot, tone))
        return drawer(slot, tone)

    render_clip(anonymizer(draw_persona=note), [room(1), room(2), room(3)], [actor])
    assert len(asked) == 1
    assert planned([actor], 0)[0].slot == asked[0][0]


@pytest.mark.parametrize("name", ["face_model", "persona_bank", GENERATOR_INT8])
def test_without_weights_nothing_starts(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A model file that is not registered stops the start in words; nothing random takes its place."""
    left = {key: value for key, value in locate.registry().items() if key != name}
    monkeypatch.setattr(locate, "registry", lambda: left)
    load_bank.cache_clear()
    load_face_model.cache_clear()
    try:
        with pytest.raises(WeightsError, match=f"no model file is called '{name}'"):
            build_anonymizer(load_settings(flags={"generator": "network" if name == GENERATOR_INT8 else "classic"}))
    finally:
        load_bank.cache_clear()
        load_face_model.cache_clear()


def test_a_changed_weight_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One bit turned in the persona bank, and the program does not start."""
    entry = locate.weight("persona_bank")
    data = bytearray(entry.path.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bank.npz").write_bytes(data)
    tables = {**locate.registry(), "persona_bank": replace(entry, path=tmp_path / "bank.npz")}
    monkeypatch.setattr(locate, "registry", lambda: tables)
    load_bank.cache_clear()
    with pytest.raises(WeightsError, match="was changed"):
        load_bank()
