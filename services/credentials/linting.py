"""What a badge must be before it is signed: one rule for each demand, with its source.

`lint()` is the only maker of a `LintedCredential`, and the signer takes nothing else; it serves once.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from contracts.refusals import Fault
from contracts.strict_json import escape
from contracts.times import parse_timestamp

from .canonical import canonical
from .contexts import CREDENTIALS_V2, EXTENSIONS, OPEN_BADGES, Contexts, pinned
from .statements import IRI, Unsaid

Rule = Callable[[Mapping[str, Any]], Iterator[Fault]]

# Sets of the OB 3.0 data model: arrays even with one member (OB section 8.1 "Serialization").
SETS: Final = frozenset(
    {
        "alignment",
        "allowedValue",
        "endorsement",
        "evidence",
        "identifier",
        "otherIdentifier",
        "related",
        "result",
        "resultDescription",
        "rubricCriterionLevel",
        "tag",
        "credentialSchema",
    }
)
# Two of these names mean one value elsewhere: by the type of the object that they stand in.
ONE_IN: Final = {"identifier": frozenset({"IdentifierEntry"}), "resultDescription": frozenset({"Result"})}
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_IDENTITY_HASH = re.compile(r"sha256\$[0-9a-fA-F]{64}")


class LintFaults(ValueError):
    """A document that is not signed; `faults` has every reason with its place."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = faults


class Redeemed(RuntimeError):
    """A linted credential was to be signed twice: a fault of our program, never of a user."""


_MINT = object()


class LintedCredential:
    """A document that passed every rule, to be signed once. Made by `lint()` only."""

    def __init__(self, document: dict[str, Any], contexts: Contexts, digest: bytes, mint: object) -> None:
        if mint is not _MINT:
            raise Redeemed("only lint() makes a LintedCredential")
        self._document: dict[str, Any] | None = document
        self._contexts = contexts
        self._digest = digest

    def redeem(self) -> tuple[dict[str, Any], Contexts, bytes]:
        """The document, its contexts and the SHA-256 of its canonical form, once. Raises Redeemed then on."""
        document, self._document = self._document, None
        if document is None:
            raise Redeemed("this linted credential has been signed already")
        return document, self._contexts, self._digest


def lint(
    document: Mapping[str, Any], contexts: Contexts | None = None, *, rules: tuple[Rule, ...] | None = None
) -> LintedCredential:
    """Checks an unsigned badge (or, with `LIST_RULES`, a status list) by every rule.

    Raises LintFaults with all that is wrong. The document is copied: later changes are not signed.
    """
    known = contexts or pinned()
    faults = [fault for rule in (RULES if rules is None else rules) for fault in rule(document)]
    digest = b""
    try:  # undefined terms, relative ids and types (Data Integrity section 2.4)
        digest = sha256(canonical(document, known).encode()).digest()
    except Unsaid as unsaid:
        faults.append(Fault(unsaid.pointer, unsaid.detail))
    if faults:
        raise LintFaults(tuple(dict.fromkeys(faults)))
    return LintedCredential(copy.deepcopy(dict(document)), known, digest, _MINT)


# What every document that we sign must be


