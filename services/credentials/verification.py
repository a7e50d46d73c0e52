"""Verifying: a state machine without I/O on one credential, and a driver for many sources.

The order is that of Open Badges 3.0, "Verification": parse, structure and schema, proof, refresh, status and
dates, recipient, endorsements. Every check is made as far as it can be; the verdict follows from them.
`examine` yields what it needs from elsewhere and is sent what was found; `verify_sources` finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from contracts.refusals import Fault
from contracts.times import format_timestamp
from foundation.fetching import Fetch, FetchFault

from .canonical import Work
from .contexts import Contexts, pinned
from .holder import is_holder
from .key_use import key_in_use
from .proofs import OUT_OF_TIME, SKEW, Circumstances, Found, Need, Proven, Unavailable, prove
from .reading import Item, read
from .statements import NotRead
from .status import check_status
from .structure import Reading, read_credential
from .trust_file import NOBODY, Trust
from .verdicts import (
    CHECKS,
    NOT_TRUSTED,
    Check,
    CheckName,
    Claims,
    LogFinding,
    OwnIssuer,
    Result,
    Source,
    Verdict,
)

Policy = Literal["trusted", "any"]
MAX_TOLD: Final = 5  # faults told in one detail
WORK: Final = 200_000  # steps for nodes that look alike, over all credentials of one call: about 0.5 s


def verify_sources(
    sources: Sequence[Source],
    *,
    now: datetime,
    at: datetime | None = None,
    trust: Trust = NOBODY,
    recipient: str | None = None,
    fetch: Fetch | None = None,
    policy: Policy = "any",
    own: OwnIssuer | None = None,
    contexts: Contexts | None = None,
    out_of_time: Callable[[], bool] = lambda: False,
) -> list[Verdict]:
    """One verdict for each credential, and for each source without one, in order. Raises nothing of theirs.

    `now` is the present moment, `at` the one asked for (now if None). Without `fetch` nothing is fetched
    (`--offline`); with `policy` "trusted" only what trusted issuers name. A `foundation.fetching.Budget`
    as `fetch` bounds one request. From where `out_of_time` says yes nothing more is looked at, and what is left
    is unchecked.
    """
    given = Circumstances(
        at=at or now,
        now=now,
        trust=trust,
        own=own,
        contexts=contexts or pinned(),
        work=Work(WORK),
        recipient=recipient,
        out_of_time=out_of_time,
    )
    verdicts = []
    for source in sources:
        items = [Item(source.name)] if out_of_time() else read(source)
        for item in items:
            if out_of_time():
                verdicts.append(_too_late(item, given))
            else:
                verdicts.append(_drive(examine(item, given), fetch, policy))
    return verdicts


def fetched_source(url: str, fetch: Fetch | None) -> Source:
    """A source that a person named by its address: fetched, or with the reason why it was not."""
    if fetch is None:
        return Source(url, fault=f"{url[:200]} was not fetched: nothing is fetched in this run")
    try:
        return Source(url, fetch(url).body)
    except FetchFault as fault:
        return Source(url, fault=str(fault))


def _drive(asking: Generator[Need, Found, Verdict], fetch: Fetch | None, policy: Policy) -> Verdict:
    answer: Found | None = None
    while True:
        try:
            need = next(asking) if answer is None else asking.send(answer)
        except StopIteration as done:
            verdict: Verdict = done.value
            return verdict
        answer = _find(need, fetch, policy)


def _find(need: Need, fetch: Fetch | None, policy: Policy) -> Found:
    if fetch is None:
        return Unavailable(f"{need.url[:200]} was not fetched: nothing is fetched in this run")
    if policy == "trusted" and not need.trusted:
        return Unavailable(f"{need.url[:200]} was not fetched: who names it is not trusted here")
    try:
        return fetch(need.url).body
    except FetchFault as fault:
        return Unavailable(str(fault))


def examine(item: Item, given: Circumstances, *, endorsing: bool = False) -> Generator[Need, Found, Verdict]:
    """All ten checks of one item."""
    if item.document is None:
        return _without_document(item, given)
    document = item.document
    reading = read_credential(document)
    issuer = reading.claims.issuer
    if reading.unread is not None:
        return _unread(item.source, reading, given)
    proven = yield from prove(document, reading.proofs, issuer, given)
    if reading.malformed_date:
        proven.result, proven.detail = "failed", "no canonical form: see structure"
    log = _log(document, proven, given, issuer)
    use = key_in_use(proven, issuer, given, log)
    status = Check("status", "not_checked", "not looked at: that the issuer signed this is not proved")
    if not reading.statuses or proven.result == use.result == "passed":  # else a stranger could make us call
        status = yield from check_status(reading.statuses, issuer, given)
    endorsements = yield from _endorsements(reading, given, endorsing)
    checks = {
        "structure": _structure(reading, proven),
        "context": _context(proven),
        "schema": _schema(reading),
        "proof": Check("proof", proven.result, proven.detail),
        "issuer": _issuer(use, issuer, given),
        "dates": _dates(reading, given),
        "status": status,
        "refresh": _refresh(reading),
        "endorsements": endorsements,
        "log": Check("log", log.result, log.detail),
    }
    trusted = given.trusts(issuer) and use.result != "failed"
    return Verdict(
        item.source,
        reading.claims,
        trusted,
        _name(issuer, given),
        _recipient(reading, given),
        tuple(checks[name] for name in CHECKS),
    )


# The checks


def _structure(reading: Reading, proven: Proven) -> Check:
    faults = [*reading.structure, *(Fault(f.pointer, f.detail) for f in proven.faults if f.check == "structure")]
    return _faults("structure", faults, "the data model's demands are met")


def _context(proven: Proven) -> Check:
    faults = [f for f in proven.faults if f.check == "context"]
    undefined = [Fault(f.pointer, f.detail) for f in faults if not isinstance(f, NotRead)]
    if faults and not undefined:
        return Check("context", "not_checked", f"{faults[0].pointer}: {faults[0].detail}")
    return _faults("context", undefined, "every term is defined by a context that is pinned here")


def _schema(reading: Reading) -> Check:
    if not reading.schema and reading.unknown_schema is not None:
        return Check("schema", "not_checked", reading.unknown_schema)
    return _faults("schema", reading.schema, "by our own model of Open Badges 3.0")


def _issuer(use: Check, issuer: str | None, given: Circumstances) -> Check:
    if use.result == "failed":
        return use
    if not given.trusts(issuer):
        return Check("issuer", "failed", f"{NOT_TRUSTED}: nobody here has named {str(issuer)[:200]}", "untrusted")
    if use.result == "not_checked":
        return use
    by = "this deployment's own issuer" if given.is_own(issuer) else "trusted by the trust file"
    return Check("issuer", "passed", f"{use.detail}; {by}")


def _dates(reading: Reading, given: Circumstances) -> Check:
    start, end, at = reading.valid_from, reading.valid_until, format_timestamp(given.at)
    if start is None or (end is None and reading.claims.valid_until is not None):
        return Check("dates", "not_checked", "the dates cannot be read: see structure")
    if start > given.at + SKEW:
        return Check("dates", "failed", f"not valid yet at {at}: valid from {format_timestamp(start)}", "expired")
    if end is not None and end < given.at:
        return Check("dates", "failed", f"expired at {format_timestamp(end)}, asked for {at}", "expired")
    until = f"until {format_timestamp(end)} inclusive" if end is not None else "with no end"
    return Check("dates", "passed", f"valid at {at}: from {format_timestamp(start)} {until}")


def _refresh(reading: Reading) -> Check:
    if reading.refresh:
        return Check("refresh", "not_checked", "a newer copy may be had, which is not looked for here yet")
    return Check("refresh", "passed", "the credential names no refresh service")


def _log(document: Mapping[str, Any], proven: Proven, given: Circumstances, issuer: str | None) -> LogFinding:
    if given.own is None or not given.is_own(issuer):
        return LogFinding("passed", "not issued here, so in no log of ours")
    if proven.result == "failed":
        return LogFinding("not_checked", "not looked up, since the proof does not hold")
    return given.own.log(document)


def _endorsements(reading: Reading, given: Circumstances, endorsing: bool) -> Generator[Need, Found, Check]:
    if not reading.endorsements and not reading.endorsement_tokens:
        return Check("endorsements", "passed", "there are none")
    if endorsing:
        return Check("endorsements", "passed", "endorsements of an endorsement are not looked at")
    told, unknown = [], [f"{at}: an endorsement as a token is not read here yet" for at in reading.endorsement_tokens]
    for at, endorsement in reading.endorsements:
        if not isinstance(endorsement, dict):
            told.append(f"{at} is false: no object")
            continue
        if given.out_of_time():
            unknown.append(f"{at}: {OUT_OF_TIME}")
            continue
        verdict = yield from examine(Item(at, endorsement), given, endorsing=True)
        if verdict.verdict == "unchecked":
            unknown.append(f"{at} could not be checked: {_reason(verdict)}")
        elif verdict.verdict in ("valid", "untrusted"):
            told.append(f"{at} holds" + (", by one not trusted here" if verdict.verdict == "untrusted" else ""))
        else:
            told.append(f"{at} is false ({verdict.verdict}): {_reason(verdict)}")
    return Check("endorsements", "not_checked" if unknown else "passed", "; ".join([*told, *unknown]))


def _recipient(reading: Reading, given: Circumstances) -> Literal["matched", "not_matched"] | None:
    if given.recipient is None:
        return None
    return "matched" if is_holder(given.recipient, reading.identities) else "not_matched"


# Answers where there is nothing to check


def _without_document(item: Item, given: Circumstances) -> Verdict:
    proof: tuple[Result, str] = ("not_checked", "there is no credential to look at")
    if item.twin:
        proof = ("failed", "no canonical form: see structure")
    return _flat(
        item.source,
        Claims(),
        given,
        Check("structure", item.result, item.detail),
        "there is no credential to look at",
        Check("proof", *proof),
        None,
    )


def _too_late(item: Item, given: Circumstances) -> Verdict:
    structure, proof = (Check(name, "not_checked", OUT_OF_TIME) for name in ("structure", "proof"))
    return _flat(item.source, Claims(), given, structure, OUT_OF_TIME, proof, None)


def _unread(source: str, reading: Reading, given: Circumstances) -> Verdict:
    detail = reading.unread or ""
    return _flat(
        source,
        reading.claims,
        given,
        Check("structure", "not_checked", detail),
        detail,
        Check("proof", "not_checked", detail),
        "not_matched" if given.recipient is not None else None,
    )


def _flat(
    source: str,
    claims: Claims,
    given: Circumstances,
    structure: Check,
    detail: str,
    proof: Check,
    recipient: Literal["not_matched"] | None,
) -> Verdict:
    told = {"structure": structure, "proof": proof}
    checks = tuple(told.get(name) or Check(name, "not_checked", detail) for name in CHECKS)
    return Verdict(source, claims, given.trusts(claims.issuer), _name(claims.issuer, given), recipient, checks)


def _faults(name: CheckName, faults: Sequence[Fault], else_: str) -> Check:
    if not faults:
        return Check(name, "passed", else_)
    told = [f"{fault.pointer or '/'}: {fault.detail}" for fault in dict.fromkeys(faults)]
    more = f"; and {len(told) - MAX_TOLD} more" if len(told) > MAX_TOLD else ""
    return Check(name, "failed", "; ".join(told[:MAX_TOLD]) + more)


def _name(issuer: str | None, given: Circumstances) -> str | None:
    if given.own is not None and given.is_own(issuer):
        return given.own.name
    trusted = given.trust.find(issuer) if issuer is not None else None
    return trusted.name if trusted is not None else None


def _reason(verdict: Verdict) -> str:
    worst = verdict.verdict
    return next((f"{c.name}: {c.detail}" for c in verdict.checks if c.verdict == worst), "")
