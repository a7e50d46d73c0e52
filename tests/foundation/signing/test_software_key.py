"""Keys in files: encrypted, private to their owner, never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from foundation.signing import KeyFileFault, SoftwareKey

SECRET = b"correct horse battery staple"


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    key, path = SoftwareKey.generate(), tmp_path / "issuer.pem"
    key.save(path, SECRET)
    again = SoftwareKey.load(path, SECRET)
    assert again.public_key == key.public_key
    assert again.sign(b"x") == key.sign(b"x")
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(key.sign(b"x"), b"x")


def test_the_file_is_encrypted_and_private(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    SoftwareKey.generate().save(path, SECRET)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    with pytest.raises(KeyFileFault, match="passphrase"):
        SoftwareKey.generate().save(tmp_path / "open.pem", b"")
    assert not (tmp_path / "open.pem").exists()


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    key = SoftwareKey.generate()
    key.save(path, SECRET)
    with pytest.raises(KeyFileFault, match="cannot be written"):
        SoftwareKey.generate().save(path, SECRET)
    assert SoftwareKey.load(path, SECRET).public_key == key.public_key


def test_a_file_that_does_not_do_says_why(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    SoftwareKey.generate().save(path, SECRET)
    with pytest.raises(KeyFileFault, match="this passphrase"):
        SoftwareKey.load(path, b"wrong")
    path.chmod(0o640)
    with pytest.raises(KeyFileFault, match="0600"):
        SoftwareKey.load(path, SECRET)
    with pytest.raises(KeyFileFault, match="cannot be read"):
        SoftwareKey.load(tmp_path / "none.pem", SECRET)
    other = tmp_path / "other.pem"
    other.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET)
        )
    )
    other.chmod(0o600)
    with pytest.raises(KeyFileFault, match="another kind"):
        SoftwareKey.load(other, SECRET)
    other.write_text("nothing")
    with pytest.raises(KeyFileFault):
        SoftwareKey.load(other, SECRET)


def test_a_key_shows_nothing_of_itself() -> None:
    seed = bytes(range(32))
    assert seed.hex() not in repr(SoftwareKey.from_seed(seed))