def contexts_in_order(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Credentials v2 first, then Open Badges 3.0.3, then only those of known copies (VCDM 2.0 section 4.3)."""
    named = document.get("@context")
    if not isinstance(named, list) or named[:1] != [CREDENTIALS_V2]:
        yield Fault("/@context", f"the first context is {CREDENTIALS_V2}")
    elif "OpenBadgeCredential" in _types(document) and named[1:2] != [OPEN_BADGES]:
        yield Fault("/@context", f"the second context is {OPEN_BADGES}")
    elif len(named) > 2 and named[2:] != [EXTENSIONS]:
        yield Fault("/@context", f"the only third context is {EXTENSIONS}")


def extensions_have_their_context(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Types of the extensions context are undefined without it (1EdTech validator, OB30Tests)."""
    named = document.get("@context")
    if isinstance(named, list) and EXTENSIONS in named:
        return
    for at, value in _walk(document):
        for type_ in _types(value) if isinstance(value, dict) else ():
            if type_ in ("1EdTechJsonSchemaValidator2019", "1EdTechRevocationList", "1EdTechCredentialRefresh"):
                yield Fault(f"{at}/type", f"the type {type_} is undefined without {EXTENSIONS}")


def same_under_both_copies(document: Mapping[str, Any]) -> Iterator[Fault]:
    """`endorsementJwt` and `jti` stand in one published copy of context 3.0.3 and not in the other."""
    for at, value in _walk(document):
        for name in ("endorsementJwt", "jti"):
            if isinstance(value, dict) and name in value:
                yield Fault(f"{at}/{name}", f"{name} is undefined in one published copy of the context")


def unsigned(document: Mapping[str, Any]) -> Iterator[Fault]:
    """A proof is made here and nowhere else."""
    if "proof" in document:
        yield Fault("/proof", "the document has a proof already")


def nothing_empty(document: Mapping[str, Any]) -> Iterator[Fault]:
    """No nulls, no empty arrays, no empty text (OB section 8.1): none of them is covered by a signature."""
    for at, value in _walk(document):
        if value is None or value == [] or value == {} or value == "":
            yield Fault(at, "a member without content is left out")


def sets_are_arrays(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Sets are arrays even with one member (OB section 8.1)."""
    for at, value in _walk(document):
        for name in SETS & value.keys() if isinstance(value, dict) else ():
            if not isinstance(value[name], list) and not ONE_IN.get(name, frozenset()) & {*_types(value)}:
                yield Fault(f"{at}/{name}", "a set is an array, even with one member")


def types_of_credential(document: Mapping[str, Any]) -> Iterator[Fault]:
    """`VerifiableCredential` first, then `OpenBadgeCredential` (OB data model; VCDM 2.0 section 4.5)."""
    if document.get("type") != ["VerifiableCredential", "OpenBadgeCredential"]:
        yield Fault("/type", 'the types are ["VerifiableCredential", "OpenBadgeCredential"]')


def types_of_parts(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Profile, AchievementSubject, Achievement, IdentityObject as text (OB data model, Serialization)."""
    subject = _member(document, "credentialSubject")
    for at, value, type_ in (
        ("/issuer", document.get("issuer"), "Profile"),
        ("/credentialSubject", subject, "AchievementSubject"),
        ("/credentialSubject/achievement", subject.get("achievement"), "Achievement"),
    ):
        if not isinstance(value, dict) or value.get("type") != [type_]:
            yield Fault(at, f'an object of type ["{type_}"] belongs here')
    for index, identity in enumerate(_list(subject.get("identifier"))):
        if not isinstance(identity, dict) or identity.get("type") != "IdentityObject":
            yield Fault(f"/credentialSubject/identifier/{index}/type", 'the type is the text "IdentityObject"')


def ids_absolute(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Credential, issuer and achievement have absolute ids (OB data model: id 1)."""
    subject = _member(document, "credentialSubject")
    for at, value in (
        ("/id", document.get("id")),
        ("/issuer/id", _member(document, "issuer").get("id")),
        ("/credentialSubject/achievement/id", _member(subject, "achievement").get("id")),
    ):
        if not isinstance(value, str) or not IRI.fullmatch(value):
            yield Fault(at, "an absolute URL or URI belongs here")


def named(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Credential, issuer and achievement have names, the achievement a description (OB data model)."""
    subject = _member(document, "credentialSubject")
    achievement = _member(subject, "achievement")
    for at, value in (
        ("/name", document.get("name")),
        ("/issuer/name", _member(document, "issuer").get("name")),
        ("/credentialSubject/achievement/name", achievement.get("name")),
        ("/credentialSubject/achievement/description", achievement.get("description")),
    ):
        if not isinstance(value, str) or not value.strip():
            yield Fault(at, "text belongs here")


def holder_named(document: Mapping[str, Any]) -> Iterator[Fault]:
    """The subject has an id or an identifier (OB section "Verification", Subject)."""
    subject = _member(document, "credentialSubject")
    if "id" not in subject and not subject.get("identifier"):
        yield Fault("/credentialSubject", "the subject needs an id or an identifier")
    for index, identity in enumerate(_list(subject.get("identifier"))):
        if (
            isinstance(identity, dict)
            and identity.get("hashed") is True
            and not (
                isinstance(identity.get("identityHash"), str) and _IDENTITY_HASH.fullmatch(identity["identityHash"])
            )
        ):
            yield Fault(
                f"/credentialSubject/identifier/{index}/identityHash",
                "a hashed identity is sha256$ and 64 hexadecimal digits",
            )


def times_with_zone(document: Mapping[str, Any]) -> Iterator[Fault]:
    """`validFrom` stands there; every time is RFC 3339 in UTC with Z (VCDM 2.0 section 4.9, XSD dateTime)."""
    if "validFrom" not in document:
        yield Fault("/validFrom", "validFrom belongs here")
    moments = {}
    for name in ("validFrom", "validUntil", "awardedDate"):
        if name in document:
            try:
                moments[name] = parse_timestamp(document[name])
            except ValueError as fault:
                yield Fault(f"/{name}", str(fault))
    if "validFrom" in moments and "validUntil" in moments and moments["validUntil"] < moments["validFrom"]:
        yield Fault("/validUntil", "validUntil is before validFrom")


def one_status(document: Mapping[str, Any]) -> Iterator[Fault]:
    """`credentialStatus` is one object (OB data model: 0..1); its index is text (BSL section 2.1)."""
    if "credentialStatus" not in document:
        return
    status = document["credentialStatus"]
    if not isinstance(status, dict):
        yield Fault("/credentialStatus", "one object belongs here: an array breaks the Open Badges schema")
        return
    yield from _status_faults("/credentialStatus", status)


def status_entries(document: Mapping[str, Any]) -> Iterator[Fault]:
    """As `one_status`, and also an array of entries, where a deployment issues suspension entries too."""
    for index, status in enumerate(_list(document.get("credentialStatus"))):
        if not isinstance(status, dict):
            yield Fault(f"/credentialStatus/{index}", "an object belongs here")
        else:
            yield from _status_faults(f"/credentialStatus/{index}", status)


def _status_faults(at: str, status: Mapping[str, Any]) -> Iterator[Fault]:
    if status.get("type") != "BitstringStatusListEntry":
        yield Fault(f"{at}/type", 'the type is "BitstringStatusListEntry"')
    if status.get("statusPurpose") not in ("revocation", "suspension"):
        yield Fault(f"{at}/statusPurpose", "the purpose is revocation or suspension")
    index = status.get("statusListIndex")
    if not isinstance(index, str) or not _INDEX.fullmatch(index):
        yield Fault(f"{at}/statusListIndex", "the index is text of decimal digits")
    listed = status.get("statusListCredential")
    if not isinstance(listed, str) or not IRI.fullmatch(listed):
        yield Fault(f"{at}/statusListCredential", "the list's absolute URL belongs here")
    elif status.get("id") == listed:
        yield Fault(f"{at}/id", "the entry's id is not the list's URL (BSL section 2.1)")


def criteria(document: Mapping[str, Any]) -> Iterator[Fault]:
    """`criteria` has an id or a narrative (OB data model, Criteria)."""
    found = _member(_member(_member(document, "credentialSubject"), "achievement"), "criteria")
    if not isinstance(found.get("id"), str) and not isinstance(found.get("narrative"), str):
        yield Fault("/credentialSubject/achievement/criteria", "criteria need an id or a narrative")


def results_point_into_the_achievement(document: Mapping[str, Any]) -> Iterator[Fault]:
    """`resultDescription` and `achievedLevel` are absolute and name what the achievement has (OB Result)."""
    subject = _member(document, "credentialSubject")
    descriptions = {
        d["id"]: {level.get("id") for level in _list(d.get("rubricCriterionLevel")) if isinstance(level, dict)}
        for d in _list(_member(subject, "achievement").get("resultDescription"))
        if isinstance(d, dict) and isinstance(d.get("id"), str)
    }
    for index, result in enumerate(_list(subject.get("result"))):
        at = f"/credentialSubject/result/{index}"
        named_description = result.get("resultDescription") if isinstance(result, dict) else None
        if not isinstance(named_description, str) or named_description not in descriptions:
            yield Fault(f"{at}/resultDescription", "the achievement has no such result description")
        elif "achievedLevel" in result and result["achievedLevel"] not in descriptions[named_description]:
            yield Fault(f"{at}/achievedLevel", "the result description has no such level")
    for id_ in descriptions:
        if not IRI.fullmatch(id_):
            yield Fault("/credentialSubject/achievement/resultDescription", f"the id {id_!r} is not absolute")


def one_object_for_an_id(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Two objects with one id are one node in RDF: what stands in which of them is not signed."""
    seen: dict[str, tuple[str, Any]] = {}
    for at, value in _walk(document):
        if isinstance(value, dict) and isinstance(value.get("id"), str) and len(value) > 1:
            first = seen.setdefault(value["id"], (at, value))
            if first[0] != at and first[1] != value:
                yield Fault(f"{at}/id", f"another object at {first[0] or '/'} has this id and other members")


def types_of_list(document: Mapping[str, Any]) -> Iterator[Fault]:
    """A status list's types (BSL section 2.2)."""
    if document.get("type") != ["VerifiableCredential", "BitstringStatusListCredential"]:
        yield Fault("/type", 'the types are ["VerifiableCredential", "BitstringStatusListCredential"]')
    if _member(document, "credentialSubject").get("type") != "BitstringStatusList":
        yield Fault("/credentialSubject/type", 'the type is "BitstringStatusList"')


RULES: Final[tuple[Rule, ...]] = (
    contexts_in_order,
    extensions_have_their_context,
    same_under_both_copies,
    unsigned,
    nothing_empty,
    sets_are_arrays,
    types_of_credential,
    types_of_parts,
    ids_absolute,
    named,
    holder_named,
    times_with_zone,
    one_status,
    criteria,
    results_point_into_the_achievement,
    one_object_for_an_id,
)
"""The rules for a badge."""
SUSPENDABLE_RULES: Final[tuple[Rule, ...]] = tuple(status_entries if rule is one_status else rule for rule in RULES)
"""The rules for a badge of a deployment that issues a suspension entry beside the revocation entry."""
LIST_RULES: Final[tuple[Rule, ...]] = (
    contexts_in_order,
    unsigned,
    nothing_empty,
    types_of_list,
    times_with_zone,
    one_object_for_an_id,
)
"""The rules for a status list credential."""


def _types(value: Mapping[str, Any]) -> list[str]:
    found = value.get("type")
    return [t for t in (found if isinstance(found, list) else [found]) if isinstance(t, str)]


def _member(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _walk(document: Any) -> list[tuple[str, Any]]:
    """Every value with its pointer, each before what is in it. A loop: nested generators cost a fifth of signing."""
    found = [("", document)]
    for at, value in found:  # grows while it is gone through
        if isinstance(value, dict):
            found += [(f"{at}/{escape(name)}", member) for name, member in value.items()]
        elif isinstance(value, list):
            found += [(f"{at}/{index}", member) for index, member in enumerate(value)]
    return found
