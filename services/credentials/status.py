"""Is a credential revoked or suspended? Its lists are asked; what cannot be had is no answer.

A protocol without I/O, as in `proofs`. Source: W3C Bitstring Status List 1.0 section 3.2; a list counts only
if its own proof is true, it is in force now, and its issuer is the credential's or one trusted for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from contracts.strict_json import JsonFault, parse

from .key_use import key_in_use
from .proofs import MAX_DOCUMENT, SKEW, Circumstances, Found, Need, Unavailable, prove
from .status_list import Bits, Entry, StatusFault, parse_entry, read_list
from .structure import read_credential
from .verdicts import Check


def check_status(
    statuses: Sequence[tuple[str, Mapping[str, Any]]], issuer: str | None, given: Circumstances
) -> Generator[Need, Found, Check]:
    """The check `status`: revoked before suspended before unknown, by all entries."""
    if not statuses:
        return Check("status", "passed", "the credential names no status list")
    revoked: list[str] = []
    suspended: list[str] = []
    unknown: list[str] = []
    clear: list[str] = []
    for at, value in statuses:
        try:
            entry = parse_entry(value)
            bits = yield from _bits(entry, issuer, given)
            on = bits.value(entry) != 0
        except StatusFault as fault:
            unknown.append(f"{at}: {fault}")
            continue
        if entry.purpose not in ("revocation", "suspension"):
            if on:
                unknown.append(f"{at}: the list says something of purpose {entry.purpose[:80]!r}")
            else:
                clear.append(f"nothing of purpose {entry.purpose[:80]}")
        elif on:
            (revoked if entry.purpose == "revocation" else suspended).append(f"{at}: by {entry.url[:200]}")
        else:
            clear.append(f"no {entry.purpose}")
    if revoked:
        return Check("status", "failed", "revoked: " + "; ".join(revoked), "revoked")
    if suspended:
        return Check("status", "failed", "suspended: " + "; ".join(suspended), "suspended")
    if unknown:
        return Check("status", "not_checked", "; ".join(unknown))
    return Check("status", "passed", "as of now: " + ", ".join(clear))


def _bits(entry: Entry, issuer: str | None, given: Circumstances) -> Generator[Need, Found, Bits]:
    own = given.own.status_list(entry.url) if given.own is not None else None
    if own is not None and given.is_own(issuer):
        return own
    known = given.lists.get((entry.url, issuer))
    if known is None:
        try:
            known = yield from _fetched(entry, issuer, given)
        except StatusFault as fault:
            known = fault
        given.lists[(entry.url, issuer)] = known
    if isinstance(known, StatusFault):
        raise known
    return known


def _fetched(entry: Entry, issuer: str | None, given: Circumstances) -> Generator[Need, Found, Bits]:
    named = given.trust.find(issuer or "")
    vouched = named is not None and entry.url in named.status_lists
    found = yield Need(entry.url, given.trusts(issuer))
    if isinstance(found, Unavailable):
        raise StatusFault("STATUS_RETRIEVAL_ERROR", found.reason)
    try:
        document = parse(found, max_bytes=MAX_DOCUMENT, max_depth=32)
    except JsonFault as fault:
        raise StatusFault(
            "STATUS_RETRIEVAL_ERROR", f"what {entry.url[:200]} gives is no status list: {fault.detail}"
        ) from None
    if not isinstance(document, Mapping):
        raise StatusFault("STATUS_RETRIEVAL_ERROR", f"what {entry.url[:200]} gives is no status list")
    # As of now, whatever moment was asked for: a list of yesterday must not clear today's credential.
    yield from _sound(document, entry, issuer, vouched, dataclasses.replace(given, at=given.now))
    return read_list(document)


def _sound(
    document: Mapping[str, Any], entry: Entry, issuer: str | None, vouched: bool, given: Circumstances
) -> Generator[Need, Found, None]:
    """Raises StatusFault unless the list is true, in force, and by one who may speak."""

    def refuse(detail: str) -> StatusFault:
        return StatusFault("STATUS_VERIFICATION_ERROR", f"the list {entry.url[:200]} {detail}")

    reading = read_credential(document)
    speaker = reading.claims.issuer
    if "id" in document and document["id"] != entry.url:
        raise refuse("has another id than its address")
    if speaker != issuer and not given.trusts(speaker) and not vouched:
        raise refuse("is by an issuer that is neither the credential's nor trusted here")
    faults = [fault for fault in reading.structure if fault.pointer != "/id" or "id" in document]
    if reading.unread or (faults and not _only_without_start(faults, document)):
        raise refuse(f"is not as it should be: {reading.unread or f'{faults[0].pointer}: {faults[0].detail}'}")
    if reading.valid_from is not None and reading.valid_from > given.now + SKEW:
        raise refuse("is not valid yet")
    if reading.valid_until is not None and reading.valid_until < given.now:
        raise refuse("has expired")
    proven = yield from prove(document, reading.proofs, speaker, given)
    if proven.result != "passed":
        raise refuse(f"has no proof that holds: {proven.detail}")
    use = key_in_use(proven, speaker, given)
    if use.result != "passed":
        raise refuse(f"is not proved to be by its issuer: {use.detail}")


def _only_without_start(faults: Sequence[Any], document: Mapping[str, Any]) -> bool:
    """Open Badges asks for `validFrom`; a list need not have it (VC Data Model 2.0 section 4.9)."""
    return "validFrom" not in document and all(fault.pointer == "/validFrom" for fault in faults)
