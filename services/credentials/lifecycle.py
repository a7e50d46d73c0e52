"""The life of a credential: intended, issued, suspended, revoked; proposed and approved; shared. Pure.

`fold` makes the state from the events of one stream `credential:<id>`; the decisions below it take that state
and the time and return the event to append, or refuse. Revoked is final, and stronger than suspended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, get_args

from contracts.events import is_erased
from contracts.events.credentials import (
    CredentialReinstated,
    CredentialRevocationProposed,
    CredentialRevoked,
    CredentialSuspended,
    RevocationReason,
    ShareGranted,
)
from contracts.refusals import Fault, Kind, Refusal
from contracts.times import parse_date, parse_timestamp
from foundation.eventlog import Recorded

APPROVAL_DAYS: Final = 14
SHARE_DAYS_MAX: Final = 90
BY_HAND: Final[tuple[RevocationReason, ...]] = ("withdrawn", "error", "misconduct")
"""The reasons that people give; `lapsed` and `replaced` follow by rule."""


@dataclass(frozen=True, slots=True)
class Proposal:
    position: int
    by: str
    at: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True)
class CredentialState:
    """What stands about one credential. Positions are those of the log."""

    credential_id: str
    principal: str | None = None
    cause: int | None = None
    previous: str | None = None
    intent: int | None = None
    """Of the latest intent: a reissue makes a new one."""
    issued: int | None = None
    """Of the credential made from the latest intent; None while it is not signed."""
    key: str | None = None
    list: str | None = None
    index: int | None = None
    valid_from: datetime | None = None
    """Of the latest intent; None where the document was not read (or has been erased)."""
    suspendable: bool = False
    """Whether its badge names a suspension entry; told only where the document was read."""
    revoked: RevocationReason | None = None
    suspended: bool = False
    proposal: Proposal | None = None

    @property
    def state(self) -> str:
        """The word for people and programs."""
        if self.revoked is not None:
            return "revoked"
        if self.issued is None:
            return "intended"
        return "suspended" if self.suspended else "issued"


def fold(credential_id: str, events: Iterable[Recorded]) -> CredentialState:
    """The state after these events of the credential's stream, in the log's order; others are passed over."""
    state = CredentialState(credential_id)
    for event in events:
        if event.stream == f"credential:{credential_id}":
            state = _step(state, event)
    return state


def _step(state: CredentialState, event: Recorded) -> CredentialState:
    data = event.data
    match event.type:
        case "IssuanceIntended":
            return replace(
                state,
                principal=principal_of(event),
                cause=data["cause"],
                previous=data.get("previous"),
                intent=event.position,
                issued=None,
                key=data["key"],
                list=data["status"]["list"],
                index=data["status"]["index"],
                **_of_document(data.get("document")),
            )
        case "CredentialIssued":
            return replace(state, issued=event.position) if data["intent"] == state.intent else state
        case "CredentialRevocationProposed":
            made = Proposal(event.position, event.recorded_by, event.recorded_at, data["reason"])
            return replace(state, proposal=made)
        case "CredentialRevoked":
            # `replaced` ends the document before, not the credential. Revoked is final: a lapse that follows a
            # revocation by hand in the log changes nothing, also not the reason.
            if data["reason"] == "replaced" or state.revoked is not None:
                return state
            return replace(state, revoked=data["reason"], proposal=None)
        case "CredentialSuspended":
            return replace(state, suspended=True)
        case "CredentialReinstated":
            return replace(state, suspended=False)
    return state


def _of_document(document: Any) -> dict[str, Any]:
    if not isinstance(document, Mapping) or is_erased(document):
        return {"valid_from": None, "suspendable": False}
    return {
        "valid_from": parse_timestamp(document["validFrom"]),
        "suspendable": isinstance(document.get("credentialStatus"), list),
    }


def principal_of(event: Recorded) -> str | None:
    """The principal by the tag `principal:<id>`."""
    return next((tag.removeprefix("principal:") for tag in event.tags if tag.startswith("principal:")), None)


# Decisions


def existing(state: CredentialState) -> CredentialState:
    """The state, or a refusal where there is no such credential."""
    if state.intent is None:
        raise Refusal(Kind.UNKNOWN_CREDENTIAL, f"There is no credential {state.credential_id} here.")
    return state


def _not_revoked(state: CredentialState, act: str) -> None:
    existing(state)
    if state.revoked is not None:
        raise Refusal(
            Kind.CREDENTIAL_STATE,
            f"This credential is revoked ({state.revoked}), which is final; it cannot be {act}.",
        )


def propose_revocation(
    state: CredentialState, reason: str, note: str | None, *, now: datetime
) -> CredentialRevocationProposed:
    """A person's proposal; another person approves it within 14 days."""
    _not_revoked(state, "proposed for revocation again")
    if reason not in BY_HAND:
        raise Refusal(
            Kind.INVALID_BODY,
            f"A person gives one of these reasons: {', '.join(BY_HAND)}.",
            [Fault("/reason", f"one of {', '.join(BY_HAND)}")],
        )
    if state.proposal is not None and _open(state.proposal, now):
        raise Refusal(
            Kind.CREDENTIAL_STATE,
            f"Its revocation is proposed already (position {state.proposal.position}); a second person approves it.",
        )
    known: RevocationReason = next(one for one in BY_HAND if one == reason)
    if note is None:
        return CredentialRevocationProposed(credential_id=state.credential_id, reason=known)
    return CredentialRevocationProposed(credential_id=state.credential_id, reason=known, note=note)


