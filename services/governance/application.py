"""The shell of governance: reads who is who, asks the pure decisions, appends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from contracts.events.evidence import DossierOpened
from contracts.events.governance import (
    AssessorAssigned,
    AssessorUnassigned,
    Assignment,
    AssignmentEnd,
    Person,
    RoleGrant,
    RoleRevocation,
)
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import Caller, Permission
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import Command, EventLog, NewEvent, Query, Recorded, decide, item, new_event, query
from services.governance import assignments, people

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was recorded: the id that it is about, and the position of the last event."""

    id: str
    position: int


class Governance:
    """People, roles, assignments and the opening of dossiers."""

    def __init__(self, log: EventLog, clock: Clock = utc_now) -> None:
        self._log = log
        self._clock = clock

    def register(self, caller: Caller, person: Person, person_id: str | None, command: Command | None) -> Receipt:
        """Registers a person; without an id of theirs, one is made."""
        own = person_id or str(uuid4())

        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, Permission.KEEP_PEOPLE, known)
            event = people.register(standing(own, known), person.name, person.email)
            return [
                new_event(
                    event,
                    recorded_by=caller.actor,
                    subject=own,
                    server_set=() if person_id else ("person_id",),
                )
            ]

        try:
            events = self._decide(_standings(own, caller), decision, command)
        except Refusal as refusal:
            first = self._registered_with(own, person) if refusal.kind is Kind.PERSON_EXISTS else None
            if first is None:
                raise
            events = [first]  # the same person, sent again: the first answer
        return Receipt(str(events[-1].data["person_id"]), events[-1].position)

    def grant_role(self, caller: Caller, person_id: str, wanted: RoleGrant, command: Command | None) -> Receipt:
        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, Permission.KEEP_PEOPLE, known)
            return [new_event(people.grant(standing(person_id, known), wanted), recorded_by=caller.actor)]

        return Receipt(person_id, self._decide(_standings(person_id, caller), decision, command)[-1].position)

    def revoke_role(self, caller: Caller, person_id: str, wanted: RoleRevocation, command: Command | None) -> Receipt:
        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, Permission.KEEP_PEOPLE, known)
            event = people.revoke(standing(person_id, known), wanted)
            return [new_event(event, recorded_by=caller.actor, subject=person_id)]

        return Receipt(person_id, self._decide(_standings(person_id, caller), decision, command)[-1].position)

    def open_dossier(self, caller: Caller, person_id: str, command: Command | None) -> Receipt:
        """Opens the dossier, and grants the role of principal where it is missing, in one transaction."""

        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, Permission.OPEN_DOSSIER, known)
            target = standing(person_id, known)
            people.require_registered(target)
            if _dossier_is_open(person_id, known):
                raise Refusal(Kind.DOSSIER_EXISTS, f"The dossier of {person_id} is open already; nothing is to do.")
            role = people.principal_role_where_missing(target, self._clock().date())
            opened = new_event(
                DossierOpened(principal_id=person_id), recorded_by=caller.actor, tags=(f"principal:{person_id}",)
            )
            return [*([new_event(role, recorded_by=caller.actor)] if role else []), opened]

        events = self._decide(_standings(person_id, caller, dossier=person_id), decision, command)
        return Receipt(person_id, events[-1].position)

    def assign(
        self, caller: Caller, principal: str, person_id: str, wanted: Assignment, command: Command | None
    ) -> Receipt:
        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, Permission.KEEP_PEOPLE, known)
            _require_dossier(principal, known)
            event = assignments.assign(standing(person_id, known), principal, wanted)
            return [_of_assessor(event, person_id, principal, caller)]

        asked = _standings(person_id, caller, dossier=principal)
        return Receipt(person_id, self._decide(asked, decision, command)[-1].position)

    def end_assignment(
        self, caller: Caller, principal: str, person_id: str, wanted: AssignmentEnd, command: Command | None
    ) -> Receipt:
        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            self._require(caller, Permission.KEEP_PEOPLE, known)
            event = assignments.end(standing(person_id, known), principal, wanted.on)
            return [_of_assessor(event, person_id, principal, caller)]

        return Receipt(person_id, self._decide(_standings(person_id, caller), decision, command)[-1].position)

    def _decide(
        self,
        asked: Query,
        decision: Callable[[list[Recorded]], Sequence[NewEvent]],
        command: Command | None,
    ) -> list[Recorded]:
        return decide(self._log, asked, decision, command=command).events

    def _require(self, caller: Caller, permission: Permission, known: list[Recorded]) -> None:
        own = standing(caller.person, known) if caller.person else Standing("")
        permission.require(caller, own, self._clock().date())

    def _registered_with(self, person_id: str, person: Person) -> Recorded | None:
        """The registration of this person, if it says the same."""
        asked = query(item(types=("PersonRegistered",), tags=(f"person:{person_id}",)))
        for event in self._log.read(asked, unseal=True):
            if event.data.get("name") == person.name and event.data.get("email") == person.email:
                return event
        return None


def _standings(person_id: str, caller: Caller, *, dossier: str | None = None) -> Query:
    """All that a decision about this person may rest on: their standing, the caller's, one dossier's opening."""
    persons = [person_id] if caller.person in (None, person_id) else [person_id, str(caller.person)]
    items = [item(types=STANDING_TYPES, tags=(f"person:{person}",)) for person in persons]
    if dossier is not None:
        items.append(item(types=("DossierOpened",), tags=(f"dossier:{dossier}",)))
    return query(*items)


def _dossier_is_open(principal: str, known: list[Recorded]) -> bool:
    return any(event.type == "DossierOpened" and event.stream == f"dossier:{principal}" for event in known)


def _require_dossier(principal: str, known: list[Recorded]) -> None:
    if not _dossier_is_open(principal, known):
        raise Refusal(Kind.UNKNOWN_PRINCIPAL, f"No dossier of {principal} has been opened. Open it first.")


def _of_assessor(
    event: AssessorAssigned | AssessorUnassigned, assessor: str, principal: str, caller: Caller
) -> NewEvent:
    return new_event(event, recorded_by=caller.actor, stream=f"person:{assessor}", tags=(f"person:{principal}",))
