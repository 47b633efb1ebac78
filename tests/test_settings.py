"""Settings: three layers, each checked, each error saying file, section and the nearest name."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from anonymizer.app import GENERATORS
from anonymizer.choices import NetworkPx, Preset
from anonymizer.errors import ConfigError
from anonymizer.settings import FLOAT32_PX, load_settings
from anonymizer.weights.locate import registry

ROOT = Path(__file__).parent.parent
PRESETS: tuple[Preset, ...] = get_args(Preset)


def write(folder: Path, text: str) -> Path:
    """A settings file with `text` in it."""
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_and_knows_its_name(name: Preset) -> None:
    """All four presets are complete and in range."""
    assert load_settings(flags={"preset": name}).preset == name


def test_flags_beat_the_file_and_the_file_beats_the_preset(tmp_path: Path) -> None:
    """Of three values for one setting the command line's counts, of two the file's."""
    path = write(tmp_path, 'preset = "fast"\ntone = 2\nlook = "feminine"\n[encoder]\ncrf = 30\n')
    settings = load_settings(path, {"look": "masculine", "fallback": None})
    assert settings.preset == "fast"
    assert settings.detector.every_frames == 5  # from the preset
    assert (settings.tone, settings.encoder.crf, settings.encoder.preset) == (2, 30, "ultrafast")
    assert settings.look == "masculine"
    assert settings.fallback == "blur"  # a flag not given changes nothing


def test_the_preset_flag_beats_the_preset_of_the_file(tmp_path: Path) -> None:
    """`--preset` replaces the file's preset and keeps its other settings."""
    settings = load_settings(write(tmp_path, 'preset = "fast"\ntone = 2\n'), {"preset": "quality"})
    assert (settings.preset, settings.tone, settings.detector.every_frames) == ("quality", 2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('coverge = "box"', r'mine\.toml: unknown key "coverge"; did you mean "coverage"\?'),
        (
            "[detector]\nlong_side = 640",
            r'mine\.toml \[detector\]: unknown key "long_side"; did you mean "long_side_px"',
        ),
        ("[encoder]\nqqq = 1", r'\[encoder\]: unknown key "qqq"; known here: crf, preset'),
        ('coverage = "all"', "coverage = 'all' does not fit; wanted one of: face, head, box"),
        ("tone = 7", 'tone = 7 does not fit; wanted "auto" or a step from 1 to 6'),
        ("[detector]\nlong_side_px = 3", r"\[detector\]: long_side_px = 3 does not fit; expected int >= 320"),
        ("threads = true", "threads = True does not fit"),
        ("persona_key = 3", "persona_key = 3 does not fit; wanted a path"),
        ("detector = 3", r"detector = 3 stands where the section \[detector\] belongs"),
        ('preset = "best"', "wanted one of: fast, balanced, quality, strict"),
        ("tone = ", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """The error says which file, which section, which key, and what was wanted."""
    with pytest.raises(ConfigError, match=message):
        load_settings(write(tmp_path, text))


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    """A settings file that cannot be read is named."""
    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        load_settings(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    "text",
    [
        'coverage = "face"',
        'fallback = "blur"',
        "[detector]\nevery_frames = 2",
        "[detector]\nturned_every_frames = 4",
    ],
)
def test_strict_cannot_be_weakened(tmp_path: Path, text: str) -> None:
    """A setting that breaks what `strict` promises is refused, not obeyed."""
    with pytest.raises(ConfigError, match="the preset strict promises"):
        load_settings(write(tmp_path, 'preset = "strict"\n' + text))


def test_strict_may_be_made_stricter(tmp_path: Path) -> None:
    """Looking more often than is promised breaks no promise."""
    settings = load_settings(write(tmp_path, 'preset = "strict"\n[detector]\nturned_every_frames = 1'))
    assert settings.detector.turned_every_frames == 1


def test_a_key_in_a_file_lies_beside_it(tmp_path: Path) -> None:
    """A relative key path counts from the settings file, not from where the program runs."""
    assert load_settings(write(tmp_path, 'persona_key = "a.key"')).persona_key == tmp_path / "a.key"
    assert load_settings(write(tmp_path, 'persona_key = "/a.key"')).persona_key == Path("/a.key")


def test_settings_do_not_change_under_way() -> None:
    """A loaded value cannot be set."""
    with pytest.raises(AttributeError):
        load_settings().coverage = "box"  # type: ignore[misc]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.name)
def test_every_example_is_valid(path: Path) -> None:
    """Each file in configs/ that a user may copy loads."""
    assert load_settings(path)


def test_a_network_that_is_not_shipped_in_float32_is_refused() -> None:
    """The message names both settings and what to choose."""
    assert load_settings(flags={"preset": "fast"}).network_px == 128
    assert load_settings(flags={"preset": "quality"}).network_px == FLOAT32_PX
    with pytest.raises(ConfigError, match=r"float32.*network_px = 192, got network_px = 128"):
        load_settings(flags={"preset": "fast", "precision": "float32"})
    with pytest.raises(ConfigError, match="network_px = 160 does not fit; wanted one of: 128, 192"):
        load_settings(flags={"network_px": 160})


def test_every_network_that_may_be_chosen_is_in_the_package() -> None:
    """Names of the registry, for every size and precision that the settings let pass."""
    assert {px for _, px in GENERATORS} == set(get_args(NetworkPx))
    assert ("float32", FLOAT32_PX) in GENERATORS
    assert set(GENERATORS.values()) <= set(registry())