def approve_revocation(state: CredentialState, *, by: str, now: datetime) -> CredentialRevoked:
    """`by` is `person:ID`, and not the one who proposed."""
    _not_revoked(state, "revoked a second time")
    proposal = state.proposal
    if proposal is None:
        raise Refusal(Kind.CREDENTIAL_STATE, "Nobody has proposed to revoke this credential.")
    if not _open(proposal, now):
        raise Refusal(
            Kind.CREDENTIAL_STATE,
            f"The proposal is older than {APPROVAL_DAYS} days; it has to be made again.",
        )
    if proposal.by == by:
        raise Refusal(Kind.SECOND_PERSON_NEEDED, "Who proposes a revocation does not approve it.")
    return CredentialRevoked(credential_id=state.credential_id, reason=proposal.reason, proposal=proposal.position)


def _open(proposal: Proposal, now: datetime) -> bool:
    return now - proposal.at <= timedelta(days=APPROVAL_DAYS)


def suspend(state: CredentialState, reason: str) -> CredentialSuspended:
    _not_revoked(state, "suspended")
    if not state.suspendable:
        raise Refusal(
            Kind.SUSPENSION_OFF,
            "This badge has no suspension entry, so nobody who verifies it would see a suspension: many "
            "verifiers read one status entry only, and MLDS_SUSPENSION was off when it was made. Reissue it "
            "with MLDS_SUSPENSION=on, or propose its revocation.",
        )
    if state.suspended:
        raise Refusal(Kind.CREDENTIAL_STATE, "This credential is suspended already.")
    return CredentialSuspended(credential_id=state.credential_id, reason=reason)


def reinstate(state: CredentialState, reason: str) -> CredentialReinstated:
    _not_revoked(state, "reinstated")
    if not state.suspended:
        raise Refusal(Kind.CREDENTIAL_STATE, "This credential is not suspended.")
    return CredentialReinstated(credential_id=state.credential_id, reason=reason)


def reissuable(state: CredentialState) -> CredentialState:
    """The state, or a refusal where the credential is revoked, suspended, or still waits to be signed."""
    _not_revoked(state, "reissued")
    if state.suspended:
        raise Refusal(Kind.CREDENTIAL_STATE, "This credential is suspended; reinstate it before it is reissued.")
    if state.issued is None:
        raise Refusal(Kind.CREDENTIAL_STATE, "This credential has not been signed yet; try again in a moment.")
    return state


def next_valid_from(state: CredentialState, now: datetime) -> datetime:
    """A reissue's `validFrom`: now, and at least a second after the last, so that it is the newer version."""
    now = now.replace(microsecond=0)
    return now if state.valid_from is None else max(now, state.valid_from + timedelta(seconds=1))


def share(state: CredentialState, *, by: str, days: int | None, show_name: bool, today: date) -> ShareGranted:
    """The holder's own act. Without `days` it stands until its holder ends it."""
    existing(state)
    if state.principal is None or by != f"person:{state.principal}":
        raise Refusal(Kind.NOT_THE_PRINCIPAL, "Only its holder shares a badge.")
    if state.issued is None:
        raise Refusal(Kind.CREDENTIAL_STATE, "This credential has not been signed yet; try again in a moment.")
    if days is not None and not 1 <= days <= SHARE_DAYS_MAX:
        raise Refusal(
            Kind.SHARE_TOO_LONG,
            f"A share lasts from 1 to {SHARE_DAYS_MAX} days, or without `days` until its holder ends it.",
            [Fault("/days", f"1 to {SHARE_DAYS_MAX}")],
        )
    if days is None:
        return ShareGranted(credential_id=state.credential_id, show_name=show_name)
    until = today + timedelta(days=days)
    return ShareGranted(credential_id=state.credential_id, show_name=show_name, until=until)


assert set(BY_HAND) < set(get_args(RevocationReason))


def shown_name(shares: Iterable[Recorded], today: date) -> bool | None:
    """Of a credential's share events: None while no share stands; else whether one that stands shows the name."""
    standing: dict[str, bool] = {}
    for event in shares:
        until = event.data.get("until")
        if event.type == "ShareEnded":
            standing.pop(event.stream, None)
        elif until is None or parse_date(until) >= today:
            standing[event.stream] = event.data["show_name"]
    return any(standing.values()) if standing else None
