"""The promises: what is under a hole never matters, what fails leaves blank, and who somebody is is never asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymizer import pipeline
from anonymizer.app import GENERATOR_INT8
from anonymizer.faces import FaceCrop, SyntheticFace
from anonymizer.frames import Frame, RgbImage, SafeFrame, Verdict, _PipelineToken
from anonymizer.generate.background import ClearBackground
from anonymizer.generate.classic import ClassicGenerator
from anonymizer.generate.onnx_generator import OnnxGenerator
from anonymizer.guard.coverage import Coverage
from anonymizer.guard.fallback import Fallback
from anonymizer.perceive.person import PersonMasker
from anonymizer.pipeline import BLANK_RGB
from anonymizer.stages import FaceGenerator
from anonymizer.weights.locate import registry
from tests.planned import KINDS, Actor, anonymizer, hole_of, planned, render_clip, repainted, room
from tests.tiny_generator import write_tiny_generator

ROOT = Path(__file__).parent.parent
FRAMES = 3
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])

actors = st.builds(
    Actor,
    kind=st.sampled_from(KINDS),
    crop_scale=st.floats(0.3, 3),
    center=st.tuples(st.floats(-20, 340), st.floats(-20, 260)),
    turn_deg=st.tuples(st.floats(-60, 60), st.floats(-30, 30), st.floats(-180, 180)),
    speed=st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
    seed=st.integers(0, 99),
    hand_turn_deg=st.none() | st.floats(-180, 180),
)
casts = st.lists(actors, min_size=1, max_size=2)


def paints(seed: int, how: str) -> list[RgbImage]:
    """What is painted under the holes of each frame."""
    rng = np.random.default_rng(seed)
    shape = (240, 320, 3)
    if how == "noise":
        return [rng.integers(0, 256, shape).astype(np.uint8) for _ in range(FRAMES)]
    if how == "constant":
        return [np.full(shape, rng.integers(0, 256, 3), np.uint8) for _ in range(FRAMES)]
    return [room(seed + 1000 + i) for i in range(FRAMES)]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> FaceGenerator:
    """The shipped generator, or, where none is, one whose weights were drawn at random by the test; the wall behind
    a face is cleared as in use, and of small faces too."""
    if GENERATOR_INT8 in registry():
        painter = OnnxGenerator(GENERATOR_INT8)
    else:
        path = tmp_path_factory.mktemp("network") / "tiny.onnx"
        write_tiny_generator(path)
        painter = OnnxGenerator.from_file(path)
    return ClearBackground(painter, PersonMasker().share, most_crop_px=9.0)


def check_repaint(cast: Sequence[Actor], seed: int, how: str, **choices: Any) -> list[SafeFrame]:
    """Render a clip twice, the second time with something else under the holes; all must be the same to the bit."""
    frames = [room(seed + i) for i in range(FRAMES)]
    holes = [hole_of(cast, i, choices.get("coverage", "face")) for i in range(FRAMES)]
    others = [repainted(*each) for each in zip(frames, holes, paints(seed, how), strict=True)]
    first = render_clip(anonymizer(**choices), frames, cast)
    second = render_clip(anonymizer(**choices), others, cast)
    for a, b in zip(first, second, strict=True):
        assert a.verdict is b.verdict
        assert a.verdict is not Verdict.BLANKED, "a blank frame shows nothing, and so proves nothing"
        np.testing.assert_array_equal(a.rgb, b.rgb)
    return first


@pytest.mark.parametrize("coverage", ["face", "head", "box"])
@given(cast=casts, seed=st.integers(0, 10**6), how=st.sampled_from(["noise", "constant", "picture"]))
@FEW
def test_nothing_under_a_hole_matters_to_a_network(
    network: FaceGenerator, coverage: Coverage, cast: list[Actor], seed: int, how: str
) -> None:
    """Pixels under the hole repainted to its last one, tone estimated, light carried on: bit-identical frames."""
    check_repaint(cast, seed, how, generator=network, coverage=coverage)


@pytest.mark.parametrize("coverage", ["face", "head", "box"])
@given(
    cast=casts,
    seed=st.integers(0, 10**6),
    how=st.sampled_from(["noise", "constant", "picture"]),
    fallback=st.sampled_from(["blur", "solid"]),
    most=st.integers(0, 2),
)
@FEW
def test_nothing_under_a_hole_matters_without_a_network(
    coverage: Coverage, cast: list[Actor], seed: int, how: str, fallback: Fallback, most: int
) -> None:
    """The same for the classic composer and both fallback covers, however few faces may get a persona."""
    check_repaint(cast, seed, how, coverage=coverage, fallback=fallback, max_personas=most)


def test_a_hand_before_a_face_is_shown_and_the_face_beside_it_does_not_matter() -> None:
    """Sure pixels of the hand leave as they are; all others in the hole may be repainted, and nothing changes."""
    cast = [Actor("persona", 1.0, (160, 120), (0, 0, 0), (1, 0), 1, hand_turn_deg=20.0)]
    made = check_repaint(cast, 1, "noise")
    for index, safe in enumerate(made):
        face = replace(planned(cast, index)[0], hands=())
        kept = (anonymizer().hole((face,), (240, 320)) > 0) & (hole_of(cast, index, "face") == 0)
        assert kept.sum() > 300
        hand = planned(cast, index)[0].hands[0]
        off = np.abs(safe.rgb[kept].astype(int) - room(1 + index)[kept]).mean()
        assert off < 60 * (1 - hand.strength) + 2


def test_the_tiny_network_reads_its_input(tmp_path: Path) -> None:
    """The network that stands in for a shipped one would show what leaked: its answers change with what it sees."""
    write_tiny_generator(tmp_path / "tiny.onnx")
    cast = [Actor("persona", 1.0, (160, 120), (0, 0, 0), (0, 0), 1)]
    network = OnnxGenerator.from_file(tmp_path / "tiny.onnx")
    a, b = (render_clip(anonymizer(generator=network, tone=3), [room(seed)], cast)[0] for seed in (1, 2))
    hole = hole_of(cast, 0, "face")
    assert (a.rgb[hole > 0] != b.rgb[hole > 0]).any()


def test_away_from_faces_the_frame_is_untouched() -> None:
    """Outside hole and ring every pixel is the input's: what is compared above is no constant."""
    cast = [Actor("persona", 1.0, (160, 120), (10, 0, 5), (2, 1), 1)]
    frames = [room(i) for i in range(FRAMES)]
    for rgb, safe in zip(frames, render_clip(anonymizer(), frames, cast), strict=True):
        assert safe.verdict is Verdict.REPLACED
        np.testing.assert_array_equal(rgb[:, :40], safe.rgb[:, :40])
        assert (rgb[100:140, 140:180] != safe.rgb[100:140, 140:180]).mean() > 0.9


