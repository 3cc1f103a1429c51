"""Ed25519 keys and signatures: the only door to `cryptography`.

Source: RFC 8032; keys as PKCS #8 and SubjectPublicKeyInfo in PEM, which OpenSSL reads too.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import HipauditError
from audit.files import write_whole

ALGORITHM = "Ed25519"
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
MOST = 10_000  # bytes of a key or signature file


def new_key(path: Path) -> Path:
    """A private key at `path` (mode 0600) and its public half beside it; gives the latter's path.

    Raises HipauditError where a file of either name exists: a lost key cannot be made again.
    """
    public = path.with_suffix(".pub.pem")
    for place in (path, public):
        if place.exists():
            raise HipauditError("a name that is free", f"a file {place.name}", "Choose another.")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_whole(path, secret, mode=0o600)
    return write_whole(public, _pem(key.public_key()))


def sign(content: bytes, key_file: Path) -> str:
    """The signature of `content` as JSON text: algorithm, sha256, public key, signature.

    The bytes themselves are signed, so OpenSSL can check it: pkeyutl -verify -rawin.
    """
    key = _private(key_file)
    told = {
        "algorithm": ALGORITHM,
        "sha256": hashlib.sha256(content).hexdigest(),
        "public_key": base64.b64encode(key.public_key().public_bytes(*RAW)).decode(),
        "signature": base64.b64encode(key.sign(content)).decode(),
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def checked(content: bytes, signature: str) -> bytes | None:
    """The raw public key (32 bytes) of a valid signature of `content`; None where it is not valid.

    Raises HipauditError for text that is no signature of ours.
    """
    told = _read_signature(signature)
    try:
        raw = base64.b64decode(told["public_key"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
        key.verify(base64.b64decode(told["signature"], validate=True), content)
    except (InvalidSignature, ValueError):
        return None
    return raw if told["sha256"] == hashlib.sha256(content).hexdigest() else None


def fingerprint(raw: bytes) -> str:
    """SHA-256 of a raw public key in blocks of eight, to be read aloud and compared."""
    digest = hashlib.sha256(raw).hexdigest()
    return " ".join(digest[i : i + 8] for i in range(0, len(digest), 8))


def public_half(path: Path) -> bytes:
    """The raw public key of a private key file. Raises HipauditError for anything else."""
    return _private(path).public_key().public_bytes(*RAW)


def is_open(path: Path) -> bool:
    """Whether others on this machine can read the file."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)


def public_key(path: Path) -> bytes:
    """The raw bytes of a public key file. Raises HipauditError for anything else."""
    try:
        key = serialization.load_pem_public_key(_content(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _not_a_key("public", path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key("public", path)
    return key.public_bytes(*RAW)


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _not_a_key("private", path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key("private", path)
    return key


def _pem(key: Ed25519PublicKey) -> bytes:
    how = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(*how)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise HipauditError(
            "a key file", f"nothing at {path.name}", "Make one: hipaudit sign --new-key board.pem"
        )
    return path.read_bytes()[:MOST]


def _not_a_key(half: str, path: Path) -> HipauditError:
    return HipauditError(
        f"a {half} Ed25519 key in PEM, not encrypted",
        f"something else in {path.name}",
        "Make one: hipaudit sign --new-key board.pem",
    )


def _read_signature(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text[:MOST])
    except ValueError:
        told = None
    wanted = {"algorithm", "sha256", "public_key", "signature"}
    if not isinstance(told, dict) or set(told) != wanted or told["algorithm"] != ALGORITHM:
        raise HipauditError(
            "a signature written by hipaudit sign", "something else", "Sign the report again."
        )
    if not all(isinstance(value, str) for value in told.values()):
        raise HipauditError("a signature of texts", "something else", "Sign the report again.")
    return told
