"""Who is trusted here: the trust file, read strictly. One bad entry makes the whole file illegal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.strict_json import JsonFault, parse

from .did import DidFault, did_key_document, document_url
from .multikey import KeyFault, parse_jwk, parse_multikey

MAX_BYTES: Final = 4 << 20


class TrustFault(ValueError):
    """What is wrong with a trust file, and in which entry (`/issuers/3/keys/0`)."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key of an issuer; without an id it stands for any verification method of the issuer."""

    id: str | None
    public_key: bytes


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    id: str
    name: str
    reason: str
    keys: tuple[TrustedKey, ...] = ()
    status_lists: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Trust:
    """The issuers trusted here, by id."""

    issuers: Mapping[str, TrustedIssuer] = field(default_factory=dict)

    def find(self, issuer: str) -> TrustedIssuer | None:
        return self.issuers.get(issuer)


NOBODY: Final = Trust()


def parse_trust(data: bytes) -> Trust:
    """The trust of a file's text. Raises TrustFault."""
    try:
        document = parse(data, max_bytes=MAX_BYTES, max_depth=8)
    except JsonFault as fault:
        raise TrustFault(f"{fault.pointer or 'the file'}: {fault.detail}") from None
    _members("the file", document, {"issuers"}, {"issuers"})
    entries = document["issuers"]
    if not isinstance(entries, list):
        raise TrustFault("/issuers: a list belongs here")
    issuers: dict[str, TrustedIssuer] = {}
    for index, entry in enumerate(entries):
        issuer = _issuer(f"/issuers/{index}", entry)
        if issuer.id in issuers:
            raise TrustFault(f"/issuers/{index}/id: {issuer.id!r} stands in the file twice")
        issuers[issuer.id] = issuer
    return Trust(issuers)


def _issuer(at: str, entry: Any) -> TrustedIssuer:
    _members(at, entry, {"id", "name", "reason"}, {"id", "name", "reason", "keys", "status_lists"})
    for name in ("id", "name", "reason"):
        if not isinstance(entry[name], str) or not entry[name].strip():
            raise TrustFault(f"{at}/{name}: text belongs here")
    id_ = entry["id"]
    keys, lists = entry.get("keys", []), entry.get("status_lists", [])
    if not isinstance(keys, list) or ("keys" in entry and not keys):
        raise TrustFault(f"{at}/keys: a list with at least one key belongs here")
    try:
        if id_.startswith("did:key:"):
            did_key_document(id_)
        elif not keys or not id_.startswith("did:") or id_.startswith("did:web:"):
            document_url(id_)  # any other DID is taken at its word, with the keys that stand beside it
    except DidFault as fault:
        raise TrustFault(f"{at}/id: {fault}") from None
    if not isinstance(lists, list) or not all(isinstance(url, str) and url.startswith("https://") for url in lists):
        raise TrustFault(f"{at}/status_lists: a list of https URLs belongs here")
    return TrustedIssuer(
        id_,
        entry["name"].strip(),
        entry["reason"].strip(),
        tuple(_key(f"{at}/keys/{n}", key) for n, key in enumerate(keys)),
        frozenset(lists),
    )


def _key(at: str, key: Any) -> TrustedKey:
    try:
        if isinstance(key, Mapping) and "kty" in key:
            name = key.get("kid", key.get("id"))
            if name is not None and not isinstance(name, str):
                raise TrustFault(f"{at}/kid: text belongs here")
            return TrustedKey(name, parse_jwk(key))
        _members(at, key, {"id", "publicKeyMultibase"}, {"id", "publicKeyMultibase"})
        if not isinstance(key["id"], str) or not key["id"]:
            raise TrustFault(f"{at}/id: text belongs here")
        return TrustedKey(key["id"], parse_multikey(key["publicKeyMultibase"]))
    except KeyFault as fault:
        raise TrustFault(f"{at}: {fault}") from None


def _members(at: str, value: Any, needed: set[str], known: set[str]) -> None:
    if not isinstance(value, Mapping):
        raise TrustFault(f"{at}: an object belongs here")
    for name in sorted(needed - value.keys()):
        raise TrustFault(f"{at}: the member {name!r} is missing")
    for name in value:
        if name not in known:
            raise TrustFault(f"{at}: the member {name[:80]!r} is unknown")