STAGES = (
    *("hull", "bounds", "fill_hole", "erase", "propose_tone", "texture_mips", "pose", "face_crop"),
    *("draw", "blend_outside", "compose", "ring_px", "cover", "SteadyLight.__call__"),
)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [RuntimeError, MemoryError, ValueError])
def test_a_stage_that_raises_gives_a_blank_frame(
    monkeypatch: pytest.MonkeyPatch, stage: str, error: type[Exception]
) -> None:
    """Whatever fails on the way, whatever it raises: not one pixel of the input leaves."""

    def fail(*_: object) -> None:
        raise error("planned")

    cast = [
        Actor("persona", 1.0, (100, 120), (0, 0, 0), (0, 0), 1),
        Actor("only a box", 1.0, (240, 120), (0, 0, 0), (0, 0), 2),
    ]
    monkeypatch.setattr(f"anonymizer.pipeline.{stage}", fail)
    assert_blank(anonymizer().render(Frame(room(1)), planned(cast, 0)))


class Failing:
    """A generator or persona drawer that fails; as a generator it may also answer too little."""

    size_px = 128

    def __init__(self, answers: tuple[SyntheticFace, ...] | None = None) -> None:
        self.answers = answers

    def __call__(self, slot: int, tone: int) -> Any:
        raise OSError("planned")

    def generate(self, crops: Sequence[FaceCrop]) -> tuple[SyntheticFace, ...]:
        if self.answers is None:
            raise RuntimeError("planned")
        return self.answers


@pytest.mark.parametrize(
    "parts",
    [
        {"generator": Failing()},
        {"generator": Failing(answers=())},
        {"generator": object()},
        {"draw_persona": Failing()},
        {"model": None},
        {"tones_rgb": np.zeros((0, 3), np.float32)},
    ],
    ids=["generator raises", "generator answers too little", "no generator", "drawer raises", "no model", "no tones"],
)
def test_a_part_that_fails_gives_a_blank_frame(parts: dict[str, Any]) -> None:
    """The same for what the renderer is built of."""
    cast = [Actor("persona", 1.0, (160, 120), (0, 0, 0), (0, 0), 1)]
    assert_blank(anonymizer(**parts).render(Frame(room(1)), planned(cast, 0)))


def assert_blank(safe: SafeFrame) -> None:
    assert safe.verdict is Verdict.BLANKED
    assert (safe.rgb == BLANK_RGB).all()


def test_only_the_pipeline_makes_safe_frames() -> None:
    """Without the pipeline's token there is no SafeFrame, and only pipeline.py makes tokens or SafeFrames."""
    for token in (None, object(), "token", _PipelineToken):
        with pytest.raises(TypeError, match=r"made by anonymizer\.pipeline only"):
            SafeFrame(room(1), 0, 0.0, Verdict.NO_FACE, 0, token)
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "anonymizer").rglob("*.py")}
    makers = {path.name for path, text in texts.items() if "_PipelineToken(" in text or "SafeFrame(" in text}
    assert makers - {"frames.py"} == {"pipeline.py"}
    assert isinstance(pipeline._TOKEN, _PipelineToken)


@pytest.mark.slow
def test_a_raw_frame_sent_to_a_sink_does_not_type_check() -> None:
    """mypy takes the line that sends a safe frame, and refuses the one that sends a raw one."""
    fixture = "tests/mypy_fixtures/fail_send_raw_frame.py"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", fixture], cwd=ROOT, capture_output=True, text=True, check=False
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert 'incompatible type "Frame"; expected "SafeFrame"' in errors[0]
    assert (ROOT / fixture).read_text().splitlines()[int(errors[0].split(":")[1]) - 1].strip() == "sink.send(raw)"


def test_the_classic_generator_is_one() -> None:
    """It passes through the same door as a network."""
    generator: FaceGenerator = ClassicGenerator()
    assert generator.generate(()) == ()
