"""C2PA signatures: valid, without any network, with a certificate that is made or brought along."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from anonymizer.errors import ConfigError, SinkError
from anonymizer.photos import PhotoOptions, anonymize_image
from anonymizer.signing import check_signable, signer
from tests.clips import gradient, make_clip, quadrants
from tests.test_photos import stages

KINDS = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".tif": "image/tiff", ".avif": "image/avif"}


def manifest_of(path: Path, kind: str) -> dict[str, object]:
    """What a verifier says of the file."""
    with path.open("rb") as file:
        return dict(json.loads(c2pa.Reader(kind, file).json()))


@pytest.mark.parametrize("suffix", sorted(KINDS))
def test_signed_photos_verify(tmp_path: Path, suffix: str) -> None:
    """The signature is valid, says what was done, holds no thumbnail, and a changed byte breaks it."""
    source, target = tmp_path / "in.png", tmp_path / f"out{suffix}"
    Image.fromarray(gradient((96, 64))).save(source)
    anonymize_image(source, target, stages(), PhotoOptions(sign=signer(tmp_path / "mine.pem")))
    said = manifest_of(target, KINDS[suffix])
    assert said["validation_state"] == "Valid"
    text = json.dumps(said)
    assert "compositeWithTrainedAlgorithmicMedia" in text
    assert "thumbnail" not in text
    with Image.open(target) as image:
        assert image.size == (96, 64)
    if suffix == ".png":
        content = bytearray(target.read_bytes())
        content[-30] ^= 1
        target.write_bytes(content)
        assert manifest_of(target, KINDS[suffix])["validation_state"] == "Invalid"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "mine.pem", target.name]


def test_a_video_file_can_be_signed(tmp_path: Path) -> None:
    """MP4 keeps its pictures and verifies."""
    clip = make_clip(tmp_path / "a.mp4", [quadrants((96, 64), step) for step in range(5)])
    signer(tmp_path / "mine.pem")(clip)
    assert manifest_of(clip, "video/mp4")["validation_state"] == "Valid"


def test_a_made_certificate_is_private_and_used_again(tmp_path: Path) -> None:
    """The file is readable by its owner only; one that others can read is refused."""
    path = tmp_path / "mine.pem"
    signer(path)
    before = path.read_bytes()
    signer(path)
    assert path.read_bytes() == before
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
        with pytest.raises(ConfigError, match="chmod 600"):
            signer(path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_files_that_are_no_certificate_are_refused(tmp_path: Path, content: bytes) -> None:
    """In words, before any photo is read."""
    path = tmp_path / "mine.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="cannot sign with"):
        signer(path)


def test_what_cannot_hold_a_signature_is_refused() -> None:
    """BMP and Matroska know no C2PA."""
    for name in ("a.bmp", "a.mkv"):
        with pytest.raises(SinkError, match="cannot be signed"):
            check_signable(Path(name))


@pytest.mark.skipif(sys.platform != "linux", reason="cuts the network off by a namespace")
def test_signing_asks_nobody(tmp_path: Path) -> None:
    """Signing goes as well where there is no network at all, not even to this machine."""
    Image.fromarray(gradient((96, 64))).save(tmp_path / "a.png")
    code = f"from pathlib import Path; from anonymizer.signing import signer; p = Path({str(tmp_path)!r}); " + (
        "signer(p / 'mine.pem')(p / 'a.png')"
    )
    cut_off = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*cut_off, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this system lets nobody make a network namespace")
    subprocess.run([*cut_off, sys.executable, "-c", code], check=True, timeout=60)
    assert manifest_of(tmp_path / "a.png", "image/png")["validation_state"] == "Valid"
