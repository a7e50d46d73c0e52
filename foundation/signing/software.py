"""Ed25519 keys in files, encrypted at rest.

A file is PKCS#8 PEM (RFC 5958), encrypted under a passphrase (scrypt, AES-256-CBC by the `cryptography`
library's best available scheme), mode 0600. It is never overwritten.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


class KeyFileFault(Exception):
    """A key file that cannot be used, with a sentence that says which and why."""


class Signer(Protocol):
    """What signs: a key that we may use and perhaps cannot read."""

    @property
    def public_key(self) -> bytes:
        """The raw 32 bytes of the Ed25519 public key."""

    def sign(self, data: bytes, /) -> bytes:
        """The 64 bytes of the pure Ed25519 signature (RFC 8032) over these bytes."""


class SoftwareKey:
    """An Ed25519 key in this process's memory. Shows nothing of itself in its repr."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def generate(cls) -> SoftwareKey:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SoftwareKey:
        """The key of a 32-byte RFC 8032 seed."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path, passphrase: bytes) -> SoftwareKey:
        """The key of a file. Raises KeyFileFault: not there, readable by others, another passphrase or kind."""
        try:
            mode = path.stat().st_mode
            text = path.read_bytes()
        except OSError as fault:
            raise KeyFileFault(f"the key file {path} cannot be read: {fault.strerror}") from None
        if stat.S_IMODE(mode) & 0o077:
            raise KeyFileFault(f"the key file {path} can be read by others; set its mode to 0600")
        try:
            key = load_pem_private_key(text, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFileFault(f"the key file {path} does not open with this passphrase") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileFault(f"the key file {path} holds another kind of key than Ed25519")
        return cls(key)

    def save(self, path: Path, passphrase: bytes) -> None:
        """Writes a new file, mode 0600, on the disk when this returns. Raises KeyFileFault if one is there."""
        if not passphrase:
            raise KeyFileFault("a key file is never written without a passphrase")
        text = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as fault:
            raise KeyFileFault(f"the key file {path} cannot be written: {fault.strerror}") from None
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # else a power cut may lose the name after the key was used
        finally:
            os.close(folder)

    @property
    def public_key(self) -> bytes:
        return self._public

    def sign(self, data: bytes, /) -> bytes:
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"SoftwareKey({self._public.hex()})"
