"""What a role permits: one table, checked in one place.

Rules that need more than a role (assigned on that day, who began the item, not one's own record) belong to
the service that knows the item; the permission here is the part that depends on the person alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from contracts.refusals import Kind, Refusal
from contracts.vocabulary import Role
from foundation.access.standing import Standing

OPERATOR: Final = "service:operator"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts: `person:ID`, or the operator without a person (`service:operator`)."""

    actor: str

    @property
    def person(self) -> str | None:
        kind, _, name = self.actor.partition(":")
        return name if kind == "person" else None

    @property
    def is_operator(self) -> bool:
        return self.actor == OPERATOR

    def require_person(self) -> str:
        """The acting person's id. Raises Refusal where the operator acts alone."""
        if self.person is None:
            raise Refusal(
                Kind.PERSON_NEEDED,
                "This is recorded in a person's name. Say whose with the header On-Behalf-Of: person:ID.",
            )
        return self.person


class Permission(Enum):
    """(roles, whether the operator alone may, words for the sentence of a refusal)."""

    KEEP_PEOPLE = ((Role.REGISTRAR,), True, "registers people, roles and assignments")
    OPEN_DOSSIER = ((Role.REGISTRAR,), True, "opens dossiers")
    DECIDE_POLICY = ((Role.CHAIR,), True, "adopts policies and frameworks and orders reassessments")
    IMPORT = ((Role.REGISTRAR, Role.DIRECTOR), True, "imports evidence")
    RETRACT_ANY = ((Role.REGISTRAR, Role.DIRECTOR), False, "retracts an item that somebody else began")
    RESOLVE_DISPUTES = ((Role.DIRECTOR,), False, "resolves disputes")
    KEEP_CREDENTIALS = ((Role.REGISTRAR, Role.CHAIR), False, "suspends, revokes and reissues credentials")
    READ_ANY = ((Role.DIRECTOR, Role.REGISTRAR, Role.AUDITOR), True, "reads every record")

    def __init__(self, roles: tuple[Role, ...], operator: bool, words: str) -> None:
        self._roles = roles
        self._operator = operator
        self._words = words

    @property
    def roles(self) -> tuple[Role, ...]:
        return self._roles

    @property
    def operator(self) -> bool:
        return self._operator

    def held_by(self, caller: Caller, standing: Standing, today: date) -> bool:
        if caller.is_operator:
            return self.operator
        return standing.holds(*self.roles, on=today)

    def require(self, caller: Caller, standing: Standing, today: date) -> None:
        """Raises Refusal where the caller may not."""
        if self.held_by(caller, standing, today):
            return
        if caller.is_operator and not self.operator:
            caller.require_person()
        words = " or ".join(f"a {role.value}" for role in self.roles)
        raise Refusal(Kind.FORBIDDEN, f"Only {words} {self._words}.")


def readable_until(caller: Caller, standing: Standing, principal: str, today: date) -> date:
    """The last day whose entries about the principal the caller may read; `date.max`: all.

    The principal, directors, registrars, auditors and the operator read all; who is assigned reads all, who
    was assigned what was recorded until their last day. Raises Refusal for anyone else.
    """
    if caller.person == principal or Permission.READ_ANY.held_by(caller, standing, today):
        return date.max
    last = standing.last_day_with(principal, begun_by=today)
    if last is None:
        raise Refusal(
            Kind.FORBIDDEN,
            "Only the principal, who is or was assigned to them, directors, registrars and auditors read this.",
        )
    return date.max if standing.assigned(principal, today) else last
