"""The list of people in the demonstration: who, where, and how many competencies stand at which level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from contracts.continuum import LEVELS
from contracts.ids import is_id

from . import words

PAGE_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What the services tell about one principal; `levels` counts the competencies at each level."""

    id: str
    name: str
    region: str | None
    overall: str | None
    levels: Mapping[str, int]
    competencies: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar, in units of one competency: from `start`, `width` long."""

    level: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    region: str
    overall: str | None
    overall_label: str
    segments: tuple[Segment, ...]
    competencies: int
    summary: tuple[str, ...]
    """The bar in words, a part for each level that occurs."""


@dataclass(frozen=True, slots=True)
class People:
    shown: tuple[Person, ...]
    total: int
    found: int
    first: int
    """Ordinal of the first person shown, counted from 1 among those found."""
    name: str
    region: str
    regions: tuple[str, ...]
    previous: str | None
    next: str | None
    """Query strings of the pages before and after."""

    @property
    def filtered(self) -> bool:
        return bool(self.name or self.region)


def people(rows: Iterable[PersonRow], *, name: str = "", region: str = "", after: str = "") -> People:
    """The page of people whose name holds `name`, from `region`; `after` is the id of the last one before it.

    A page begins after a person, not after a number of people: nobody is lost or doubled while the list grows.
    """
    everyone = sorted(rows, key=lambda row: (row.name.casefold(), row.id))
    wanted = words.clean(name, 100).strip()
    found = [
        row for row in everyone if wanted.casefold() in row.name.casefold() and (not region or region == row.region)
    ]
    begin = next((i + 1 for i, row in enumerate(found) if row.id == after), 0) if is_id(after) else 0
    page = found[begin : begin + PAGE_SIZE]
    before = None
    if begin > 0:
        before = _query(wanted, region, found[begin - PAGE_SIZE - 1].id if begin > PAGE_SIZE else "")
    more = begin + PAGE_SIZE < len(found)
    return People(
        shown=tuple(_person(row) for row in page),
        total=len(everyone),
        found=len(found),
        first=begin + 1,
        name=wanted,
        region=words.clean(region, 100),
        regions=tuple(sorted({row.region for row in everyone if row.region})),
        previous=before,
        next=_query(wanted, region, page[-1].id) if more else None,
    )


def _query(name: str, region: str, after: str) -> str:
    return urlencode({key: value for key, value in (("name", name), ("region", region), ("after", after)) if value})


def _person(row: PersonRow) -> Person:
    segments, start, parts = [], 0, []
    for level in reversed(LEVELS):  # the highest first, so that bars compare at a glance
        number = row.levels.get(level.value, 0)
        if number:
            segments.append(Segment(level.value, start, number))
            parts.append(f"{number} {level.label}")
            start += number
    none = row.competencies - start
    if none > 0:
        parts.append(f"{none} not yet")
    return Person(
        id=row.id,
        name=words.clean(row.name, 120) or row.id,
        region=words.clean(row.region, 80),
        overall=row.overall,
        overall_label=words.level_label(row.overall),
        segments=tuple(segments),
        competencies=max(row.competencies, 1),
        summary=tuple(parts),
    )
