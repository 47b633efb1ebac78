"""Signs finished files by the C2PA standard: that this program changed them, and that nobody changed them since.

Needs the extra `c2pa`. The certificate is the user's, or one made here that no authority vouches for. No time stamp
server is asked, so nothing leaves the machine. One certificate links all the files that are signed with it.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anonymizer import __version__
from anonymizer.marking import SOURCE_TYPE
from anonymizer.refusals import refused

_KIND_OF_SUFFIX = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg", ".jfif": "image/jpeg", ".png": "image/png",
    ".webp": "image/webp", ".tif": "image/tiff", ".tiff": "image/tiff", ".gif": "image/gif", ".avif": "image/avif",
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime",
}  # fmt: skip
_VALID_DAYS = 3650
_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}  # curve -> COSE

Sign = Callable[[Path], None]


def check_signable(target: Path) -> None:
    """Raises SinkError when the kind of file cannot hold a signature."""
    if target.suffix.lower() not in _KIND_OF_SUFFIX:
        raise refused("sign-format", suffix=target.suffix)


def signer(certificate: Path) -> Sign:
    """What signs a file in place with the key and the certificates of one PEM file; a missing one is made.

    Raises ConfigError; the function it gives raises SinkError.
    """
    if find_spec("c2pa") is None:
        raise refused("sign-extra")
    pem = _load(certificate) if certificate.exists() else _create(certificate)
    key, chain, algorithm = _parts(certificate, pem)

    def sign(path: Path) -> None:
        _sign(path, key, chain, algorithm)

    return sign


def _sign(path: Path, key: bytes, chain: bytes, algorithm: str) -> None:
    import c2pa

    check_signable(path)
    kind = _KIND_OF_SUFFIX[path.suffix.lower()]
    action = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    manifest: dict[str, Any] = {
        "claim_generator_info": [{"name": "anonymizer", "version": __version__}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    # no thumbnail: one more picture in the file is one more to watch; nothing is fetched from anywhere
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"remote_manifest_fetch": False}}
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    info = c2pa.C2paSignerInfo(getattr(c2pa.C2paSigningAlg, algorithm), chain, key, None)
    handle, name = tempfile.mkstemp(prefix=".anonymizer-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        with c2pa.Signer.from_info(info) as signing, path.open("rb") as plain, Path(name).open("w+b") as signed:
            c2pa.Builder(json.dumps(manifest), context).sign(signing, kind, plain, signed)
        shutil.copyfile(name, path)
    except (c2pa.C2paError, OSError) as error:
        raise refused("output-unwritable", folder=path.parent, reason=f"signing failed: {error}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _load(certificate: Path) -> bytes:
    try:
        mode = stat.S_IMODE(certificate.stat().st_mode)
        pem = certificate.read_bytes()
    except OSError as error:
        raise refused("sign-certificate", certificate=certificate, reason=error.strerror) from error
    if os.name == "posix" and mode & 0o077:
        raise refused("sign-certificate", certificate=certificate, reason="others can read its key; run chmod 600")
    return pem


def _parts(certificate: Path, pem: bytes) -> tuple[bytes, bytes, str]:
    """The key, the certificates with the signer's first, and the algorithm."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
        chain = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError) as error:
        reason = "it does not hold a private key without password and its certificates, as PEM"
        raise refused("sign-certificate", certificate=certificate, reason=reason) from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in _ALGORITHMS:
        raise refused("sign-certificate", certificate=certificate, reason="its key is none of P-256, P-384, P-521")
    certificates = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
    return _key_pem(key), certificates, _ALGORITHMS[key.curve.name]


def _key_pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _create(path: Path) -> bytes:
    """A key with a certificate of its own little authority: the standard takes none that vouches for itself."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("self-made root", root_key.public_key(), root_key, root_key.public_key(), authority=True)
    own = _certificate("self-made", key.public_key(), root_key, root_key.public_key(), authority=False)
    pem: bytes = _key_pem(key) + own.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
    except OSError as error:
        raise refused("sign-certificate", certificate=path, reason=error.strerror) from error
    return pem


def _certificate(subject: str, public: Any, issuer_key: Any, issuer_public: Any, *, authority: bool) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(common: str) -> x509.Name:
        organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "anonymizer")  # the standard asks for one
        return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    now = datetime.now(UTC)
    unused = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | dict.fromkeys(("encipher_only", "decipher_only"), False)
    usage = x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **unused)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named("self-made root"))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if not authority:
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])  # one of those the standard takes
        builder = builder.add_extension(uses, critical=False)
    return builder.sign(issuer_key, SHA256())
