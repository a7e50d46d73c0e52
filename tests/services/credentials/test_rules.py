"""What holds for every history and every request, not only for those that somebody thought of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import Event
from contracts.refusals import Refusal
from foundation.eventlog import Recorded
from services.credentials import lifecycle
from services.credentials.basis import basis
from services.credentials.lifecycle import CredentialState, fold
from services.credentials.places import list_name, parse_list_name
from services.credentials.serving import CREDENTIAL_TYPES, best_type
from tests.services.credentials.test_basis import judged
from tests.services.credentials.test_lifecycle import ID, SUSPENDABLE

PEOPLE = ("person:registrar-1", "person:chair-1")


@dataclass
class Life:
    """A credential's stream, grown by whatever the decisions accept."""

    events: list[Recorded] = field(default_factory=lambda: list(SUSPENDABLE))
    now: datetime = datetime(2026, 9, 1, 12, tzinfo=UTC)

    @property
    def state(self) -> CredentialState:
        return fold(ID, self.events)

    def do(self, act: str, by: str, days: int) -> Event | None:
        self.now += timedelta(days=days)
        state = self.state
        acts: dict[str, Any] = {
            "propose": lambda: lifecycle.propose_revocation(state, "error", None, now=self.now),
            "approve": lambda: lifecycle.approve_revocation(state, by=by, now=self.now),
            "suspend": lambda: lifecycle.suspend(state, "why"),
            "reinstate": lambda: lifecycle.reinstate(state, "why"),
        }
        try:
            event: Event = acts[act]()
        except Refusal:
            return None
        position = self.events[-1].position + 1
        tags = SUSPENDABLE[0].tags
        self.events.append(
            Recorded(position, uuid4(), type(event).__name__, 1, tags, self.now, by, None, None, event.to_data())
        )
        return event


steps = st.lists(
    st.tuples(
        st.sampled_from(["propose", "approve", "suspend", "reinstate"]), st.sampled_from(PEOPLE), st.integers(0, 20)
    ),
    max_size=12,
)


@given(steps)
@settings(deadline=None)
def test_revoked_is_final_takes_two_people_and_14_days_at_most(taken: list[tuple[str, str, int]]) -> None:
    life = Life()
    for act, by, days in taken:
        before = life.state
        accepted = life.do(act, by, days)
        if before.revoked is not None:
            assert accepted is None
            assert life.state.state == "revoked"
        if life.state.revoked is not None and before.revoked is None:
            proposal = before.proposal
            assert proposal is not None
            assert proposal.by != by
            assert life.now - proposal.at <= timedelta(days=14)
    suspensions = [event.type for event in life.events if event.type.startswith(("CredentialS", "CredentialRein"))]
    assert all(one != other for one, other in pairwise(suspensions))  # they alternate


KINDS = ("ObservationRecorded", "FeedbackCycleClosed", "ArtifactReviewed")
judgments = st.dictionaries(st.sampled_from([6, 7]), st.sampled_from(["aspiring", "developing"]), min_size=1)
reviews = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"]), st.integers(1, 28), judgments))


@given(reviews)
def test_the_basis_counts_what_the_rule_says_of_artifacts(given_: list[tuple[str, str, int, dict[int, str]]]) -> None:
    events = [
        judged(n, "ArtifactReviewed", item, by, f"2026-01-{day:02d}", said)
        for n, (item, by, day, said) in enumerate(given_, 1)
    ]
    found = basis(6, ["a", "b"], events)
    last = {(item, by): (day, said) for item, by, day, said in given_ if item in "ab"}
    standing = {pair: day for pair, (day, said) in last.items() if 6 in said}
    items = {item for item, _ in standing}
    dates = [max(day for (one, _), day in standing.items() if one == item) for item in items]
    assert found.items == len(items)
    assert found.assessors == len({by for _, by in standing})
    assert found.days == (max(dates) - min(dates) if dates else 0)


@given(st.text())
def test_whatever_accept_says_a_media_type_of_ours_is_served(accept: str) -> None:
    assert best_type(accept, CREDENTIAL_TYPES) in CREDENTIAL_TYPES


@given(st.text())
def test_a_name_is_a_list_of_ours_only_as_we_write_it(name: str) -> None:
    parsed = parse_list_name(name)
    assert parsed is None or list_name(*parsed) == name


@given(st.sampled_from(["r", "s"]), st.integers(1, 999_999_999))
def test_every_name_of_a_list_reads_back(kind: Any, number: int) -> None:
    assert parse_list_name(list_name(kind, number)) == (kind, number)
