"""Are the proofs of a document true, and does the key belong to who is named as its issuer?

A protocol without I/O: the generators yield a `Need` for each document from elsewhere, and are sent what was
found, or why nothing was. Sources: VC Data Integrity 1.0 sections 4.2, 4.4 (verify proof; chains) and 2.1;
Controlled Identifiers 1.0 section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from contracts.strict_json import JsonFault, parse
from contracts.times import parse_instant

from .canonical import Work
from .contexts import Contexts
from .data_integrity import PURPOSE, SUITE, document_digest, holds, options_digest, unsecured
from .did import DidFault, Method, controller_of, did_key_document, document_url, find_method, is_did_key
from .statements import NotRead, Unsaid
from .status_list import Bits, StatusFault
from .trust_file import Trust
from .verdicts import OwnIssuer, Result

SKEW: Final = timedelta(seconds=60)  # allowed at starts, never at ends
MAX_DOCUMENT: Final = 512 * 1024
MAX_CHAIN_DIGESTS: Final = 8  # each is a canonical form of the whole document
OUT_OF_TIME: Final = "not looked at: the time that one call of verifying may take is over; send fewer at once"


@dataclass(frozen=True, slots=True)
class Need:
    """A document that is wanted. `trusted`: named by who is trusted here, so that policy lets it be fetched."""

    url: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why nothing was found; the sentence names the address where there is one."""

    reason: str


