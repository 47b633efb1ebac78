"""A signed record of a run: what ran, with which settings, and what came of it. No picture and nothing of a face in it.

    {"content": {…}, "signature": {"algorithm": "Ed25519", "public_key": base64, "value": base64}}

The signature is over `content` as JSON with sorted keys and no spaces, UTF-8. Without a key file the signing key is
made for this one record and forgotten: then it shows that the record was not changed since, but not who made it. With
one, the same public key stands in all records of its owner, which also links them.

Left out on purpose: names of folders, names and hashes of inputs (a hash tells whoever has the original that it was
this one), time of day, the persona key.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from anonymizer.adapters.safe_write import safe_target
from anonymizer.errors import InputError
from anonymizer.machine import build
from anonymizer.secret import derive, load_or_create_key, session_secret
from anonymizer.settings import Settings

FORMAT = 1
KIND = "anonymizer run"


@dataclass(frozen=True, slots=True)
class Written:
    """One output: frames or pages, and how many of them got which verdict. failures: blanked by an error."""

    path: Path
    verdicts: Mapping[str, int]
    failures: int


@dataclass(frozen=True, slots=True)
class Verified:
    """content: of the record. differences: what does not match here, in words; () = everything does."""

    content: dict[str, Any]
    public_key: str
    differences: tuple[str, ...]


def write_record(path: Path, key_file: Path | None, settings: Settings, outputs: Sequence[Written]) -> str:
    """Sign and write; gives the public key. Raises SinkError, PersonaKeyError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = session_secret() if key_file is None else load_or_create_key(key_file)
    key = Ed25519PrivateKey.from_private_bytes(derive(secret, 0, "record", 32))
    content = _content(settings, outputs)
    public = _base64(key.public_key().public_bytes_raw())
    value = _base64(key.sign(_canonical(content)))
    record = {"content": content, "signature": {"algorithm": "Ed25519", "public_key": public, "value": value}}
    with safe_target(path, [], overwrite=True) as part:
        part.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return public


def verify_record(path: Path, outputs: Sequence[Path], signed_by: str | None) -> Verified:
    """Check signature, outputs and the model files installed here. Raises InputError for what is no valid record."""
    record = _read(path)
    content, signature = record["content"], record["signature"]
    if not _is_signed(content, signature):
        raise InputError(f"the record {path} was changed: its signature does not fit; ask for the original file")
    differences = list(_output_differences(content, outputs))
    if signed_by is not None and signed_by != signature["public_key"]:
        differences.append(f"signed by {signature['public_key']}, wanted {signed_by}")
    installed = build()
    for name, sha256 in content["build"]["weights"].items():
        if installed["weights"].get(name) != sha256:
            differences.append(f"another model file {name} than the one installed here")
    if content["build"]["version"] != installed["version"]:
        differences.append(f"made by version {content['build']['version']}, here is {installed['version']}")
    return Verified(content, signature["public_key"], tuple(differences))


def _content(settings: Settings, outputs: Sequence[Written]) -> dict[str, Any]:
    table = msgspec.to_builtins(settings, enc_hook=str)
    for name, value in table.items():  # a path says whose machine it was
        if isinstance(getattr(settings, name), Path):
            table[name] = "a file" if value is not None else None
    return {
        "kind": KIND,
        "format": FORMAT,
        "build": build(),
        "settings": table,
        "outputs": [
            {
                "sha256": hashlib.sha256(written.path.read_bytes()).hexdigest(),
                "bytes": written.path.stat().st_size,
                "verdicts": dict(written.verdicts),
                "failures": written.failures,
            }
            for written in outputs
        ],
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the record {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is no record: it is not JSON ({error})") from error
    content = record.get("content") if isinstance(record, dict) else None
    if not isinstance(content, dict) or content.get("kind") != KIND or not isinstance(record.get("signature"), dict):
        raise InputError(f"{path} is no record of a run; give the file that --record wrote")
    if content.get("format") != FORMAT:
        raise InputError(f"{path} has format {content.get('format')}, this version reads {FORMAT}; use a newer one")
    return dict(record)


def _is_signed(content: dict[str, Any], signature: dict[str, Any]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = base64.b64decode(signature["public_key"], validate=True)
        value = base64.b64decode(signature["value"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(value, _canonical(content))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def _output_differences(content: dict[str, Any], outputs: Sequence[Path]) -> list[str]:
    known = {output["sha256"] for output in content["outputs"]}
    out = []
    for path in outputs:
        try:
            got = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(f"the output {path} cannot be read: {error.strerror}") from error
        if got not in known:
            out.append(f"{path} is not one of the files of this run, or was changed")
    return out


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
