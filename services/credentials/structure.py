"""The shape of a credential that is to be verified: of the data model, and of an Open Badge.

A reader and a signature must mean the same thing: what is read here is read in one way only, and whatever
could be read in two is a fault. Sources: VC Data Model 2.0 section 4, Open Badges 3.0 section "Verification"
and data model. A single-member array and its member are one in RDF, so both are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from contracts.refusals import Fault
from contracts.strict_json import escape
from contracts.times import parse_instant

from .contexts import CREDENTIALS_V1, CREDENTIALS_V2
from .statements import IRI
from .verdicts import Claims

MAX_PROOFS: Final = 16
MAX_STATUSES: Final = 8
MAX_ENDORSEMENTS: Final = 16
BADGE_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})
OWN_MODEL: Final = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/"


@dataclass(slots=True)
class Reading:
    """What a credential says, read once, with the faults of its structure and of its schema."""

    claims: Claims
    structure: list[Fault] = field(default_factory=list)
    schema: list[Fault] = field(default_factory=list)
    unread: str | None = None  # a data model that is not read here
    unknown_schema: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    proofs: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # with pointers
    statuses: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    identities: list[Mapping[str, Any]] = field(default_factory=list)
    endorsements: list[tuple[str, Any]] = field(default_factory=list)
    endorsement_tokens: list[str] = field(default_factory=list)
    refresh: bool = False
    malformed_date: bool = False  # such a document has no canonical form


def read_credential(document: Mapping[str, Any]) -> Reading:
    """Everything that the checks need, and every fault with its place; raises nothing."""
    subject, achievement = _single(document.get("credentialSubject")), None
    if subject is not None:
        achievement = _single(subject.get("achievement"))
    issuer = _single(document.get("issuer")) or {}
    reading = Reading(
        Claims(
            issuer=_text(document.get("issuer")) or _text(issuer.get("id")),
            issuer_name=_text(issuer.get("name")),
            achievement=_text((achievement or {}).get("id")),
            achievement_name=_text((achievement or {}).get("name")),
            subject=_text((subject or {}).get("id")),
            valid_from=_text(document.get("validFrom")),
            valid_until=_text(document.get("validUntil")),
        )
    )
    named = document.get("@context")
    if named == CREDENTIALS_V1 or (isinstance(named, list) and named[:1] == [CREDENTIALS_V1]):
        reading.claims = Claims(
            reading.claims.issuer,
            reading.claims.issuer_name,
            reading.claims.achievement,
            reading.claims.achievement_name,
            reading.claims.subject,
            _text(document.get("issuanceDate")),
            _text(document.get("expirationDate")),
        )
        reading.unread = "a credential of the VC Data Model 1.1 is not read here yet"
        return reading
    reading.structure.extend(_data_model(document, reading))
    reading.structure.extend(_one_reading(document, reading.claims.issuer))
    reading.schema.extend(_badge(document, subject, achievement, reading))
    return reading


def _data_model(document: Mapping[str, Any], reading: Reading) -> Iterator[Fault]:
    named = document.get("@context")
    if named != CREDENTIALS_V2 and not (isinstance(named, list) and named[:1] == [CREDENTIALS_V2]):
        yield Fault("/@context", f"the first context is not {CREDENTIALS_V2}")
    for at, value in (("/id", document.get("id")), ("/issuer", reading.claims.issuer)):
        if not isinstance(value, str) or not IRI.fullmatch(value):
            yield Fault(at, "an absolute URL or URI belongs here")
    if "VerifiableCredential" not in _types(document):
        yield Fault("/type", "VerifiableCredential is not among the types")
    moments: dict[str, datetime] = {}
    for name in ("validFrom", "validUntil", "awardedDate"):
        if name in document:
            try:
                moments[name] = parse_instant(document[name])
            except ValueError as fault:
                reading.malformed_date = True
                yield Fault(f"/{name}", str(fault))
    reading.valid_from, reading.valid_until = moments.get("validFrom"), moments.get("validUntil")
    if "validFrom" not in document:
        yield Fault("/validFrom", "validFrom is missing")
    if reading.valid_from and reading.valid_until and reading.valid_until < reading.valid_from:
        yield Fault("/validUntil", "validUntil is before validFrom")
    yield from _objects(document, "proof", MAX_PROOFS, reading.proofs)
    yield from _objects(document, "credentialStatus", MAX_STATUSES, reading.statuses)
    for at, proof in reading.proofs:
        for name in ("created", "expires"):
            if name in proof:
                try:
                    parse_instant(proof[name])
                except ValueError as fault:
                    reading.malformed_date = True
                    yield Fault(f"{at}/{name}", str(fault))
    reading.refresh = "refreshService" in document


# What an object may hold beside an id that stands elsewhere too: nothing that is read there.
_IN_ENDORSEMENT: Final = frozenset({"id", "type", "endorsementComment"})
_NOT_OF_A_PROFILE: Final = frozenset(
    {"achievement", "credentialStatus", "credentialSubject", "identifier", "proof", "result", "validFrom", "validUntil"}
)


def _one_reading(document: Mapping[str, Any], issuer: str | None) -> Iterator[Fault]:
    """Two objects with one id are one node to the signature, so nobody could tell what stands in which.

    Members could be moved from one to the other unnoticed: a status out of the credential, say. The
    issuer's profile may be told at several places, since nothing is read of it but its id and the name that
    it claims; an endorsement may name what it endorses.
    """
    seen: dict[str, tuple[str, Any]] = {}
    waiting: list[tuple[str, Any, bool]] = [("", document, False)]
    while waiting:
        at, value, endorsing = waiting.pop()
        if isinstance(value, Mapping):
            id_ = value.get("id")
            if (
                isinstance(id_, str)
                and len(value) > 1
                and not (
                    (endorsing and value.keys() <= _IN_ENDORSEMENT)
                    or (id_ == issuer and at and not value.keys() & _NOT_OF_A_PROFILE)
                )
            ):
                first = seen.setdefault(id_, (at, value))
                if first[1] != value:
                    places = sorted([first[0] or "the credential", at or "the credential"])
                    yield Fault(f"{at}/id", f"{places[0]} and {places[1]} have one id and different members")
            waiting.extend(
                (f"{at}/{escape(name)}", member, endorsing or name == "endorsement")
                for name, member in value.items()
                if name != "proof" and isinstance(member, (dict, list))
            )
        elif isinstance(value, list):
            waiting.extend(
                (f"{at}/{index}", member, endorsing)
                for index, member in enumerate(value)
                if isinstance(member, (dict, list))
            )


def _badge(
    document: Mapping[str, Any],
    subject: Mapping[str, Any] | None,
    achievement: Mapping[str, Any] | None,
    reading: Reading,
) -> Iterator[Fault]:
    types = _types(document)
    at = "/credentialSubject"
    if subject is None:
        yield Fault(at, "one object belongs here")
        return
    for place, value in (
        ("", document),
        ("/issuer", _single(document.get("issuer"))),
        (f"{at}/achievement", achievement),
    ):
        if isinstance(value, Mapping):
            for index, endorsement in enumerate(_list(value.get("endorsement"))):
                reading.endorsements.append((f"{place}/endorsement/{index}", endorsement))
            if value.get("endorsementJwt") is not None:
                reading.endorsement_tokens.append(f"{place}/endorsementJwt")
    if len(reading.endorsements) > MAX_ENDORSEMENTS:
        yield Fault("/endorsement", f"more than {MAX_ENDORSEMENTS} endorsements")
        reading.endorsements = []
    for index, schema in enumerate(_list(document.get("credentialSchema"))):
        name = _text(schema.get("id")) if isinstance(schema, Mapping) else None
        if name is None or not name.startswith(OWN_MODEL):
            reading.unknown_schema = f"/credentialSchema/{index}: the schema {str(name)[:200]} is not known here"
    if "EndorsementCredential" in types:
        if not isinstance(subject.get("id"), str):
            yield Fault(f"{at}/id", "an endorsement names what it endorses")
        return
    if not BADGE_TYPES & types:
        reading.unknown_schema = "this credential is no Open Badge; what it must hold is not known here"
        return
    if "AchievementSubject" not in _types(subject):
        yield Fault(f"{at}/type", "AchievementSubject is not among the types")
    if "id" not in subject and not subject.get("identifier"):
        yield Fault(at, "the subject has neither an id nor an identifier")
    for index, identity in enumerate(_list(subject.get("identifier"))):
        yield from _identity(f"{at}/identifier/{index}", identity, reading)
    if achievement is None:
        yield Fault(f"{at}/achievement", "one object belongs here")
        return
    yield from _achievement(f"{at}/achievement", achievement)
    if not isinstance(document.get("name", ""), str):
        yield Fault("/name", "text belongs here")
    for index, result in enumerate(_list(subject.get("result"))):
        if not isinstance(result, Mapping) or "Result" not in _types(result):
            yield Fault(f"{at}/result/{index}", "an object of type Result belongs here")


def _achievement(at: str, achievement: Mapping[str, Any]) -> Iterator[Fault]:
    if "Achievement" not in _types(achievement):
        yield Fault(f"{at}/type", "Achievement is not among the types")
    if not isinstance(achievement.get("id"), str):
        yield Fault(f"{at}/id", "an absolute URL or URI belongs here")
    for name in ("name", "description"):
        if not isinstance(achievement.get(name), str):
            yield Fault(f"{at}/{name}", "text belongs here")
    criteria = _single(achievement.get("criteria"))
    if criteria is None or not (isinstance(criteria.get("id"), str) or isinstance(criteria.get("narrative"), str)):
        yield Fault(f"{at}/criteria", "criteria with an id or a narrative belong here")


def _identity(at: str, identity: Any, reading: Reading) -> Iterator[Fault]:
    if not isinstance(identity, Mapping) or "IdentityObject" not in _types(identity):
        yield Fault(at, "an object of type IdentityObject belongs here")
    elif not isinstance(identity.get("hashed"), bool):
        yield Fault(f"{at}/hashed", "true or false belongs here")
    elif not isinstance(identity.get("identityHash"), str) or not isinstance(identity.get("identityType"), str):
        yield Fault(at, "identityHash and identityType are text")
    elif not isinstance(identity.get("salt", ""), str):
        yield Fault(f"{at}/salt", "text belongs here")
    else:
        reading.identities.append(identity)


def _objects(
    document: Mapping[str, Any], name: str, most: int, found: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[Fault]:
    if name not in document:
        return
    value = document[name]
    members = (
        [(f"/{name}/{index}", member) for index, member in enumerate(value)]
        if isinstance(value, list)
        else [(f"/{name}", value)]
    )
    if not members or len(members) > most:
        yield Fault(f"/{name}", f"from 1 to {most} objects belong here")
        return
    for at, member in members:
        if isinstance(member, Mapping):
            found.append((at, member))
        else:
            yield Fault(at, "an object belongs here")


def _types(value: Mapping[str, Any]) -> set[str]:
    return {type_ for type_ in _list(value.get("type")) if isinstance(type_, str)}


def _single(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, Mapping) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None
