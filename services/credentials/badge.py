"""The badge itself: an unsigned Open Badges 3.0 credential from an attainment, and nothing more than it needs.

What it says is the minimum: achievement and level, framework and policy with their versions, how many items
of which kinds by how many assessors over how many days, issuer, dates, a subject id made for this badge, and
a salted hash of the holder's e-mail address, by which the holder can be checked (it hides nobody).

Sources: Open Badges 3.0 (1.2) data model and IdentityHash; VC Data Model 2.0 sections 4.1 to 4.10.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.achievements import AchievementKey
from contracts.policy import PolicyRef
from contracts.times import format_timestamp

from .achievements import name_of
from .basis import Basis
from .contexts import CREDENTIALS_V2, OPEN_BADGES
from .holder import identity_hash
from .issuer import Issuer
from .status_list import list_entry


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who holds the badge, as the badge shows it: an id made for it, and the e-mail address, hashed."""

    subject: UUID
    email: str | None
    salt: str


@dataclass(frozen=True, slots=True)
class Attained:
    """What the badge states."""

    key: AchievementKey
    achievement: Mapping[str, Any]
    """Of this key, under this policy (`achievements.achievement`)."""
    policy: PolicyRef
    awarded_at: datetime
    """When the event that made the level so was recorded."""
    basis: Basis | None
    """None for the overall level, which rests on levels and not on items."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a status list: `purpose` is `revocation` or `suspension`."""

    purpose: str
    list: str
    index: int


def credential_url(origin: str, credential_id: str) -> str:
    return f"{origin}/credentials/{credential_id}"


def list_url(origin: str, name: str) -> str:
    return f"{origin}/status/{name}"


def badge(
    issuer: Issuer,
    *,
    key: str,
    credential_id: str,
    attained: Attained,
    recipient: Recipient,
    valid_from: datetime,
    places: Sequence[Place],
) -> dict[str, Any]:
    """The whole unsigned document. Times are cut to whole seconds (JWT profiles know no others)."""
    origin = issuer.origin
    award = attained.achievement
    subject: dict[str, Any] = {"id": f"urn:uuid:{recipient.subject}", "type": ["AchievementSubject"]}
    if recipient.email is not None:
        subject["identifier"] = [identity(recipient.email, recipient.salt)]
    subject["achievement"] = award
    subject["result"] = [
        {
            "type": ["Result"],
            "resultDescription": f"{award['id']}#level",
            "achievedLevel": f"{award['id']}#{attained.key.level.value}",
        }
    ]
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": credential_url(origin, credential_id),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": name_of(attained.key.competency, attained.key.level),
        "description": _what_it_took(attained, issuer.demonstration),
        "issuer": issuer.profile(key),
        "validFrom": whole_seconds(valid_from),
        "awardedDate": whole_seconds(attained.awarded_at),
        "credentialSubject": subject,
        "credentialStatus": _status(origin, places),
    }


def renewed(
    before: Mapping[str, Any],
    issuer: Issuer,
    *,
    key: str,
    email: str | None,
    valid_from: datetime,
    places: Sequence[Place],
) -> dict[str, Any]:
    """The unsigned document of a reissue: what was stated stays, with today's address, key and places."""
    subject = {name: value for name, value in before["credentialSubject"].items() if name != "identifier"}
    if email is not None:
        subject["identifier"] = [identity(email, secrets.token_hex(16))]
    return {
        **before,
        "issuer": issuer.profile(key),
        "validFrom": whole_seconds(valid_from),
        "credentialSubject": subject,
        "credentialStatus": _status(issuer.origin, places),
    }


def _status(origin: str, places: Sequence[Place]) -> Any:
    entries = [
        list_entry(url=list_url(origin, place.list), purpose=place.purpose, index=place.index) for place in places
    ]
    # One object where there is one entry: an array breaks the Open Badges schema (data model, 0..1).
    return entries[0] if len(entries) == 1 else entries


def whole_seconds(moment: datetime) -> str:
    return format_timestamp(moment.replace(microsecond=0))


def credential_bytes(document: Mapping[str, Any]) -> bytes:
    """The bytes that are served, baked and digested: members sorted, no white space, UTF-8.

    Whoever writes the JSON anew, in another order, gets back to the same bytes and so to the same digest.
    """
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def credential_digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(credential_bytes(document)).hexdigest()


def identity(email: str, salt: str) -> dict[str, Any]:
    """The IdentityObject of an address; the salt is public, so this checks a holder and hides nobody."""
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": identity_hash(email, salt),
        "identityType": "emailAddress",
        "salt": salt,
    }


def _what_it_took(attained: Attained, demonstration: bool) -> str:
    rule = f"policy {attained.policy.id} {attained.policy.version} and framework {attained.key.framework}"
    if attained.basis is None:
        text = f"Every competency of the framework stands at this level or higher, under {rule}."
    else:
        text = f"Reached on {attained.basis.in_words()}, under {rule}."
    text += " It records professional development; it is no license, no certificate and no evaluation rating."
    if demonstration:
        text += " Made in a demonstration with generated people: it states nothing about anyone."
    return text
