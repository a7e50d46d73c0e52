"""Sealing of personal members: AES-256-GCM under the subject's data key.

Form of a sealed column: one byte 1 · the names of the members as ASCII, joined by commas, one zero byte ·
a nonce of 12 random bytes · ciphertext and tag. The names stand in clear so that a reader without the key
can still say which members have been erased. The additional authenticated data is
`event id|type|type version|first tag`, so that a sealed text can't be moved to another event.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.events import ERASED

_FORM = b"\x01"
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class SealBroken(Exception):
    """A sealed column was altered, or belongs to another event or key."""


def to_bytes(data: Mapping[str, Any]) -> bytes:
    """JSON as UTF-8, members sorted, no spaces: equal data gives equal bytes."""
    return _ENCODER.encode(data).encode()


def _bound_to(event_id: UUID, type_: str, version: int, stream: str) -> bytes:
    return f"{event_id}|{type_}|{version}|{stream}".encode()


def seal(members: Mapping[str, Any], key: bytes, *, event_id: UUID, type_: str, version: int, stream: str) -> bytes:
    """The members, sealed for the event."""
    nonce = os.urandom(12)
    names = ",".join(sorted(members)).encode("ascii")
    text = AESGCM(key).encrypt(nonce, to_bytes(members), _bound_to(event_id, type_, version, stream))
    return _FORM + names + b"\x00" + nonce + text


def unseal(
    sealed: bytes, key: bytes | None, *, event_id: UUID, type_: str, version: int, stream: str
) -> dict[str, Any]:
    """The members; each is `ERASED` when the key is None, that is, destroyed. Raises SealBroken."""
    names, _, rest = sealed[1:].partition(b"\x00")
    if sealed[:1] != _FORM or len(rest) < 28:
        raise SealBroken(f"The sealed members of event {event_id} are not in a form known here.")
    if key is None:
        return {name: dict(ERASED) for name in names.decode("ascii").split(",")}
    try:
        text = AESGCM(key).decrypt(rest[:12], rest[12:], _bound_to(event_id, type_, version, stream))
    except InvalidTag:
        raise SealBroken(f"The sealed members of event {event_id} were altered, or moved.") from None
    members: dict[str, Any] = json.loads(text)
    if sorted(members) != names.decode("ascii").split(","):
        raise SealBroken(f"The names of the sealed members of event {event_id} were altered.")
    return members
