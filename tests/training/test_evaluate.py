"""`python -m training evaluate`: intervals, what is judged, going on, runs side by side; and its small measures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from anonymizer.adapters.video_reader import VideoReader
from anonymizer.app import SAMPLE
from anonymizer.errors import InputError, WeightsError
from training import evaluate
from training.evaluation.clips import explained, openings_correlated
from training.evaluation.findings import Finding, mean_finding
from training.evaluation.job import Job, Part
from training.evaluation.page import SEAM, as_page
from training.measure.gaze import gaze_off_rad
from training.measure.kernel_distance import ratio_with_interval
from training.measure.network_shapes import deepprivacy_shape
from training.measure.openings import SecondLandmarks
from training.measure.read_twice import NOISE, noisy_copy
from training.measure.realism import DISTANCES_PX, half_of
from training.measure.still_scene import consecutive_cosines, jitter_inside, still_frames
from training.measure.tap import replaced


def test_a_figure_is_judged_by_the_bound_that_counts() -> None:
    """An upper bound may miss what the value meets; nothing wanted and nothing measured are no verdict."""
    assert Finding("auc", 0.05, 0.02, 0.08, 90, "people", at_most=0.06).met is True
    assert Finding("auc", 0.05, 0.02, 0.08, 90, "people", at_most=0.06, judged="high").met is False
    assert Finding("auc", 0.05, None, None, 1, "people", at_most=0.06, judged="high").met is None
    assert Finding("auc", 0.05, 0.02, 0.08, 90, "people").met is None
    lost = Finding("auc", 0.05, float("nan"), float("nan"), 2, "people", at_most=0.06, judged="high")
    assert lost.met is None
    assert lost.table()["high"] is None


def test_people_are_drawn_whole() -> None:
    """Ten equal photos of each of four people say as little as four photos: the interval does not shrink."""
    values = np.repeat([0.0, 0.0, 1.0, 1.0], 10)
    alone = mean_finding("m", list(values), "photos")
    together = mean_finding("m", list(values), "photos", groups=list(np.repeat(range(4), 10)))
    assert alone.value == together.value == 0.5
    assert alone.high is not None
    assert together.high is not None
    assert together.high - 0.5 > 2 * (alone.high - 0.5)


def test_figures_that_are_not_finite_are_left_out() -> None:
    """A clip in which nothing moved has no correlation; it is not counted."""
    found = mean_finding("m", [0.8, float("nan"), 0.6], "clips")
    assert found.value == pytest.approx(0.7)
    assert found.count == 2
    assert mean_finding("m", [float("nan")], "clips").value is None


def test_paths_that_follow_from_the_turn_are_no_expression() -> None:
    """Points that go with the head's turn are explained by it, points of their own are not, nothing is no share."""
    rng = np.random.default_rng(0)
    turns, own = rng.normal(size=(200, 3)), rng.normal(size=(200, 4))
    with_turn = turns @ rng.normal(size=(3, 4)) + turns[:, :1] ** 2
    assert explained(turns, with_turn) == pytest.approx(1)
    assert explained(turns, own) < 0.15
    assert 0.4 < explained(turns, with_turn / with_turn.std(0) + own / own.std(0)) < 0.6
    assert np.isnan(explained(turns, own[:, :0]))


def test_a_clip_to_read_twice_has_the_same_moments_and_pictures(tmp_path: Path) -> None:
    """Frame by frame the same time, and pictures no further apart than the noise and the encoder's own error."""
    copy = tmp_path / "copy.mkv"
    noisy_copy(SAMPLE, copy)
    readers = [VideoReader(path, 1) for path in (SAMPLE, copy)]
    for _ in range(20):
        raw, noisy = (reader.read() for reader in readers)
        assert raw is not None
        assert noisy is not None
        assert noisy.captured_at_s == pytest.approx(raw.captured_at_s, abs=0.002)
        off = np.abs(noisy.rgb.astype(int) - raw.rgb.astype(int)).mean()
        assert 0.3 < off < NOISE + 1
    for reader in readers:
        reader.close()


