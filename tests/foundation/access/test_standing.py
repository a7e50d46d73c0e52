"""Roles and assignments as they follow from events, and what they permit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.refusals import Kind, Refusal
from contracts.vocabulary import Role
from foundation.access.permissions import OPERATOR, Caller, Permission, readable_until
from foundation.access.standing import Standing, standing
from foundation.access.tokens import Tokens

DAY = date(2026, 2, 10)


@dataclass(frozen=True)
class Said:
    type: str
    data: dict[str, Any]
    tags: tuple[str, ...] = ("person:c-otter",)


@dataclass
class Person:
    events: list[Said] = field(default_factory=list)

    def says(self, kind: str, /, **data: Any) -> Person:
        self.events.append(Said(kind, {name.rstrip("_"): value for name, value in data.items()}))
        return self

    @property
    def standing(self) -> Standing:
        return standing("c-otter", self.events)


def test_a_role_is_held_from_its_first_to_its_last_day() -> None:
    who = Person().says("RoleGranted", role="coach", from_="2026-02-01", until="2026-02-10").standing
    held = [who.holds(Role.COACH, on=date(2026, 2, day)) for day in (1, 10, 11)]
    assert held == [True, True, False]
    assert not who.holds(Role.COACH, on=date(2026, 1, 31))


def test_a_role_ends_on_the_day_named_by_its_revocation_and_can_be_granted_again() -> None:
    person = (
        Person()
        .says("RoleGranted", role="coach", from_="2026-01-01")
        .says("RoleRevoked", role="coach", on="2026-02-10")
    )
    assert person.standing.holds(Role.COACH, on=DAY - timedelta(days=1))
    assert not person.standing.holds(Role.COACH, on=DAY)
    assert person.says("RoleGranted", role="coach", from_="2026-03-01").standing.holds(Role.COACH, on=date(2026, 3, 1))


def test_revoking_one_role_leaves_the_others() -> None:
    person = (
        Person()
        .says("RoleGranted", role="coach", from_="2026-01-01")
        .says("RoleGranted", role="auditor", from_="2026-01-01")
    )
    assert person.says("RoleRevoked", role="coach", on="2026-01-01").standing.holds(Role.AUDITOR, on=DAY)


def test_a_lead_director_is_a_director_and_not_the_other_way_round() -> None:
    lead = Person().says("RoleGranted", role="lead_director", from_="2026-01-01").standing
    assert lead.holds(Role.DIRECTOR, on=DAY)
    director = Person().says("RoleGranted", role="director", from_="2026-01-01").standing
    assert not director.holds(Role.LEAD_DIRECTOR, on=DAY)


def test_events_of_other_people_are_passed_over() -> None:
    theirs = Said("RoleGranted", {"role": "chair", "from": "2026-01-01"}, ("person:c-wren", "person:c-otter"))
    assert standing("c-otter", [theirs]).roles == ()


def test_an_assignment_ends_for_its_principal_only() -> None:
    person = (
        Person()
        .says("AssessorAssigned", principal_id="p-heron", as_="coach", from_="2025-08-01")
        .says("AssessorAssigned", principal_id="p-egret", as_="coach", from_="2025-08-01")
        .says("AssessorUnassigned", principal_id="p-heron", on="2026-02-01")
    )
    who = person.standing
    assert who.assigned("p-heron", date(2026, 1, 31))
    assert not who.assigned("p-heron", date(2026, 2, 1))
    assert who.assigned("p-egret", DAY)
    assert who.last_day_with("p-heron") == date(2026, 1, 31)
    assert who.last_day_with("p-nobody") is None


DAYS = st.integers(0, 60).map(lambda n: date(2026, 1, 1) + timedelta(days=n))


@given(st.lists(st.tuples(st.booleans(), DAYS, st.none() | DAYS), max_size=8), DAYS)
def test_cutting_periods_agrees_with_days_painted_one_by_one(
    acts: list[tuple[bool, date, date | None]], day: date
) -> None:
    """The oracle keeps a set of days; the fold keeps periods."""
    person, painted = Person(), set[date]()
    horizon = [date(2026, 1, 1) + timedelta(days=n) for n in range(90)]
    for grants, first, last in acts:
        if grants and (last is None or first <= last):
            end = {} if last is None else {"until": last.isoformat()}
            person.says("RoleGranted", role="coach", from_=first.isoformat(), **end)
            painted |= {d for d in horizon if first <= d and (last is None or d <= last)}
        elif not grants:
            person.says("RoleRevoked", role="coach", on=first.isoformat())
            painted -= {d for d in horizon if d >= first}
    assert person.standing.holds(Role.COACH, on=day) == (day in painted)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_the_table_of_permissions_is_what_decides(permission: Permission, role: Role) -> None:
    who = Person().says("RoleGranted", role=role.value, from_="2026-01-01").standing
    allowed = role in permission.roles or (role is Role.LEAD_DIRECTOR and Role.DIRECTOR in permission.roles)
    assert permission.held_by(Caller("person:c-otter"), who, DAY) == allowed
    assert not permission.held_by(Caller("person:c-otter"), who, date(2025, 12, 31))


def test_what_needs_a_person_tells_the_operator_how_to_name_one() -> None:
    with pytest.raises(Refusal) as refused:
        Permission.RESOLVE_DISPUTES.require(Caller(OPERATOR), Standing("-"), DAY)
    assert refused.value.kind is Kind.PERSON_NEEDED
    assert "On-Behalf-Of" in refused.value.detail


def test_who_reads_a_record_and_until_which_day() -> None:
    otter = Caller("person:c-otter")
    past = Person().says("AssessorAssigned", principal_id="p", as_="coach", from_="2025-08-01", until="2026-01-31")
    assert readable_until(otter, past.standing, "p", DAY) == date(2026, 1, 31)
    assert readable_until(otter, past.standing, "p", date(2026, 1, 31)) == date.max
    assert readable_until(Caller("person:p"), Standing("p"), "p", DAY) == date.max
    assert readable_until(Caller(OPERATOR), Standing("-"), "p", DAY) == date.max
    with pytest.raises(Refusal):
        readable_until(otter, Standing("c-otter"), "p", DAY)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("Bearer " + "a" * 32, True),
        ("bearer  " + "b" * 32, True),
        ("Bearer", False),
        (None, False),
        ("Bearer é", False),
    ],
)
def test_tokens(header: str | None, accepted: bool) -> None:
    assert Tokens(["a" * 32, "b" * 32]).accept(header) is accepted
    assert not Tokens([]).accept("Bearer ")
