"""What files can be refused for: one table, each condition with its code, its sentence and its remedy.

`refused` makes the error that is raised; its exit code is that of its kind. Codes are stable: scripts may rely on
them (`--json` prints them). docs/refusals.md is this table, and a test sees to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from anonymizer.errors import AnonymizerError, ConfigError, InputError, SinkError


@dataclass(frozen=True, slots=True)
class Refusal:
    """sentence: what was got, with the facts in braces. remedy: what to do next."""

    kind: type[AnonymizerError]
    sentence: str
    remedy: str


TABLE: dict[str, Refusal] = {
    # what goes in
    "input-missing": Refusal(InputError, "{path} does not exist or is not a file", "check the name"),
    "input-empty": Refusal(InputError, "{path} is empty (0 bytes)", "record or copy it again"),
    "input-permission": Refusal(InputError, "{path} may not be read", "check its permissions"),
    "photo-unknown": Refusal(
        InputError,
        "{path} is no photo that can be read",
        "use JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF",
    ),
    "photo-damaged": Refusal(InputError, "{path} is damaged ({reason})", "take another copy"),
    "photo-too-large": Refusal(InputError, "{path} has more than {limit} pixels", "make it smaller first"),
    "photo-raw": Refusal(InputError, "{path} is a camera's raw file", "develop it to TIFF or JPEG first"),
    "photo-pixels": Refusal(
        InputError, "{path} holds {mode} pixels, whose colours have no agreed look", "save it as RGB or grey first"
    ),
    "photo-hdr": Refusal(
        InputError, "{path} is an HDR still ({transfer})", "export it as an ordinary photo or a 16-bit TIFF first"
    ),
    "photo-many-frames": Refusal(
        InputError,
        "{path} has more than {limit}, too much for an animation",
        "use `anonymizer video` to make a video of it",
    ),
    "no-photos": Refusal(InputError, "no photo in {where}", "files ending in {suffixes} are taken"),
    "photo-crashed": Refusal(InputError, "reading {path} ended the process that did it", "take another copy"),
    "input-changed": Refusal(InputError, "{path} was changed while it was read", "wait until it is complete"),
    "video-unknown": Refusal(InputError, "{path} is no video that can be read", "use MP4, MOV, MKV, WebM, AVI or GIF"),
    "video-no-picture": Refusal(InputError, "{path} holds no moving picture", "use `anonymizer image` for a photo"),
    "video-codec": Refusal(
        InputError, "the picture of {path} is in a format that cannot be decoded", "convert it to H.264 first"
    ),
    "video-no-frame": Refusal(
        InputError, "no frame of {path} can be decoded; the file is empty or damaged", "take another copy"
    ),
    "video-too-large": Refusal(
        InputError, "{path} has frames of {size} pixels, more than {limit}", "make it smaller first"
    ),
    # what comes out
    "output-is-input": Refusal(
        SinkError, "the output {target} is the input {source}", "choose another output, the input is never touched"
    ),
    "output-folder": Refusal(SinkError, "the output {target} is a folder", "give a file name inside it"),
    "output-not-folder": Refusal(SinkError, "the output {target} is no folder", "several photos need a folder"),
    "output-no-folder": Refusal(SinkError, "the folder {folder} does not exist", "create it first"),
    "output-special": Refusal(SinkError, "the output {target} is not an ordinary file", "choose another output"),
    "output-exists": Refusal(
        SinkError, "the output {target} exists", "choose another name or allow it with --overwrite"
    ),
    "output-loop": Refusal(SinkError, "cannot find out where {target} leads: {reason}", "choose another output"),
    "output-unwritable": Refusal(
        SinkError, "cannot write into {folder}: {reason}", "check space and permissions there"
    ),
    "output-replace": Refusal(SinkError, "cannot put {target} in place: {reason}", "nothing was changed; try again"),
    "output-same-name": Refusal(
        SinkError, "{source} and {other} would both become {target}", "give them other names or run them apart"
    ),
    "photo-suffix": Refusal(
        SinkError,
        "cannot write a photo named *{suffix}",
        "end the output's name with .jpg, .png, .webp, .tif, .bmp, .gif or .avif",
    ),
    "photo-pages": Refusal(
        SinkError, "{path} holds {pages} pages, and a {suffix} file holds one", "end the output's name with .tif"
    ),
    "photo-animated": Refusal(
        SinkError,
        "{path} is animated, and a {suffix} file is not",
        "end the output's name with .gif, .webp or .png, or use `anonymizer video`",
    ),
    "video-suffix": Refusal(
        SinkError, "cannot write a video named *{suffix}", "end the output's name with .mp4, .mov or .mkv"
    ),
    "video-sound": Refusal(
        SinkError,
        "{suffix} cannot hold {codec} sound",
        "end the output's name with .mkv, or take --audio drop",
    ),
    "video-codec-suffix": Refusal(
        SinkError, "{suffix} cannot hold {codec} pictures", "end the output's name with .mp4 or .mkv"
    ),
    "output-busy": Refusal(SinkError, "another run is at work in {folder}", "wait for it, or choose another output"),
    # what was asked for
    "encoder-preset": Refusal(ConfigError, "unknown encoder preset {preset}", "choose one of {known}"),
    "encoder-crf": Refusal(ConfigError, "crf is a quality from 0 to 51, got {crf}", "choose one in between"),
    "sign-extra": Refusal(ConfigError, "signing needs an extra package", "pip install 'anonymizer[c2pa]'"),
    "sign-certificate": Refusal(
        ConfigError,
        "cannot sign with {certificate}: {reason}",
        "name a file that does not exist yet and one is made for you",
    ),
    "sign-format": Refusal(
        SinkError, "a *{suffix} file cannot be signed", "end the output's name with .jpg, .png, .webp, .tif or .mp4"
    ),
}


def refused(code: str, /, **facts: object) -> AnonymizerError:
    """The error to raise for a condition of the table. Names of files are shown on one line, whatever is in them."""
    row = TABLE[code]
    shown = {name: one_line(str(fact)) for name, fact in facts.items()}
    error = row.kind(f"{row.sentence.format(**shown)}; {row.remedy.format(**shown)}")
    error.code = code
    return error


def one_line(text: str) -> str:
    """Control characters and bytes that are no text as escapes, so that a file's name cannot forge a message."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in as_text(text))


def as_text(text: str) -> str:
    """Names of files may hold bytes that are no text; these become escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def as_markdown() -> str:
    """The table for docs/refusals.md."""
    rows = ["| code | exit | sentence | what to do |", "|---|---|---|---|"]
    for code, row in TABLE.items():
        cells = (f"`{code}`", str(row.kind.exit_code), row.sentence, row.remedy)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"