def test_sensor_noise_is_not_shaking_but_a_moving_picture_is() -> None:
    """Noise of single pixels goes in 4 × 4 means; a picture that is shifted to and fro stays in them."""
    rng = np.random.default_rng(0)
    photo = np.kron(rng.integers(60, 200, (20, 20, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    hole = np.zeros(photo.shape[:2], np.uint8)
    hole[80:240, 80:240] = 255
    still = [np.array(frame.rgb) for frame in still_frames(photo, 12, seed=1)]
    shaken = [np.roll(frame, 2 * (i % 2), axis=1) for i, frame in enumerate(still)]
    assert not np.array_equal(still[0], still[1])
    assert jitter_inside(still, hole).coarse < 0.5 * jitter_inside(still, hole).fine
    assert jitter_inside(shaken, hole).coarse > 3 * jitter_inside(still, hole).coarse


def test_cosines_are_of_neighbours_in_time() -> None:
    """Length does not matter, and a jump is seen once."""
    vectors = np.array([[1, 0], [2, 0], [0, 3], [0, 1]], np.float32)
    np.testing.assert_allclose(consecutive_cosines(vectors), [1, 0, 1], atol=1e-6)


def test_gaze_is_an_angle_of_the_ball() -> None:
    """Equal gaze is 0; an iris moved by a tenth of half an eye is about .12 rad off."""
    ahead, aside = np.zeros((2, 2), np.float32), np.array([[0.1, 0], [0.1, 0]], np.float32)
    assert gaze_off_rad(ahead, ahead) == 0
    assert gaze_off_rad(ahead, aside) == pytest.approx(0.121, abs=0.002)


def test_a_mouth_that_does_not_move_is_not_judged() -> None:
    """A shut mouth's trembling has a correlation, too, and it says nothing; eyes that blink are judged."""
    rng = np.random.default_rng(0)
    still, blinks = rng.normal(0.02, 0.01, 40), np.where(np.arange(40) % 10 < 2, 0.05, 0.3)
    raw, after = np.stack([still, blinks], 1), np.stack([still[::-1], blinks + 0.02], 1)
    assert openings_correlated(raw, after) == {"eyes, second network": pytest.approx(1.0)}


def test_one_person_is_in_one_half() -> None:
    """All expressions and both views of a person are in the same half; people are spread over both."""
    folder = Path("eval/identity_london")
    people = [{half_of(folder / f"{i:03d}_{view}.webp") for view in ("neutral", "smiling")} for i in range(40)]
    assert all(len(halves) == 1 for halves in people)
    assert len(set.union(*people)) == 2


def test_a_ratio_of_distances_is_drawn_with_the_same_photos() -> None:
    """What is twice as far away comes out far above 1, with an interval that says so."""
    rng = np.random.default_rng(0)
    real, noise = rng.normal(0, 1, (60, 8)), rng.normal(0, 1, (60, 8))
    value, low, high = ratio_with_interval(noise + 2, noise + 1, real)
    assert 1 < low < value < high


def test_the_rival_has_the_published_shape() -> None:
    """Its parameters are those of the shape, within a tenth of the published number."""
    data, parameters = deepprivacy_shape()
    assert parameters == pytest.approx(46.9e6, rel=0.1)
    assert len(data) > 4 * parameters


def test_another_landmark_file_is_refused(tmp_path: Path) -> None:
    """Only the network the figures are defined by is taken."""
    (tmp_path / "x.tflite").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="another network"):
        SecondLandmarks(tmp_path / "x.tflite")


def _part(value: float) -> Part:
    seam = [{"px": px, "network": 0.9, "low": 0.8, "high": 1.0, "classic": 0.5} for px in DISTANCES_PX]
    return Part(
        [Finding("distance", value, value - 1, value + 1, 9, "pictures", at_most=5.0)], {SEAM: seam}, ["a note"]
    )


def test_what_is_done_is_not_measured_again(tmp_path: Path) -> None:
    """Each measure is written at once; a second start passes it over, another limit measures anew."""
    calls: list[str] = []

    def measured(name: str, job: Job) -> dict[str, object]:
        calls.append(f"{name} {job.limit}")
        return {"limit": job.limit, "seconds": 1.0, "findings": [], "tables": {}, "notes": []}

    command = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--only"]
    with replaced(evaluate, "measured", measured):
        assert evaluate.main([*command, "speed", "--limit", "2"]) == 0
        assert evaluate.main([*command, "speed", "still", "--limit", "2"]) == 0
        assert evaluate.main([*command, "still", "--limit", "3"]) == 0
    assert calls == ["speed 2", "still 2", "still 3"]
    content = json.loads((tmp_path / "out" / evaluate.FILE_NAME).read_text())
    assert list(content["measures"]) == ["speed", "still"]
    assert (tmp_path / "out/evaluation.html").is_file()


def test_results_of_other_weights_are_not_mixed(tmp_path: Path) -> None:
    """An OUT that holds another file's figures is refused."""
    (tmp_path / evaluate.FILE_NAME).write_text(json.dumps({"name": "older", "sha256": {}, "measures": {}}))
    with pytest.raises(InputError, match=r"other weights \(older\)"):
        evaluate.begun(Job(None, tmp_path, tmp_path))


def test_runs_stand_side_by_side() -> None:
    """The page has a column a run, what is wanted, and a plot of the seam of all; nothing is fetched."""
    head = {"size_px": 128, "images_seen": 7, "sha256": {"int8": "ab" * 32}, "machine": {"processor": "p", "cores": 2}}
    runs = []
    for name, value in (("newer", 3.5), ("older", 7.25)):
        part = _part(value)
        table = {"limit": 4, "seconds": 2.0, "findings": [f.table() for f in part.findings], "tables": part.tables}
        runs.append({**head, "name": name, "measures": {"realism": table | {"notes": part.notes}}})
    page = as_page(runs[0], runs[1:])
    assert "1 of 1 wanted figures are met" in page
    assert "7.25" in page
    assert "≤ 5" in page
    assert "limited to 4" in page
    assert "few pictures" in page
    assert page.count("<svg") == 1
    twins = as_page(runs[0], [runs[0]])
    assert "newer (1)" in twins
    assert "newer (2)" in twins
    assert "http" not in page.replace("http-equiv", "")
