"""Every error a user can meet, one tree; `cli.py` turns each into a sentence and an exit code.

AnonymizerError            1   something the tool knows how to explain
├── ConfigError            2   a flag, a setting or a TOML key is wrong
├── InputError             3   the given photo or video cannot be read
├── SinkError              4   the output cannot be written (or would overwrite the input)
├── WeightsError           5   a model file is missing, changed or does not fit
├── CameraError            6   the camera is missing, busy or gone
├── PersonaKeyError        7   the persona key file cannot be read or is not safe to use
└── FramesFailedError      9   live: frames in a row could not be made safe, or a stage hangs

Messages say what was got, what was wanted and what to do next. `assert` is for our own mistakes.
"""

from __future__ import annotations

EXIT_OUR_MISTAKE = 70  # EX_SOFTWARE of sysexits.h


class AnonymizerError(Exception):
    """Base of all errors that are explained to the user. code: the row of `anonymizer.refusals`, if it is one."""

    exit_code = 1
    code: str | None = None


class ConfigError(AnonymizerError):
    """A flag, a setting or a key of a TOML file is unknown or out of range."""

    exit_code = 2


class InputError(AnonymizerError):
    """The input is missing, empty, damaged or of a kind that is not handled."""

    exit_code = 3


class SinkError(AnonymizerError):
    """The output cannot be written, or writing it would destroy the input."""

    exit_code = 4


class WeightsError(AnonymizerError):
    """A model file is missing, was changed, or does not fit this version."""

    exit_code = 5


class CameraError(AnonymizerError):
    """A camera cannot be opened or stopped giving frames."""

    exit_code = 6


class PersonaKeyError(AnonymizerError):
    """The persona key file is unreadable, too short, or readable by others."""

    exit_code = 7


class FramesFailedError(AnonymizerError):
    """Live: several frames in a row could not be made safe, or a stage does not answer; the picture was blanked."""

    exit_code = 9
