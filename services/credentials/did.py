"""Who a key belongs to: did:key, did:web and controlled identifier documents. Pure; fetching is elsewhere.

Sources: W3C Controlled Identifiers 1.0 sections 2.1 to 2.3 and 3.3 (retrieving a verification method), DID Core 1.0,
did:web method (2023), did:key method 0.7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.times import format_timestamp, parse_instant

from .multikey import KeyFault, did_key, jwk, multikey, parse_jwk, parse_multikey, thumbprint

MAX_METHODS: Final = 200
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DID_WEB = re.compile(rf"did:web:({_LABEL}(?:\.{_LABEL})*)(?:%3[Aa]([0-9]{{1,5}}))?((?::[A-Za-z0-9._~-]+)*)")
_DID_KEY = re.compile(r"did:key:(z[1-9A-HJ-NP-Za-km-z]{10,200})")
_MULTIKEYS = frozenset({"Multikey", "Ed25519VerificationKey2020"})
_JWKS = frozenset({"JsonWebKey", "JsonWebKey2020"})


class DidFault(ValueError):
    """An identifier or a document that does not give a key, with the reason."""


@dataclass(frozen=True, slots=True)
class Method:
    """One verification method: whose it is, what for, and until when."""

    id: str
    controller: str
    public_key: bytes
    for_assertions: bool
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key of our own for our document. Retired keys stay as they are; a stolen one has `revoked`."""

    kid: str
    public_key: bytes
    revoked: datetime | None = None


def controller_of(method_id: str) -> str:
    """The identifier before the fragment of a verification method's URL."""
    return method_id.partition("#")[0]


def is_did_key(identifier: str) -> bool:
    return identifier.startswith("did:key:")


def document_url(identifier: str) -> str:
    """Where the document of a did:web or an https identifier lies. Raises DidFault."""
    if identifier.startswith("https://"):
        return identifier
    if not identifier.startswith("did:web:"):
        raise DidFault(f"{identifier[:80]!r} is neither did:key, did:web nor an https URL")
    match = _DID_WEB.fullmatch(identifier)
    if match is None:
        raise DidFault(f"{identifier[:80]!r} is no did:web identifier")
    host, port, path = match.groups()
    if re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", host.rsplit(".", 1)[-1]):
        raise DidFault("did:web names a host, never an IP address")
    steps = path.split(":")[1:]
    if any(step in (".", "..") for step in steps):
        raise DidFault("did:web holds a step that leads elsewhere")
    if port is not None and not 0 < int(port) < 65536:
        raise DidFault("did:web names a port that does not exist")
    base = f"https://{host.lower()}" + (f":{int(port)}" if port else "")
    return f"{base}/{'/'.join(steps)}/did.json" if steps else f"{base}/.well-known/did.json"


def did_key_document(identifier: str) -> dict[str, Any]:
    """The document that a did:key stands for. Raises DidFault."""
    match = _DID_KEY.fullmatch(identifier)
    if match is None:
        raise DidFault(f"{identifier[:80]!r} is no did:key")
    try:
        public_key = parse_multikey(match[1])
    except KeyFault as fault:
        raise DidFault(str(fault)) from None
    if did_key(public_key) != identifier:
        raise DidFault("this did:key is not in its one form")
    method = f"{identifier}#{match[1]}"
    return {
        "id": identifier,
        "assertionMethod": [method],
        "verificationMethod": [
            {"id": method, "type": "Multikey", "controller": identifier, "publicKeyMultibase": match[1]}
        ],
    }


def did_document(identifier: str, keys: Sequence[PublishedKey]) -> dict[str, Any]:
    """Our own document: each key as Multikey (`#kid`) and as JsonWebKey (`#kid-jwk`), named by absolute URLs.

    Retired keys are listed like the others, in `assertionMethod` and without `expires`, so that what they
    signed still verifies (Controlled Identifiers section 2.2).
    """
    methods: list[dict[str, Any]] = []
    for key in keys:
        common: dict[str, Any] = {"controller": identifier}
        if key.revoked is not None:
            common["revoked"] = format_timestamp(key.revoked)
        methods.append(
            {
                "id": f"{identifier}#{key.kid}",
                "type": "Multikey",
                **common,
                "publicKeyMultibase": multikey(key.public_key),
            }
        )
        methods.append(
            {
                "id": f"{identifier}#{key.kid}-jwk",
                "type": "JsonWebKey",
                **common,
                "publicKeyJwk": {**jwk(key.public_key), "kid": thumbprint(key.public_key)},
            }
        )
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
            "https://w3id.org/security/jwk/v1",
        ],
        "id": identifier,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def find_method(document: Any, identifier: str, method_id: str) -> Method:
    """The verification method of that id in the document of `identifier`. Raises DidFault.

    The key is found by its full id in the document, never in the id itself (Controlled Identifiers
    section 3.3). A document with another `id` than asked for, or two methods of one id, gives nothing.
    """
    if not isinstance(document, Mapping):
        raise DidFault("the issuer's document is no JSON object")
    if document.get("id") != identifier:
        raise DidFault("the document found for the issuer is another's: its id differs")
    listed = _list(document, "verificationMethod")
    asserting = _list(document, "assertionMethod")
    referred = any(_absolute(identifier, name) == method_id for name in asserting)
    others = [
        entry
        for name in ("authentication", "keyAgreement", "capabilityInvocation", "capabilityDelegation")
        for entry in _list(document, name)
    ]
    found = [
        (entry, embedded or referred)
        for entries, embedded in ((listed, False), (others, False), (asserting, True))
        for entry in entries
        if isinstance(entry, Mapping) and _absolute(identifier, entry.get("id")) == method_id
    ]
    if not found:
        raise DidFault(f"the issuer's document has no key {method_id[:200]!r}")
    if len(found) > 1:
        raise DidFault(f"the issuer's document has the key {method_id[:200]!r} twice")
    entry, for_assertions = found[0]
    controller = entry.get("controller")
    if not isinstance(controller, str):
        raise DidFault("the key names no controller")
    return Method(
        method_id, controller, _public_key(entry), for_assertions, _moment(entry, "expires"), _moment(entry, "revoked")
    )


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list) or len(found) > MAX_METHODS:
        raise DidFault(f"{name} in the issuer's document is no list of at most {MAX_METHODS}")
    return found


def _absolute(identifier: str, name: Any) -> str | None:
    if not isinstance(name, str):
        return None
    return identifier + name if name.startswith("#") else name


def _public_key(entry: Mapping[str, Any]) -> bytes:
    try:
        if entry.get("type") in _MULTIKEYS and "publicKeyMultibase" in entry:
            return parse_multikey(entry["publicKeyMultibase"])
        if entry.get("type") in _JWKS and "publicKeyJwk" in entry:
            return parse_jwk(entry["publicKeyJwk"])
    except KeyFault as fault:
        raise DidFault(str(fault)) from None
    raise DidFault("the key is of a kind that is not read here")


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    if name not in entry:
        return None
    try:
        return parse_instant(entry[name])
    except ValueError as fault:
        raise DidFault(f"{name} of the key: {fault}") from None
