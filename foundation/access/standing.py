"""A person's standing: the roles and assignments that follow from the log, as they are known now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Protocol, TypeVar

from contracts.times import parse_date
from contracts.vocabulary import Role

P = TypeVar("P", bound="HeldRole | Assigned")

STANDING_TYPES: Final = (
    "PersonRegistered",
    "RoleGranted",
    "RoleRevoked",
    "AssessorAssigned",
    "AssessorUnassigned",
)
"""The event types that make up a standing; those of one person carry the first tag `person:<id>`."""


class Folded(Protocol):
    """The part of a recorded event that is folded here."""

    @property
    def type(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class HeldRole:
    role: Role
    first: date
    last: date | None
    """Both days in it; None: without end."""
    scope: str | None = None

    def on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Assigned:
    principal: str
    as_: str
    first: date
    last: date | None

    def on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Standing:
    person: str
    registered: bool = False
    roles: tuple[HeldRole, ...] = ()
    assignments: tuple[Assigned, ...] = ()

    def holds(self, *roles: Role, on: date) -> bool:
        """Whether one of the roles is held on that day. A lead director is a director."""
        wanted = {*roles, Role.LEAD_DIRECTOR} if Role.DIRECTOR in roles else set(roles)
        return any(held.role in wanted and held.on(on) for held in self.roles)

    def assigned(self, principal: str, on: date) -> bool:
        """Whether assigned to the principal as an assessor on that day."""
        return any(a.principal == principal and a.on(on) for a in self.assignments)

    def last_day_with(self, principal: str, *, begun_by: date = date.max) -> date | None:
        """The last day of an assignment begun by then; `date.max` where it has no end; None: never assigned."""
        days = [a.last or date.max for a in self.assignments if a.principal == principal and a.first <= begun_by]
        return max(days, default=None)


def standing(person: str, events: Iterable[Folded]) -> Standing:
    """Folds a person's events, in the log's order. Events of other types and streams are passed over."""
    state = Standing(person)
    stream = f"person:{person}"
    for event in events:
        if event.tags and event.tags[0] == stream:
            state = _fold(state, event.type, event.data)
    return state


def _fold(state: Standing, kind: str, data: Mapping[str, Any]) -> Standing:
    match kind:
        case "PersonRegistered":
            return replace(state, registered=True)
        case "RoleGranted":
            held = HeldRole(Role(data["role"]), *_period(data), data.get("scope"))
            return replace(state, roles=(*state.roles, held))
        case "RoleRevoked":
            return replace(state, roles=_ended(state.roles, lambda held: held.role == data["role"], data["on"]))
        case "AssessorAssigned":
            assigned = Assigned(data["principal_id"], data["as"], *_period(data))
            return replace(state, assignments=(*state.assignments, assigned))
        case "AssessorUnassigned":
            theirs = data["principal_id"]
            ended = _ended(state.assignments, lambda a: a.principal == theirs, data["on"])
            return replace(state, assignments=ended)
    return state


def _period(data: Mapping[str, Any]) -> tuple[date, date | None]:
    return parse_date(data["from"]), parse_date(data["until"]) if "until" in data else None


def _ended(periods: tuple[P, ...], concerned: Callable[[P], bool], on: str) -> tuple[P, ...]:
    """The periods, those concerned cut so that `on` is the first day no longer in them."""
    last = parse_date(on) - timedelta(days=1)
    kept = []
    for period in periods:
        if not concerned(period) or (period.last is not None and period.last <= last):
            kept.append(period)
        elif period.first <= last:
            kept.append(replace(period, last=last))
    return tuple(kept)
