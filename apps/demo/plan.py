"""The plan of a demonstration: who does what when, over two program years. Pure: seed, size and last day in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from apps.demo.careers import career, joined_on
from apps.demo.cast import Cast, Person, Principal, Shape, make_cast
from apps.demo.scribe import Tour, morning
from apps.demo.steps import ShareStep, Step
from contracts.vocabulary import Role

DAYS: Final = 728
"""Two program years, from the day on which staff are registered to the last day."""
_NAMES: Final = uuid5(NAMESPACE_OID, "mlds.demonstration")
_SECONDS: Final = timedelta(seconds=11)


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    first: date
    last: date
    cast: Cast
    steps: tuple[Step, ...]
    """In the order of time."""
    shares: tuple[ShareStep, ...]
    """After all steps, and after everything that follows from them."""

    @property
    def end(self) -> datetime:
        """A moment after the last step."""
        return morning(self.last + timedelta(days=1))


def key_of(seed: int, size: int, first: date, step: int | str) -> UUID:
    """The Idempotency-Key of a step: the same demonstration sends the same commands."""
    return uuid5(_NAMES, f"{seed} {size} {first} {step}")


def make_plan(seed: int, size: int, last: date) -> Plan:
    """The plan for `size` principals whose last day is `last`.

    The whole history is legal and in order: recorded times rise, nobody records a day outside of their
    assignment, no day lies after its recording.
    """
    first = last - timedelta(days=DAYS)
    cast = make_cast(seed, size)
    joined = [(principal.id, joined_on(principal, first, last)) for principal in cast.principals]
    steps = [*_staff(cast, first)]
    for principal, (_, day) in zip(cast.principals, joined, strict=True):
        tours, evidence = career(principal, first, last, joined)
        steps += [*_joining(cast, principal, day), *_assigning(cast, principal, tours, day), *evidence]
    steps.sort(key=lambda step: step.at)  # stable: steps of one moment stay in the order of their dossier
    keyed = tuple(step.keyed(key_of(seed, size, first, number)) for number, step in enumerate(steps))
    return Plan(seed, first, last, cast, keyed, tuple(_shares(cast, seed, first)))


def _staff(cast: Cast, first: date) -> Iterator[Step]:
    at = morning(first)
    for person in (cast.registrar, *cast.staff):
        # The operator makes the registrar, who makes everybody else.
        by = "" if person is cast.registrar else cast.registrar.id
        yield _registration(person, at, by)
        for role, scope in person.roles:
            at += _SECONDS
            body = {"role": role.value, "from": first.isoformat()} | ({"scope": str(scope)} if scope else {})
            yield Step(at, by, "RoleGranted", f"/people/{person.id}/roles", body)
        at += _SECONDS


def _registration(person: Person, at: datetime, by: str) -> Step:
    body = {"person_id": person.id, "name": person.name, "email": person.email}
    return Step(at, by, "PersonRegistered", "/people", body)


def _joining(cast: Cast, principal: Principal, day: date) -> Iterator[Step]:
    at = _moment(principal, day)
    yield _registration(principal, at, cast.registrar.id)
    role = {"role": Role.PRINCIPAL.value, "from": day.isoformat(), "scope": principal.region}
    yield Step(at + _SECONDS, cast.registrar.id, "RoleGranted", f"/people/{principal.id}/roles", role)
    body = {"person_id": principal.id}
    yield Step(at + 2 * _SECONDS, cast.registrar.id, "DossierOpened", "/principals", body, principal.id)


def _assigning(cast: Cast, principal: Principal, tours: list[Tour], joined: date) -> Iterator[Step]:
    path = f"/principals/{principal.id}/assessors"
    by = cast.registrar.id
    ended = [tour for tour in tours if tour.as_ == "coach" and tour.last is not None]
    for number, tour in enumerate(tours, start=2):
        body = {"person_id": tour.person, "as": tour.as_, "from": tour.first.isoformat()}
        if tour.last is not None and tour not in ended:
            body["until"] = tour.last.isoformat()
        at = _moment(principal, tour.first) + number * _SECONDS
        if tour.first > joined:
            for former in ended:
                end = {"on": tour.first.isoformat()}
                yield Step(at - _SECONDS, by, "AssessorUnassigned", f"{path}/{former.person}/end", end, principal.id)
        yield Step(at, by, "AssessorAssigned", path, body, principal.id)


def _moment(principal: Principal, day: date) -> datetime:
    """A moment in the registrar's morning, another for each principal."""
    number = int(principal.id.rpartition("-")[2])
    return morning(day) + timedelta(seconds=number % 40 * 80)


def _shares(cast: Cast, seed: int, first: date) -> Iterator[ShareStep]:
    """Who shows a badge, and whether with their name: one in eight, and always the first."""
    sharing = [
        principal
        for number, principal in enumerate(cast.principals)
        if number % 8 == 0 or principal.shape in (Shape.EXEMPLARY, Shape.BROAD)
    ]
    for number, principal in enumerate(sharing):
        key = key_of(seed, len(cast.principals), first, f"share {principal.id}")
        yield ShareStep(principal.id, number % 3 == 0, (None, 30, 90)[number % 3], key)