Found = bytes | Unavailable
Asking = Generator[Need, Found, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a verification depends on beside the document. Times are UTC; `at` is asked for, `now` is now."""

    at: datetime
    now: datetime
    trust: Trust
    own: OwnIssuer | None
    contexts: Contexts
    work: Work
    recipient: str | None = None
    lists: dict[tuple[str, str | None], Bits | StatusFault] = field(default_factory=dict)
    """Status lists looked at already, by address and the credential's issuer: many badges share one."""
    out_of_time: Callable[[], bool] = lambda: False
    """Asked before each credential, endorsement and proof."""

    def trusts(self, identifier: str | None) -> bool:
        return identifier is not None and (self.is_own(identifier) or self.trust.find(identifier) is not None)

    def is_own(self, identifier: str | None) -> bool:
        return self.own is not None and identifier is not None and self.own.is_ours(identifier)


@dataclass(slots=True)
class Proven:
    """What the proofs of a document show."""

    result: Result
    detail: str
    key: Method | None = None  # the issuer's key, if one of the proofs names one that could be had
    key_fault: str | None = None  # the issuer's key is none
    key_unknown: str | None = None  # the issuer's key could not be had
    foreign: str | None = None  # whose keys made the proofs, where none is the issuer's
    faults: list[Unsaid] = field(default_factory=list)  # of the document and of proofs without canonical form


@dataclass(slots=True)
class _Outcome:
    kind: Literal["good", "bad", "unknown", "aside"]
    detail: str
    controller: str | None = None
    method: Method | None = None
    fault: str | None = None
    unknown: str | None = None


def prove(
    document: Mapping[str, Any],
    proofs: Sequence[tuple[str, Mapping[str, Any]]],
    issuer: str | None,
    given: Circumstances,
) -> Generator[Need, Found, Proven]:
    """Looks at every proof. One by the issuer must hold, and none may be false."""
    proving = _Proving(document, proofs, given)
    digest: bytes | None = None
    try:
        digest = document_digest(unsecured(document), given.contexts, given.work)
    except Unsaid as unsaid:
        proving.faults.append(unsaid)
    outcomes = []
    for at, proof in proofs:
        outcomes.append((yield from proving.look(at, proof, digest)))
    proven = _sum_up(outcomes, proving.faults, issuer)
    if proving.cut is not None and proven.result == "passed":
        proven.result, proven.detail = "not_checked", f"{proving.cut}: {OUT_OF_TIME}"
    return proven


def _sum_up(outcomes: Sequence[_Outcome], faults: list[Unsaid], issuer: str | None) -> Proven:
    by_issuer = [o for o in outcomes if o.controller is not None and o.controller == issuer]
    # the best of the issuer's: a sound one, else one whose key could be had
    best = min(
        by_issuer,
        default=None,
        key=lambda o: (
            ("good", "bad", "unknown", "aside").index(o.kind),
            o.method is None or not o.method.for_assertions,
        ),
    )
    proven = Proven("passed", "", faults=faults)
    if best is not None:
        proven.key, proven.key_fault, proven.key_unknown = best.method, best.fault, best.unknown
    elif outcomes:
        proven.foreign = next((o.controller for o in outcomes if o.controller), None)
    asides = [o.detail for o in outcomes if o.kind in ("aside", "unknown")]
    bad = next((o for o in outcomes if o.kind == "bad"), None)
    good = [o for o in outcomes if o.kind == "good"]
    if not outcomes:
        proven.result, proven.detail = "failed", "there is no proof"
    elif faults:
        said = next((f for f in faults if not isinstance(f, NotRead)), faults[0])
        proven.result = "not_checked" if isinstance(said, NotRead) else "failed"
        proven.detail = f"no canonical form: see {said.check}"
    elif bad is not None:
        proven.result, proven.detail = "failed", bad.detail
    elif any(o in good for o in by_issuer) or (good and not by_issuer):
        proven.detail = "; ".join(["the signature is true", *asides])
    else:
        proven.result, proven.detail = "not_checked", "; ".join(asides)
    return proven


class _Proving:
    def __init__(
        self, document: Mapping[str, Any], proofs: Sequence[tuple[str, Mapping[str, Any]]], given: Circumstances
    ) -> None:
        self.document = document
        self.proofs = proofs
        self.given = given
        self.faults: list[Unsaid] = []
        self.looked: dict[str, _Outcome] = {}
        self.open: set[str] = set()
        self.digests = 0
        self.cut: str | None = None  # the first proof that time did not suffice for

    def look(self, at: str, proof: Mapping[str, Any], digest: bytes | None) -> Generator[Need, Found, _Outcome]:
        """One proof, once; those that it goes back to first."""
        if at in self.looked:
            return self.looked[at]
        if at in self.open:
            return _Outcome("bad", f"{at}: the proofs go back to each other in a circle")
        if self.given.out_of_time():
            self.cut = self.cut or at
            return _Outcome("unknown", f"{at}: {OUT_OF_TIME}")
        self.open.add(at)
        outcome = yield from self.judge(at, proof, digest)
        self.open.discard(at)
        self.looked[at] = outcome
        return outcome

    def judge(self, at: str, proof: Mapping[str, Any], digest: bytes | None) -> Generator[Need, Found, _Outcome]:
        try:
            options = options_digest(self.document, proof, self.given.contexts, self.given.work, at=at)
        except Unsaid as unsaid:
            self.faults.append(unsaid)
            options = None
        suite = proof.get("cryptosuite")
        if proof.get("type") not in ("DataIntegrityProof", ["DataIntegrityProof"]) or suite != SUITE:
            named = suite if isinstance(suite, str) else proof.get("type")
            return _Outcome("aside", f"{at}: the suite {str(named)[:80]!r} is not known here")
        method_id = proof.get("verificationMethod")
        if not isinstance(method_id, str):
            return _Outcome("bad", f"{at}: names no verificationMethod")
        controller = controller_of(method_id)
        method, fault, unknown = yield from self.find(method_id, controller)
        outcome = _Outcome("unknown", "", controller, method, fault, unknown)
        wrong = self.wrong(proof)
        previous = yield from self.previous(at, proof, digest)
        if isinstance(previous, str):
            if self.cut is not None and wrong is None:  # time did not suffice for what it goes back to
                outcome.detail = f"{at}: {OUT_OF_TIME}"
                return outcome
            wrong = wrong or previous
        if wrong is not None:
            outcome.kind, outcome.detail = "bad", f"{at}: {wrong}"
        elif method is None:
            outcome.detail = f"{at}: the key {method_id[:200]} could not be had: {fault or unknown}"
        elif options is not None and digest is not None:
            assert not isinstance(previous, str)
            self.check(outcome, at, proof, method, options, previous or digest)
        return outcome

    def check(
        self, outcome: _Outcome, at: str, proof: Mapping[str, Any], method: Method, options: bytes, digest: bytes
    ) -> None:
        if holds(proof.get("proofValue"), method.public_key, options + digest):
            outcome.kind, outcome.detail = "good", f"{at}: true"
        else:
            outcome.kind = "bad"
            outcome.detail = (
                f"{at}: the signature is not that of {method.id[:200]} over this document: "
                "it was altered after signing, or signed by another key"
            )

    def wrong(self, proof: Mapping[str, Any]) -> str | None:
        """What is wrong with the proof's own members."""
        if proof.get("proofPurpose") not in (PURPOSE, [PURPOSE]):
            return f"made for another purpose than {PURPOSE}"
        try:
            created = parse_instant(proof["created"]) if "created" in proof else None
            expires = parse_instant(proof["expires"]) if "expires" in proof else None
        except ValueError as fault:
            return str(fault)
        if created is not None and created > max(self.given.at, self.given.now) + SKEW:
            return "made at a time that has not come yet"
        if expires is not None and expires < self.given.at:
            return "the proof itself has expired"
        return None

    def previous(
        self, at: str, proof: Mapping[str, Any], digest: bytes | None
    ) -> Generator[Need, Found, bytes | str | None]:
        """In a chain, the digest of the document with the proofs named; a sentence if they are not true."""
        if "previousProof" not in proof:
            return None
        value = proof["previousProof"]
        names = value if isinstance(value, list) else [value]
        earlier = [
            (place, other) for place, other in self.proofs if isinstance(other.get("id"), str) and other["id"] in names
        ]
        if len(earlier) != len(names) or not names:
            return "goes back to a proof that is not there, or there twice"
        for place, other in earlier:
            outcome = yield from self.look(place, other, digest)
            if outcome.kind != "good":
                return f"goes back to {place}, which is not true or could not be checked"
        if self.digests >= MAX_CHAIN_DIGESTS:
            return f"more than {MAX_CHAIN_DIGESTS} proofs go back to others"
        self.digests += 1
        try:
            return document_digest(
                unsecured(self.document, [other for _, other in earlier]), self.given.contexts, self.given.work
            )
        except Unsaid as unsaid:
            return str(unsaid)

    def find(
        self, method_id: str, controller: str
    ) -> Generator[Need, Found, tuple[Method | None, str | None, str | None]]:
        """The key; or why it is none; or why it could not be had."""
        given = self.given
        try:
            if given.own is not None and given.is_own(controller):
                return find_method(given.own.did_document(controller), controller, method_id), None, None
            trusted = given.trust.find(controller)
            if trusted is not None and trusted.keys:
                for key in trusted.keys:
                    if key.id is None or key.id in (method_id, method_id.partition("#")[2]):
                        return Method(method_id, controller, key.public_key, True), None, None
                return None, "the trust file has no such key of the issuer", None
            if is_did_key(controller):
                return find_method(did_key_document(controller), controller, method_id), None, None
            if not controller.startswith(("did:web:", "https://")):
                return None, None, f"{controller[:100]!r} is of a kind that is not read here"
            if any(not isinstance(fault, NotRead) for fault in self.faults):
                return None, None, "not looked for: the document has no canonical form"
            found = yield Need(document_url(controller), trusted is not None)
            if isinstance(found, Unavailable):
                return None, None, found.reason
            return find_method(parse(found, max_bytes=MAX_DOCUMENT, max_depth=32), controller, method_id), None, None
        except JsonFault as fault:
            return None, None, f"the document of {controller[:200]} cannot be read: {fault.detail}"
        except DidFault as fault:
            return None, str(fault), None
