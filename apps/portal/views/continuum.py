"""A principal's continuum as a picture (levels × competencies), and one competency with why and what next.

The shapes read here are those of `GET /api/v1/principals/{id}/continuum`, `…/evidence` and `…/credentials`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from contracts.continuum import LEVELS, OVERALL, Level
from contracts.framework import Framework

from . import words

Json = Mapping[str, Any]
CellState = Literal["reached", "some", "none"]


@dataclass(frozen=True, slots=True)
class Cell:
    level: str
    state: CellState
    current: bool
    items: int
    """Pieces of evidence that qualify for the level today."""
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    label: str
    official: bool
    level: str | None
    level_label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The competencies of a domain."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    groups: tuple[Group, ...]
    any_unofficial: bool
    counts: tuple[tuple[str, str, int], ...]
    """(level, its label, how many competencies stand there), highest first."""


def picture(continuum: Json, framework: Framework) -> Picture:
    """The whole continuum, competencies grouped by domain in the framework's order."""
    by_domain: dict[str | None, list[Row]] = {domain.id: [] for domain in framework.domains or ()}
    known = {competency.number: competency for competency in framework.competencies}
    tally = dict.fromkeys(LEVELS, 0)
    for one in continuum["competencies"]:
        row = _row(one, framework)
        domain = known[row.number].domain if row.number in known else None
        by_domain.setdefault(domain, []).append(row)
        if row.level is not None:
            tally[Level(row.level)] += 1
    names = {domain.id: domain.name or domain.id for domain in framework.domains or ()}
    groups = [
        Group(names.get(domain or "", "Domain not supplied yet"), tuple(rows))
        for domain, rows in by_domain.items()
        if rows
    ]
    return Picture(
        groups=tuple(groups),
        any_unofficial=any(not row.official for group in groups for row in group.rows),
        counts=tuple((level.value, level.label, tally[level]) for level in reversed(LEVELS)),
    )


def _row(one: Json, framework: Framework) -> Row:
    number = int(one["competency"])
    label, official = _label(number, one, framework)
    standing = one["level"]
    cells = tuple(_cell(level, standing) for level in one["levels"])
    return Row(number, label, official, standing, words.level_label(standing), cells)


def _label(number: int, one: Json, framework: Framework) -> tuple[str, bool]:
    """ "6. Observes classroom instruction …", or "Competency 18", and whether it is official text."""
    if number in framework.numbers:
        competency = framework.competency(number)
        text, official = words.clean(competency.label, 400), competency.has_official_text
    else:
        text, official = words.clean(one.get("title"), 400), bool(one.get("title"))
    bare = words.competency_name(number)
    return (bare if text in ("", bare) else f"{number}. {text}"), official


def _cell(level: Json, standing: str | None) -> Cell:
    name = Level(level["level"])
    stands = standing is not None and name.rank <= Level(standing).rank
    items = next((clause["have"] for clause in level["clauses"] if clause["clause"] == "items"), 0)
    state: CellState = "reached" if stands else "some" if items else "none"
    said = {"reached": "reached", "some": "not reached yet", "none": "not yet"}[state]
    number = f", {words.counted(items, 'piece', 'pieces')} of evidence" if items else ""
    return Cell(name.value, state, name.value == standing, items, f"{name.label} {said}{number}")


# One competency -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clause:
    asks: str
    need: str
    have: str
    met: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """An item as a page about a level shows it: what kind, when, where; not what it says."""

    kind: str
    on: str
    date: str
    """`YYYY-MM-DD`, for sorting and for machines."""
    setting: str
    note: str
    """Retracted, disputed: what a reader has to know before counting it."""


