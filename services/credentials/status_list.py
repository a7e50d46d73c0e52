"""Bitstring status lists: bits, the list's credential, and entries in it.

Source: W3C Bitstring Status List 1.0; its section numbers stand beside the rules.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.times import format_timestamp

from .contexts import CREDENTIALS_V2

MIN_ENTRIES: Final = 131_072  # section 3.1: fewer would tell the holders apart
MAX_BYTES: Final = 16 << 20  # of a list when unpacked: 134 million entries
_INDEX = re.compile(r"[0-9]{1,18}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class StatusFault(ValueError):
    """Why a list gives no answer. `code` is the standard's name for it (section 3.6)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in one list, as a credential names it."""

    purpose: str
    url: str
    index: int
    size: int = 1  # bits


@dataclass(frozen=True, slots=True)
class Bits:
    """A list unpacked: what it tells of, and its bits; index 0 is the left-most bit of the first byte."""

    purposes: tuple[str, ...]
    data: bytes

    def value(self, entry: Entry) -> int:
        """The entry's value. Raises StatusFault: another purpose, too short, out of range (section 3.2)."""
        if entry.purpose not in self.purposes:
            raise StatusFault(
                "STATUS_VERIFICATION_ERROR", f"the list tells of {', '.join(self.purposes)}, not of {entry.purpose}"
            )
        if len(self.data) * 8 // entry.size < MIN_ENTRIES:
            raise StatusFault("STATUS_LIST_LENGTH_ERROR", f"the list has fewer than {MIN_ENTRIES} entries")
        start = entry.index * entry.size
        if start + entry.size > len(self.data) * 8:
            raise StatusFault("RANGE_ERROR", f"the index {entry.index} is beyond the end of the list")
        value = 0
        for position in range(start, start + entry.size):
            value = value << 1 | self.data[position >> 3] >> (7 - (position & 7)) & 1
        return value


def parse_entry(value: Mapping[str, Any]) -> Entry:
    """A `BitstringStatusListEntry` (section 2.1). Raises StatusFault; unknown types are a fault too."""
    type_ = value.get("type")
    if type_ not in ("BitstringStatusListEntry", ["BitstringStatusListEntry"]):
        raise StatusFault("MALFORMED_VALUE_ERROR", f"a status of type {str(type_)[:80]!r} is not known here")
    index, size, purpose = value.get("statusListIndex"), value.get("statusSize", 1), value.get("statusPurpose")
    url = value.get("statusListCredential")
    if not isinstance(index, str) or not _INDEX.fullmatch(index):
        raise StatusFault("MALFORMED_VALUE_ERROR", "statusListIndex is no text of decimal digits")
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 32:
        raise StatusFault("MALFORMED_VALUE_ERROR", "statusSize is no number from 1 to 32")
    if not isinstance(purpose, str) or not purpose:
        raise StatusFault("MALFORMED_VALUE_ERROR", "statusPurpose is missing")
    if not isinstance(url, str) or not url:
        raise StatusFault("MALFORMED_VALUE_ERROR", "statusListCredential is missing")
    return Entry(purpose, url, int(index), size)


def encode(data: bytes | bytearray) -> str:
    """`encodedList`: multibase base64url of the packed bits (section 3.3); the same bits, the same text."""
    packed = gzip.compress(bytes(data), compresslevel=9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(text: object) -> bytes:
    """The bits of an `encodedList` (section 3.4). Raises StatusFault; never unpacks more than MAX_BYTES."""
    if not isinstance(text, str) or not text.startswith("u") or not _BASE64URL.fullmatch(text, 1):
        raise StatusFault("STATUS_VERIFICATION_ERROR", "encodedList is no multibase base64url, u…")
    try:
        packed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
        unpacker = zlib.decompressobj(wbits=31)  # gzip only
        data = unpacker.decompress(packed, MAX_BYTES + 1)
    except (zlib.error, binascii.Error, ValueError):
        raise StatusFault("STATUS_VERIFICATION_ERROR", "encodedList does not unpack") from None
    if len(data) > MAX_BYTES:
        raise StatusFault("STATUS_VERIFICATION_ERROR", f"the list unpacks to more than {MAX_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise StatusFault("STATUS_VERIFICATION_ERROR", "encodedList is cut or has something after its end")
    return data


def read_list(document: Mapping[str, Any]) -> Bits:
    """The bits of a list's credential, whose proof is checked elsewhere (section 2.2). Raises StatusFault."""
    types = document.get("type")
    subject = document.get("credentialSubject")
    if not isinstance(types, list) or "BitstringStatusListCredential" not in types:
        raise StatusFault("STATUS_VERIFICATION_ERROR", "what was found there is no status list")
    if not isinstance(subject, Mapping) or subject.get("type") not in ("BitstringStatusList", ["BitstringStatusList"]):
        raise StatusFault("STATUS_VERIFICATION_ERROR", "the list's subject is no BitstringStatusList")
    purposes = subject.get("statusPurpose")
    listed = purposes if isinstance(purposes, list) else [purposes]
    named = tuple(purpose for purpose in listed if isinstance(purpose, str))
    if not named or len(named) < len(listed):
        raise StatusFault("STATUS_VERIFICATION_ERROR", "the list does not say what it tells of")
    return Bits(named, decode(subject.get("encodedList")))


def list_credential(
    *,
    url: str,
    issuer: str,
    purpose: str,
    data: bytes | bytearray,
    valid_from: datetime,
    valid_until: datetime,
    ttl: int,
) -> dict[str, Any]:
    """The unsigned credential of a list (section 2.2). `ttl` is milliseconds within `valid_until`."""
    if len(data) * 8 < MIN_ENTRIES:
        raise ValueError(f"a list has at least {MIN_ENTRIES} entries")
    return {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": format_timestamp(valid_from),
        "validUntil": format_timestamp(valid_until),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "ttl": ttl,
            "encodedList": encode(data),
        },
    }


def list_entry(*, url: str, purpose: str, index: int) -> dict[str, str]:
    """`credentialStatus` of a credential; its id is not the list's URL (section 2.1)."""
    return {
        "id": f"{url}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": url,
    }


def set_bit(data: bytearray, index: int, on: bool = True) -> None:
    mask = 0x80 >> (index & 7)
    if on:
        data[index >> 3] |= mask
    else:
        data[index >> 3] &= ~mask & 0xFF
