"""Public keys and their names: Multikey, did:key, JSON Web Key. Ed25519 only; weak keys are refused.

Sources: W3C Controlled Identifiers 1.0 section 2.2.2 (Multikey) and 2.4 (multibase), did:key method 0.7,
RFC 8037 section 2 (OKP), RFC 7638 (thumbprint), RFC 8032 section 5.1 (encoding of points).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import base58

ED25519: Final = b"\xed\x01"
_P: Final = 2**255 - 19
# The y coordinates, with the sign bit cleared, of the points whose order divides 8: with such a key one
# signature fits many messages (Chalkias, Garillot, Nikolaenko 2020, "Taming the many EdDSAs", table 1).
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _P - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)


class KeyFault(ValueError):
    """A key that is not read or not taken, with the reason."""


def check_ed25519(raw: bytes) -> bytes:
    """The 32 bytes of a public key that is worth trusting. Raises KeyFault."""
    if len(raw) != 32:
        raise KeyFault("an Ed25519 key has 32 bytes")
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y >= _P:
        raise KeyFault("this Ed25519 key is not in its one canonical form")
    if y in _SMALL_ORDER_Y:
        raise KeyFault("this Ed25519 key is of small order: anyone could sign for it")
    return raw


def decode_base58(text: object, *, size: int) -> bytes:
    """Exactly `size` bytes from multibase base58btc (`z…`). Raises KeyFault; bounded before decoding."""
    if not isinstance(text, str) or not text.startswith("z") or len(text) > 2 * size + 2:
        raise KeyFault("this is not written as multibase base58btc, z…")
    try:
        raw = bytes(base58.b58decode(text[1:]))
    except ValueError:
        raise KeyFault("this is not base58") from None
    if len(raw) != size:
        raise KeyFault(f"{len(raw)} bytes where {size} belong")
    return raw


def encode_base58(raw: bytes) -> str:
    return "z" + base58.b58encode(raw).decode("ascii")


def multikey(public_key: bytes) -> str:
    """`z6Mk…` of a raw Ed25519 public key."""
    return encode_base58(ED25519 + check_ed25519(public_key))


def parse_multikey(text: object) -> bytes:
    """The raw Ed25519 public key of a `publicKeyMultibase`. Raises KeyFault."""
    raw = decode_base58(text, size=34)
    if raw[:2] != ED25519:
        raise KeyFault("this key is of another kind than Ed25519, which is not read here")
    return check_ed25519(raw[2:])


def did_key(public_key: bytes) -> str:
    return f"did:key:{multikey(public_key)}"


def jwk(public_key: bytes) -> dict[str, str]:
    """The public key as JSON Web Key, without `kid` (RFC 8037)."""
    x = base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x}


def parse_jwk(value: object) -> bytes:
    """The raw Ed25519 public key of a JWK. Raises KeyFault, also where it holds a private key."""
    if not isinstance(value, Mapping):
        raise KeyFault("a JSON Web Key is an object")
    if "d" in value:
        raise KeyFault("this JSON Web Key holds a private key")
    if value.get("kty") != "OKP" or value.get("crv") != "Ed25519":
        raise KeyFault("this key is of another kind than Ed25519, which is not read here")
    x: Any = value.get("x")
    if not isinstance(x, str) or len(x) != 43:
        raise KeyFault("x of an Ed25519 key is 43 letters of base64url")
    try:
        raw = base64.b64decode(x + "=", altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise KeyFault("x is not base64url") from None
    return check_ed25519(raw)


def thumbprint(public_key: bytes) -> str:
    """RFC 7638 thumbprint of the key, base64url: a name for it that holds nothing else."""
    x = jwk(public_key)["x"]
    text = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
