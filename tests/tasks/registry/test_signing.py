from __future__ import annotations

import stat
from pathlib import Path

import pytest

from aigc_models.errors import BadInput, Damaged
from tasks.registry.signing import check_signature, new_keys, public_key, signature

DIGEST = "ab" * 32


def test_a_signature_holds_for_its_digest_and_key_alone(tmp_path: Path) -> None:
    public, other = new_keys(tmp_path / "team.pem"), new_keys(tmp_path / "other.pem")
    signed = signature(DIGEST, tmp_path / "team.pem")
    check_signature("x/1", DIGEST, signed, public)
    for name, digest, given, key in (
        ("another digest", "cd" * 32, signed, public),
        ("another key", DIGEST, signed, other),
        ("no base64", DIGEST, "!!", public),
        ("cut", DIGEST, signed[:40], public),
    ):
        with pytest.raises(Damaged, match=rf"the signature of {name} is not one of these files"):
            check_signature(name, digest, given, key)
    with pytest.raises(Damaged, match=r"x/1 is not signed.*`aigc sign x/1 --key PRIVATE.pem`"):
        check_signature("x/1", DIGEST, "", public)


def test_a_private_key_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    public = new_keys(tmp_path / "team.pem")
    assert stat.S_IMODE((tmp_path / "team.pem").stat().st_mode) == 0o600
    assert public == tmp_path / "team.public.pem"
    with pytest.raises(BadInput, match="choose another name"):
        new_keys(tmp_path / "team.pem")


def test_keys_of_another_kind_are_refused_by_name(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    public = new_keys(tmp_path / "team.pem")
    curve = generate_private_key(SECP256R1())
    encodings = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "curve.pem").write_bytes(curve.private_bytes(*encodings, serialization.NoEncryption()))
    (tmp_path / "closed.pem").write_bytes(curve.private_bytes(*encodings, serialization.BestAvailableEncryption(b"word")))
    for name, words in (("curve.pem", "another kind"), ("closed.pem", "without a password"), (public.name, "no private key")):
        with pytest.raises(BadInput, match=words):
            signature(DIGEST, tmp_path / name)
    for name, words in (("team.pem", "no public key"), ("nowhere.pem", "cannot be read")):
        with pytest.raises(BadInput, match=words):
            public_key(tmp_path / name)
