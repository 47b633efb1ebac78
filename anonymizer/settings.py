"""What a user can choose: typed, checked, immutable. Values live in `presets/*.toml`, none in code.

Three layers, each over the one before: preset, then the user's TOML file, then command line flags.
Each layer is checked by itself, so that an error names the file and the section it stands in.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from anonymizer.choices import (
    Audio,
    Codec,
    Coverage,
    Fallback,
    Generator,
    Look,
    NetworkPx,
    Occluders,
    Precision,
    Preset,
)
from anonymizer.errors import ConfigError

FLOAT32_PX = 192  # the network that is shipped in float32, too

Tone = Literal["auto"] | Annotated[int, Meta(ge=1, le=6)]
EncoderPreset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]
Confidence = Annotated[float, Meta(ge=0.05, le=0.95)]


class Landmarks(msgspec.Struct, frozen=True, kw_only=True):
    """The first detector, which also gives pose and expression."""

    max_faces: Annotated[int, Meta(ge=1, le=32)]
    min_confidence: Confidence


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """The second detector, of another family."""

    every_frames: Annotated[int, Meta(ge=1, le=30)]
    turned_every_frames: Annotated[int, Meta(ge=1, le=30)]
    long_side_px: Annotated[int, Meta(ge=320, le=1920)]
    min_confidence: Confidence


class Smoothing(msgspec.Struct, frozen=True, kw_only=True):
    """Motion over time. window_s: seconds to each side; 0 = off."""

    window_s: Annotated[float, Meta(ge=0, le=1)]


class Encoder(msgspec.Struct, frozen=True, kw_only=True):
    """Of videos. segment_frames: between key frames, and what a kill may cost."""

    preset: EncoderPreset
    crf: Annotated[int, Meta(ge=0, le=40)]
    segment_frames: Annotated[int, Meta(ge=1, le=1000)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All choices of a run. codec, audio: of videos. mark: say in the file that it was changed; badge: in the picture.
    keep_dates: when it was taken. persona_key: file with the secret; None = a new secret at each start.
    sign_with: PEM file for C2PA signatures. network_px: side of the picture that the network works at."""

    preset: Preset
    coverage: Coverage
    fallback: Fallback
    occluders: Occluders
    generator: Generator
    precision: Precision
    network_px: NetworkPx
    tone: Tone
    look: Look
    codec: Codec
    audio: Audio
    mark: bool
    badge: bool
    keep_dates: bool
    threads: Annotated[int, Meta(ge=0, le=256)]
    landmarks: Landmarks
    detector: Detector
    smoothing: Smoothing
    encoder: Encoder
    persona_key: Path | None = None
    sign_with: Path | None = None


def load_settings(config: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from the preset, the TOML file `config` over it, and `flags` over both; None in `flags` = not given."""
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    _check_table(given, Settings, "command line", ())
    chosen = _read_file(config) if config else {}
    name = given.get("preset", chosen.get("preset", "balanced"))
    merged: dict[str, Any] = _read_preset("balanced")
    for layer in (_read_preset(name), chosen, given, {"preset": name}):
        merged = _merged(merged, layer)
    settings = msgspec.convert(merged, Settings, dec_hook=_to_path)
    _check_strict(settings)
    _check_network(settings)
    return settings


def _read_preset(name: Preset) -> dict[str, Any]:
    text = resources.files("anonymizer.presets").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    _check_table(table, Settings, f"preset {name}", ())
    return table


def _read_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the settings {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    _check_table(table, Settings, str(path), ())
    for name in {"persona_key", "sign_with"} & table.keys():  # a relative path means: beside the settings file
        table[name] = str(path.parent / Path(table[name]).expanduser())
    return table


def _check_table(table: Mapping[str, Any], kind: type[msgspec.Struct], origin: str, section: tuple[str, ...]) -> None:
    """Raise ConfigError for the first key of `table` that `kind` does not have or whose value does not fit."""
    where = f"{origin} [{'.'.join(section)}]" if section else origin
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key not in fields:
            raise ConfigError(f'{where}: unknown key "{key}"; {_advice(key, fields)}')
        expected = fields[key]
        if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: {key} = {value!r} stands where the section [{key}] belongs")
            _check_table(value, expected, origin, (*section, key))
            continue
        try:
            msgspec.convert(value, expected, dec_hook=_to_path)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{where}: {key} = {value!r} does not fit; {_wanted(expected, error)}") from error


def _advice(key: str, fields: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known here: {', '.join(sorted(fields))}"


def _wanted(expected: Any, error: msgspec.ValidationError) -> str:
    if expected == Tone:
        return 'wanted "auto" or a step from 1 to 6'
    choices = [str(choice) for choice in get_args(expected) if isinstance(choice, str | int)]
    if choices:
        return f"wanted one of: {', '.join(choices)}"
    words = str(error).split(" - at ")[0].replace("`", "")
    return words[:1].lower() + words[1:]


def _to_path(kind: type, value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, (str, Path)):
        return Path(value).expanduser()
    raise TypeError("wanted a path")


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _merged(merged[key], value) if isinstance(value, Mapping) and key in merged else value
    return merged


def _check_network(settings: Settings) -> None:
    """Not every network is shipped in every precision."""
    if settings.precision == "float32" and settings.network_px != FLOAT32_PX:
        raise ConfigError(
            f'precision = "float32" is there for network_px = {FLOAT32_PX}, got network_px = {settings.network_px}; '
            'choose that size or precision = "int8"'
        )


def _check_strict(settings: Settings) -> None:
    """`strict` is a promise; a setting that breaks it is refused rather than obeyed."""
    if settings.preset != "strict":
        return
    for name, got, promised in (
        ("coverage", settings.coverage, "box"),
        ("fallback", settings.fallback, "solid"),
        ("occluders", settings.occluders, "none"),
        ("detector.every_frames", settings.detector.every_frames, 1),
        ("detector.turned_every_frames", max(3, settings.detector.turned_every_frames), 3),  # more often is no breach
    ):
        if got != promised:
            raise ConfigError(
                f"the preset strict promises {name} = {promised!r}, got {got!r}; "
                "take that setting away or choose another preset"
            )
