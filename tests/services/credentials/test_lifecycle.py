"""The life of a credential: what is refused, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.refusals import Kind, Refusal
from foundation.eventlog import Recorded
from services.credentials import lifecycle
from services.credentials.lifecycle import CredentialState, fold, shown_name

ID = "7c80ef9a-46a6-4dd6-b34a-a68eb38d9579"
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DOCUMENT = {"validFrom": "2026-09-01T12:00:00Z", "credentialStatus": {}}


def event(kind: str, position: int, by: str = "service:credentials", at: datetime = NOW, **data: Any) -> Recorded:
    tags = (f"credential:{ID}", "principal:p-heron", "cause:7")
    data = {"credential_id": ID, **data}
    return Recorded(position, uuid4(), kind, 1, tags, at, by, None, "p-heron", data)


def intended(position: int = 8, **more: Any) -> Recorded:
    given = {"cause": 7, "status": {"list": "r1", "index": 5}, "key": "z6Mk", "created": "2026-09-01T12:00:00Z"}
    return event("IssuanceIntended", position, **(given | {"document": DOCUMENT} | more))


ISSUED = [intended(), event("CredentialIssued", 9, intent=8, sha256="0" * 64)]
SUSPENDABLE = [intended(document=DOCUMENT | {"credentialStatus": [{}, {}]}), ISSUED[1]]
PROPOSED = event("CredentialRevocationProposed", 10, by="person:registrar-1", reason="error")


def refused(kind: Kind, act: Any) -> str:
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.kind is kind
    return caught.value.detail


def test_it_is_intended_then_issued() -> None:
    assert fold(ID, ISSUED[:1]).state == "intended"
    state = fold(ID, ISSUED)
    assert (state.state, state.principal, state.cause, state.issued) == ("issued", "p-heron", 7, 9)


def test_the_first_revocation_is_final() -> None:
    by_hand, lapse = (event("CredentialRevoked", 11 + n, reason=reason) for n, reason in enumerate(["error", "lapsed"]))
    assert fold(ID, [*ISSUED, by_hand, lapse]).revoked == "error"
    assert fold(ID, [*ISSUED, lapse, by_hand]).revoked == "lapsed"


def test_an_unknown_credential_is_refused_by_every_act() -> None:
    nobody = CredentialState(ID)
    for act in (
        lambda: lifecycle.existing(nobody),
        lambda: lifecycle.suspend(nobody, "x"),
        lambda: lifecycle.reissuable(nobody),
        lambda: lifecycle.propose_revocation(nobody, "error", None, now=NOW),
        lambda: lifecycle.approve_revocation(nobody, by="person:x", now=NOW),
        lambda: lifecycle.share(nobody, by="person:x", days=None, show_name=False, today=NOW.date()),
    ):
        refused(Kind.UNKNOWN_CREDENTIAL, act)


def test_revocation_by_hand_needs_a_second_person_within_14_days() -> None:
    state = fold(ID, [*ISSUED, PROPOSED])
    refused(Kind.SECOND_PERSON_NEEDED, lambda: lifecycle.approve_revocation(state, by="person:registrar-1", now=NOW))
    last = NOW + timedelta(days=14)
    approved = lifecycle.approve_revocation(state, by="person:chair-1", now=last)
    assert (approved.reason, approved.proposal) == ("error", 10)
    late = last + timedelta(seconds=1)
    assert "14 days" in refused(
        Kind.CREDENTIAL_STATE, lambda: lifecycle.approve_revocation(state, by="person:chair-1", now=late)
    )
    assert lifecycle.propose_revocation(state, "error", None, now=late)  # may be proposed anew


def test_a_proposal_gives_one_of_three_reasons_and_is_made_once() -> None:
    state = fold(ID, ISSUED)
    for reason in ("withdrawn", "error", "misconduct"):
        assert lifecycle.propose_revocation(state, reason, "note", now=NOW).reason == reason
    for reason in ("lapsed", "replaced", "because"):
        refused(Kind.INVALID_BODY, lambda reason=reason: lifecycle.propose_revocation(state, reason, None, now=NOW))
    proposed = fold(ID, [*ISSUED, PROPOSED])
    refused(Kind.CREDENTIAL_STATE, lambda: lifecycle.propose_revocation(proposed, "error", None, now=NOW))
    refused(Kind.CREDENTIAL_STATE, lambda: lifecycle.approve_revocation(state, by="person:chair-1", now=NOW))


def test_revoked_is_final_and_stronger_than_suspended() -> None:
    state = fold(ID, [*SUSPENDABLE, event("CredentialSuspended", 10), event("CredentialRevoked", 11, reason="lapsed")])
    assert state.state == "revoked"
    for act in (
        lambda: lifecycle.suspend(state, "x"),
        lambda: lifecycle.reinstate(state, "x"),
        lambda: lifecycle.reissuable(state),
        lambda: lifecycle.propose_revocation(state, "error", None, now=NOW),
    ):
        assert "final" in refused(Kind.CREDENTIAL_STATE, act)


def test_a_badge_without_a_suspension_entry_is_never_suspended_and_the_refusal_says_why() -> None:
    assert "MLDS_SUSPENSION" in refused(Kind.SUSPENSION_OFF, lambda: lifecycle.suspend(fold(ID, ISSUED), "x"))


def test_suspension_ends_by_reinstatement_and_neither_is_done_twice() -> None:
    state = fold(ID, SUSPENDABLE)
    refused(Kind.CREDENTIAL_STATE, lambda: lifecycle.reinstate(state, "x"))
    assert lifecycle.suspend(state, "inquiry").reason == "inquiry"
    suspended = fold(ID, [*SUSPENDABLE, event("CredentialSuspended", 10)])
    assert suspended.state == "suspended"
    refused(Kind.CREDENTIAL_STATE, lambda: lifecycle.suspend(suspended, "x"))
    refused(Kind.CREDENTIAL_STATE, lambda: lifecycle.reissuable(suspended))
    assert fold(ID, [*SUSPENDABLE, event("CredentialSuspended", 10), event("CredentialReinstated", 11)]).state == (
        "issued"
    )


def test_replaced_ends_the_document_before_and_not_the_credential() -> None:
    history = [*ISSUED, intended(10), event("CredentialRevoked", 11, reason="replaced")]
    assert fold(ID, history).state == "intended"
    assert fold(ID, [*history, event("CredentialIssued", 12, intent=10, sha256="1" * 64)]).state == "issued"


def test_a_late_issue_of_an_earlier_intent_does_not_count() -> None:
    late = event("CredentialIssued", 11, intent=8, sha256="0" * 64)
    assert fold(ID, [intended(8), intended(10), late]).issued is None


def test_a_reissue_is_always_later_than_the_last() -> None:
    state = fold(ID, ISSUED)
    assert lifecycle.next_valid_from(state, NOW) == NOW + timedelta(seconds=1)
    later = NOW + timedelta(days=1, microseconds=5)
    assert lifecycle.next_valid_from(state, later) == NOW + timedelta(days=1)


def test_only_its_holder_shares_it_for_at_most_90_days_or_until_they_end_it() -> None:
    state, today = fold(ID, ISSUED), date(2026, 9, 1)

    def share(by: str = "person:p-heron", days: int | None = None) -> Any:
        return lifecycle.share(state, by=by, days=days, show_name=False, today=today)

    assert share().until is None
    assert share(days=90).until == date(2026, 11, 30)
    refused(Kind.SHARE_TOO_LONG, lambda: share(days=91))
    refused(Kind.SHARE_TOO_LONG, lambda: share(days=0))
    refused(Kind.NOT_THE_PRINCIPAL, lambda: share(by="person:p-egret"))
    refused(Kind.NOT_THE_PRINCIPAL, lambda: share(by="service:operator"))
    waiting = fold(ID, ISSUED[:1])
    refused(
        Kind.CREDENTIAL_STATE,
        lambda: lifecycle.share(waiting, by="person:p-heron", days=None, show_name=False, today=today),
    )


def test_events_of_other_credentials_are_passed_over() -> None:
    assert fold("0" * 36, ISSUED).intent is None


def shared(stream: str, kind: str = "ShareGranted", **data: Any) -> Recorded:
    made = event(kind, 20, **data)
    return replace(made, tags=(stream, *made.tags))


def test_a_share_stands_until_its_last_day_or_its_end_and_one_that_shows_the_name_goes_before() -> None:
    today = date(2026, 3, 2)
    bare = shared("share:1", show_name=False, until="2026-03-02")
    named = shared("share:2", show_name=True)
    assert shown_name([], today) is None
    assert shown_name([bare], today) is False
    assert shown_name([bare], date(2026, 3, 3)) is None
    assert shown_name([bare, named], today) is True
    assert shown_name([bare, named, shared("share:2", "ShareEnded")], today) is False
    assert shown_name([named, shared("share:2", "ShareEnded")], today) is None