@dataclass(frozen=True, slots=True)
class LevelView:
    level: str
    label: str
    stands: bool
    current: bool
    next: bool
    reached_on: str | None
    reached_date: str
    policy: str | None
    descriptor: str | None
    clauses: tuple[Clause, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class CompetencyView:
    number: int | Literal["overall"]
    label: str
    official: bool
    heading: str
    level: str | None
    level_label: str
    steps: int
    """How many of the four levels stand."""
    policy: str
    levels: tuple[LevelView, ...]
    next_label: str | None
    next_sentence: str | None


def competency(one: Json, framework: Framework, evidence: Iterable[Json]) -> CompetencyView:
    """Why the level stands, clause by clause, and what comes next. `one` is a COMPETENCY, also of `overall`."""
    number = one["competency"]
    upcoming = one.get("next")
    if number == OVERALL:
        label, official, heading = "Overall level", True, ""
    else:
        label, official = _label(number, one, framework)
        heading = _heading(number, framework)
    items = {item["evidence_id"]: _evidence(item) for item in evidence}
    policy = one["policy"]
    return CompetencyView(
        number=number,
        label=label,
        official=official,
        heading=heading,
        level=one["level"],
        level_label=words.level_label(one["level"]),
        steps=0 if one["level"] is None else Level(one["level"]).rank + 1,
        policy=f"{policy['id']} {policy['version']}",
        levels=tuple(_level(level, one, framework, items) for level in one["levels"]),
        next_label=words.level_label(upcoming["level"]) if upcoming else None,
        next_sentence=words.clean(upcoming["sentence"], 2000) if upcoming else None,
    )


def _heading(number: int, framework: Framework) -> str:
    if number not in framework.numbers:
        return ""
    one = framework.competency(number)
    domain = next((d.name for d in framework.domains or () if d.id == one.domain), None)
    return " · ".join(part for part in (domain, one.heading) if part)


def _level(level: Json, one: Json, framework: Framework, items: Mapping[str, Evidence]) -> LevelView:
    name = Level(level["level"])
    standing, reached = one["level"], level["reached"]
    upcoming = one.get("next")
    number = one["competency"]
    overall = number == OVERALL
    ids: dict[str, None] = {}
    for group in [reached or {}, *level["clauses"]]:
        ids.update(dict.fromkeys(group.get("evidence_ids", ())))
    policy = reached["policy"] if reached else None
    known = not overall and number in framework.numbers
    stands = standing is not None and name.rank <= Level(standing).rank
    return LevelView(
        level=name.value,
        label=name.label,
        stands=stands,
        current=name.value == standing,
        next=upcoming is not None and upcoming["level"] == name.value,
        reached_on=words.day(reached["at"]) if reached else None,
        reached_date=str(reached["at"])[:10] if reached else "",
        policy=f"{policy['id']} {policy['version']}" if policy else None,
        descriptor=framework.competency(number).descriptor(name) if known else None,
        clauses=_overall_clauses(level["clauses"], framework) if overall else _clauses(level["clauses"]),
        evidence=tuple(sorted((items[i] for i in ids if i in items), key=lambda item: (item.date, item.kind))),
    )


def _clauses(clauses: Sequence[Json]) -> tuple[Clause, ...]:
    return tuple(
        Clause(
            asks=words.upper_first(words.clause(clause["clause"], clause["need"])),
            need=str(clause["need"]),
            have=str(clause["have"]),
            met=bool(clause["met"]),
        )
        for clause in clauses
    )


def _overall_clauses(clauses: Sequence[Json], framework: Framework) -> tuple[Clause, ...]:
    found = []
    for clause in clauses:
        number = clause["competency"]
        label, _ = _label(number, clause, framework)
        found.append(
            Clause(
                asks=label,
                need=words.level_label(clause["need"]),
                have=words.level_label(clause["have"]) if clause.get("have") else "none yet",
                met=bool(clause["met"]),
            )
        )
    return tuple(found)


def _evidence(item: Json) -> Evidence:
    steps = [event["data"] for event in item["events"]]
    date = max((str(step["occurred_on"]) for step in steps if step.get("occurred_on")), default="")
    setting = next((words.clean(step["setting"], 80) for step in steps if step.get("setting")), "")
    notes = {"open": "not complete yet", "retracted": "retracted"}
    note = notes.get(item.get("state", ""), "")
    if item.get("dispute") == "open":
        note = f"{note}, disputed" if note else "disputed"
    return Evidence(words.kind(item["kind"]).capitalize(), words.day(date) if date else "", date, setting, note)


# Badges of a principal --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeldBadge:
    name: str
    level: str
    mark: str
    state: str
    """`issued`, `suspended`, `revoked`, `intended`."""
    note: str
    href: str | None
    """Its public page, where its holder shares it."""


def badges(credentials: Iterable[Json]) -> tuple[HeldBadge, ...]:
    """The badges of one principal; the overall level first, then the highest levels."""

    def rank(one: Json) -> tuple[bool, int, int, bool]:
        overall = one["competency"] == OVERALL
        return one["state"] == "revoked", -Level(one["level"]).rank, 0 if overall else int(one["competency"]), overall

    found = []
    for one in sorted(credentials, key=rank):
        competency_ = one["competency"]
        overall = competency_ == OVERALL
        note = {"intended": "being signed", "suspended": "suspended", "revoked": "revoked"}.get(one["state"], "")
        if one["state"] == "revoked" and one.get("reason"):
            note = f"revoked: {words.clean(one['reason'], 40)}"
        shared = bool(one.get("shared")) and one["state"] != "intended"
        found.append(
            HeldBadge(
                name=f"{words.competency_name(competency_)}, {words.level_label(one['level'])}",
                level=one["level"],
                mark="All" if overall else str(competency_),
                state=one["state"],
                note=note,
                href=f"/credentials/{one['id']}" if shared else None,
            )
        )
    return tuple(found)


# Around the picture -----------------------------------------------------------------------------------------


def as_of(continuum: Json) -> str:
    """ "as of March 2, 2026", where the continuum was asked for a day; else nothing."""
    return f"as of {words.day(continuum['as_of'])}" if continuum.get("as_of") else ""


def neighbours(competency_: object, competencies: Sequence[Json]) -> tuple[int | None, int | None]:
    """The numbers of the competencies before and after this one."""
    numbers = [int(one["competency"]) for one in competencies]
    if competency_ == OVERALL or competency_ not in numbers:
        return None, numbers[0] if numbers else None
    place = numbers.index(int(str(competency_)))
    return numbers[place - 1] if place else None, numbers[place + 1] if place + 1 < len(numbers) else None
