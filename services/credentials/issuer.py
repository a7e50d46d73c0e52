"""Who issues: its identifier, its profile, its keys as the log tells them.

On a loopback origin the issuer is the key itself (did:key) and everything is a demonstration; on an https
origin it is did:web, and keys come and go under one identifier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from contracts.times import parse_timestamp
from foundation.eventlog import Recorded

from .achievements import PROGRAMME
from .did import PublishedKey, did_document
from .multikey import did_key, parse_multikey

ISSUER_STREAM: Final = "issuer:mlds"
AGENCY: Final = "Missouri Department of Elementary and Secondary Education"
DEMONSTRATION: Final = (
    "A demonstration with generated people: its badges state nothing about anyone, and no agency issued them."
)


@dataclass(frozen=True, slots=True)
class Issuer:
    """The issuer under one public origin (no slash at its end)."""

    origin: str
    demonstration: bool

    @property
    def has_document(self) -> bool:
        """Whether it is did:web, with a document at `/.well-known/did.json`."""
        return self.origin.startswith("https://")

    def did(self, key: str) -> str:
        """Its identifier; `key` (`z6Mk…`) names the key only where the key is the issuer."""
        if self.has_document:
            return "did:web:" + urlsplit(self.origin).netloc.replace(":", "%3A")
        return did_key(parse_multikey(key))

    def method(self, key: str) -> str:
        """The DID URL of a key, the `verificationMethod` of what it signs."""
        return f"{self.did(key)}#{key}"

    @property
    def name(self) -> str:
        return f"{PROGRAMME} (demonstration)" if self.demonstration else AGENCY

    def profile(self, key: str) -> dict[str, Any]:
        """The `issuer` of a badge (Open Badges 3.0, Profile)."""
        return {
            "id": self.did(key),
            "type": ["Profile"],
            "name": self.name,
            "url": self.origin,
            "description": DEMONSTRATION if self.demonstration else f"{AGENCY}: {PROGRAMME}.",
        }


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A signing key of ours, as the log tells it. Retired, it signs no more, and what it signed stays good."""

    key: str
    """`z6Mk…`, its Multikey: its name everywhere."""
    made: int
    made_at: datetime
    retired_at: datetime | None = None
    compromised_since: datetime | None = None

    @property
    def public_key(self) -> bytes:
        return parse_multikey(self.key)

    @property
    def signs(self) -> bool:
        return self.retired_at is None and self.compromised_since is None


def issuer_keys(events: Iterable[Recorded]) -> list[IssuerKey]:
    """Folds the stream `issuer:mlds`: every key there ever was, oldest first."""
    keys: dict[str, IssuerKey] = {}
    for event in events:
        name = event.data.get("key", "")
        match event.type:
            case "KeyMade":
                keys[name] = IssuerKey(name, event.position, event.recorded_at)
            case "KeyRetired" if name in keys:
                keys[name] = replace(keys[name], retired_at=event.recorded_at)
            case "KeyCompromised" if name in keys:
                keys[name] = replace(keys[name], compromised_since=parse_timestamp(event.data["since"]))
    return list(keys.values())


def signing_key(keys: Iterable[IssuerKey]) -> IssuerKey | None:
    """The key that signs now: the newest that may."""
    return max((key for key in keys if key.signs), key=lambda key: key.made, default=None)


def own_did_document(issuer: Issuer, keys: Iterable[IssuerKey]) -> dict[str, Any]:
    """The did:web document with every key, retired ones too (Controlled Identifiers 1.0 section 2.2)."""
    listed = list(keys)
    return did_document(
        issuer.did(""), [PublishedKey(key.key, key.public_key, key.compromised_since) for key in listed]
    )
