"""Signatures of bundles: Ed25519 (RFC 8032) over a bundle's digest, with key files of one's own.

A bundle's digest covers its card and all other files, so that a signature says: whoever holds the private key vouches for just
these. It does not say under which name or alias they are registered.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput, Damaged
from aigc_models.reading.bundle_files import SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TAG = "aigc.signature"  # of a registered version
PURPOSE = b"aigc bundle sha256 "  # so that no signature of anything else passes for one of a bundle
VARIABLE = "AIGC_VERIFY_KEY"


def required_key() -> Path | None:
    """The public key by which every registered version that is loaded has to be signed, if one is set."""
    path = os.environ.get(VARIABLE)
    return Path(path).expanduser() if path else None


def new_keys(path: Path) -> Path:
    """Write a private key to `path`, for its owner's eyes alone, and its public key beside it, whose path is returned.

    Raises `BadInput` where either is there already or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key, public = Ed25519PrivateKey.generate(), path.with_suffix(".public.pem")
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    _write(path, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), 0o600)
    _write(public, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    return public


def _write(path: Path, content: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}; choose another name for the key") from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def signature(digest: str, private: Path) -> str:
    """The signature of a bundle's digest (sha256, hex) in base64; raises `BadInput` of a key that cannot be used."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_read(private), password=None)
    except (ValueError, TypeError) as error:  # TypeError: it has a password
        raise BadInput(f"{private} is no private key in PEM without a password; `aigc sign --new KEY.pem` makes one") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _another_kind(private)
    return base64.b64encode(key.sign(PURPOSE + digest.encode())).decode()


def signature_of(folder: Path, tags: Mapping[str, str]) -> str:
    """In base64: a version's own, by its tags, or else the one that lies in the bundle's folder; empty where there is none."""
    path = folder / SIGNATURE
    if tags.get(TAG) or path.is_symlink() or not path.is_file():
        return tags.get(TAG, "")
    with path.open("rb") as file:
        return file.read(1000).decode("ascii", "replace").strip()


def check_signature(name: str, digest: str, signed: str, public: Path) -> None:
    """Raise `Damaged` where `signed` is not the signature of this digest by the owner of the key, `BadInput` of the key."""
    from cryptography.exceptions import InvalidSignature

    key, again = public_key(public), f"look at it, then `aigc sign {name} --key PRIVATE.pem`, or unset {VARIABLE}"
    if not signed:
        raise Damaged(f"{name} is not signed, and {public} is to vouch for it; {again}")
    try:
        key.verify(base64.b64decode(signed, validate=True), PURPOSE + digest.encode())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Damaged(f"the signature of {name} is not one of these files by the owner of {public}; {again}") from error


def public_key(path: Path) -> Ed25519PublicKey:
    """Raises `BadInput` where the file holds none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path))
    except ValueError as error:
        raise BadInput(f"{path} is no public key in PEM; `aigc sign --new KEY.pem` writes one beside KEY.pem") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _another_kind(path)
    return key


def _another_kind(path: Path) -> BadInput:
    return BadInput(f"{path} is a key of another kind; Ed25519 is needed, as `aigc sign --new KEY.pem` makes it")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(2**16)  # a key has some hundred bytes
    except OSError as error:
        raise BadInput(f"the key {path} cannot be read: {error.strerror}; name a PEM file") from error
