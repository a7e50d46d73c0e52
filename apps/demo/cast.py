"""Who is in the demonstration: staff by region, and principals with a shape of career each. All invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

from apps.demo import words
from contracts.continuum import Level
from contracts.vocabulary import REGIONS, Role


class Shape(StrEnum):
    """How a principal's two years go."""

    EXEMPLARY = "exemplary"
    """Judged on every competency, up to transformational."""
    BROAD = "broad"
    """Judged on every competency, up to developing."""
    STRONG = "strong"
    """Three areas, some of them up to transformational."""
    STEADY = "steady"
    NEW = "new"
    """Came a few months ago."""
    RETURNED = "returned"
    """A level lapsed when an entry was retracted, and came back by new evidence."""
    CHANGED = "changed"
    """Another coach took over in mid-course."""


_FIRST: Final = (Shape.EXEMPLARY, Shape.RETURNED, Shape.NEW, Shape.CHANGED, Shape.STRONG, Shape.STEADY, Shape.BROAD)
"""Of the first principals, so that a small demonstration has one of each."""
_OTHERS: Final = {Shape.STEADY: 40, Shape.STRONG: 18, Shape.NEW: 18, Shape.RETURNED: 10, Shape.CHANGED: 14}
_BROAD_EVERY: Final = 20
_COACHED_BY_ONE: Final = 9
"""Most principals of one coach."""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    email: str
    roles: tuple[tuple[Role, str | None], ...] = ()
    """(role, scope), granted at the start of the program."""


@dataclass(frozen=True, slots=True)
class Principal(Person):
    region: str = ""
    school: str = ""
    shape: Shape = Shape.STEADY
    coach: str = ""
    mentor: str = ""
    facilitator: str = ""
    next_coach: str = ""
    """Who takes over where the shape says so."""
    director: str = ""
    """Who resolves this principal's disputes, and judges nothing of theirs."""
    seed: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Cast:
    registrar: Person
    staff: tuple[Person, ...]
    """In the order in which they are registered; without the registrar."""
    principals: tuple[Principal, ...]


def make_cast(seed: int, size: int) -> Cast:
    """The people of a demonstration of `size` principals. Pure."""
    rng = Random(f"cast {seed} {size}")  # noqa: S311  # a demonstration, no secret
    names = _names(rng)
    registrar = _person("registrar-1", names, (Role.REGISTRAR, None))
    directors = [
        _person(
            f"director-{level.value}", names, (Role.LEAD_DIRECTOR if level is Level.EMERGING else Role.DIRECTOR, level)
        )
        for level in Level
    ]
    staff = [
        _person("chair-1", names, (Role.CHAIR, None)),
        _person("auditor-1", names, (Role.AUDITOR, None)),
        *directors,
    ]
    used = REGIONS[: min(size, len(REGIONS))]
    crews = {}
    for index, region in enumerate(used, start=1):
        of_region = len(range(index - 1, size, len(used)))
        coaches = [
            _person(f"coach-{index}{letter}", names, (Role.COACH, None))
            for letter in "abcdefghijklmnopqrstuvwxyz"[: min(26, 2 + of_region // _COACHED_BY_ONE)]
        ]
        mentor = _person(f"mentor-{index}", names, (Role.MENTOR, None))
        facilitator = _person(f"facilitator-{index}", names, (Role.FACILITATOR, None))
        crews[region] = (coaches, mentor, facilitator)
        staff += [*coaches, mentor, facilitator]
    principals = []
    for number in range(size):
        region = used[number % len(used)]
        coaches, mentor, facilitator = crews[region]
        place = number // len(used) % len(coaches)
        person = _person(f"p-{number + 1:03}", names)
        principals.append(
            Principal(
                **{name: getattr(person, name) for name in Person.__slots__},
                region=region,
                school=f"{rng.choice(words.SCHOOL_PLACES)} {rng.choice(words.SCHOOL_KINDS)}",
                shape=_shape(rng, number),
                coach=coaches[place].id,
                next_coach=coaches[(place + 1) % len(coaches)].id,
                mentor=mentor.id,
                facilitator=facilitator.id,
                director=rng.choice(directors).id,
                seed=f"principal {seed} {size} {number}",
            )
        )
    return Cast(registrar, tuple(staff), tuple(principals))


def _shape(rng: Random, number: int) -> Shape:
    drawn = rng.choices(list(_OTHERS), weights=list(_OTHERS.values()))[0]
    if number < len(_FIRST):
        return _FIRST[number]
    return Shape.BROAD if number % _BROAD_EVERY == 0 else drawn


def _names(rng: Random) -> Iterator[str]:
    """Names without end, none twice."""
    pairs = [(first, last) for first in words.FIRST_NAMES for last in words.LAST_NAMES]
    rng.shuffle(pairs)
    yield from (f"{first} {last}" for first, last in pairs)
    for number in range(2, 1_000):
        yield from (f"{first} {last} {number}" for first, last in pairs)


def _person(person_id: str, names: Iterator[str], *roles: tuple[Role, str | None]) -> Person:
    name = next(names)
    # RFC 2606: nobody can ever have an address there.
    return Person(person_id, name, name.lower().replace(" ", ".") + "@schools.example", roles)
