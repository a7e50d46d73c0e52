"""Two years of one principal: in which areas they are seen, how they grow, what goes wrong and is put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from apps.demo.cast import Principal, Shape
from apps.demo.school_calendar import school_day
from apps.demo.scribe import Levels, Scribe, Tour, Written, morning
from apps.demo.steps import Step
from contracts.continuum import LEVELS, Level
from contracts.framework import MLDS_2016

_COURSE: Final = (
    (0.02, "observation"),
    (0.09, "observation"),
    (0.16, "cycle"),
    (0.30, "artifact"),
    (0.46, "observation"),
    (0.50, "cycle"),
    (0.64, "artifact"),
    (0.74, "cycle"),
    (0.90, "observation"),
)
"""What is seen in an area: when (as a share of its time) and of what kind."""
_GROWN: Final = 0.45
"""The share of the time after which the level aimed at is shown."""
_THEMES: Final = ((4, 5, 6), (7, 8, 9), (1, 2, 3), (12, 13, 14, 15), (10, 11), (16, 17))
_E, _D, _T = Level.EMERGING.rank, Level.DEVELOPING.rank, Level.TRANSFORMATIONAL.rank


@dataclass(frozen=True, slots=True)
class Area:
    """Competencies that are worked on together for some time."""

    competencies: tuple[int, ...]
    first: date
    last: date
    begins: int
    aims: int
    """Ranks of levels."""
    dense: bool = False
    """Nothing is left out, and each item is judged on all of them."""

    def day(self, share: float) -> date:
        return self.first + timedelta(days=round(share * (self.last - self.first).days))

    def rank(self, share: float) -> float:
        return self.begins + (self.aims - self.begins) * min(1.0, share / _GROWN)


def joined_on(principal: Principal, first: date, last: date) -> date:
    """The day on which the dossier is opened."""
    rng = Random(f"joined {principal.seed}")  # noqa: S311  # a demonstration, no secret
    whole = (last - first).days
    match principal.shape:
        case Shape.EXEMPLARY | Shape.BROAD:
            share = rng.uniform(0.0, 0.02)
        case Shape.NEW:
            share = rng.uniform(0.82, 0.9)
        case Shape.STEADY:
            share = rng.uniform(0.0, 0.5)
        case _:
            share = rng.uniform(0.0, 0.12)
    return school_day(first + timedelta(days=7 + round(share * whole)))


def career(
    principal: Principal, first: date, last: date, mentees: Sequence[tuple[str, date]]
) -> tuple[list[Tour], list[Step]]:
    """Assignments and steps of one principal from their joining to `last`, the last day. Pure.

    mentees: other principals and the days on which they joined.
    """
    rng = Random(principal.seed)  # noqa: S311  # a demonstration, no secret
    joined = joined_on(principal, first, last)
    tours = _tours(principal, joined, last)
    scribe = Scribe(principal, tours, rng)
    loose: list[Written] = []
    for area in _areas(principal.shape, joined, last, rng):
        loose += _work(scribe, area, rng)
    loose += _here_and_there(scribe, joined, last, rng)
    match principal.shape:
        case Shape.RETURNED:
            _lapse_and_return(scribe, joined, rng)
        case Shape.CHANGED:
            _late_entry_of_the_former_coach(scribe, tours)
        case _:
            pass
    _put_right(scribe, loose, rng)
    if principal.shape in (Shape.EXEMPLARY, Shape.BROAD, Shape.STRONG):
        _mentor_others(scribe, joined, last, mentees, rng)
    end = morning(last + timedelta(days=1))
    return tours, [step for step in scribe.steps if step.at < end]


def _tours(principal: Principal, joined: date, last: date) -> list[Tour]:
    a_year = joined + timedelta(days=364)
    others = [Tour(principal.facilitator, "facilitator", joined), Tour(principal.mentor, "mentor", joined, a_year)]
    if principal.shape is not Shape.CHANGED:
        return [Tour(principal.coach, "coach", joined), *others]
    change = school_day(joined + timedelta(days=(last - joined).days * 45 // 100))
    return [
        Tour(principal.coach, "coach", joined, change - timedelta(days=1)),
        *others,
        Tour(principal.next_coach, "coach", change),
    ]


def _areas(shape: Shape, joined: date, last: date, rng: Random) -> list[Area]:
    numbers = sorted(MLDS_2016.numbers)
    start = joined + timedelta(days=4)
    if shape in (Shape.EXEMPLARY, Shape.BROAD):
        aims = _T if shape is Shape.EXEMPLARY else _D
        size = -(-len(numbers) // 4)
        return [
            Area(tuple(numbers[at : at + size]), start + timedelta(days=5 * index), last, 1, aims, dense=True)
            for index, at in enumerate(range(0, len(numbers), size))
        ]
    aims_of = {
        Shape.STRONG: (_T, rng.choice((_T, _D)), _D),
        Shape.NEW: (_E,),
        Shape.RETURNED: (rng.choice((_D, _T)), _E),
        Shape.CHANGED: (rng.choice((_D, _T)), _D),
    }.get(shape, (rng.choice((_T, _D, _D)), rng.choice((_D, _E, _E))))
    themes = rng.sample(_THEMES, len(aims_of))
    awaited = [number for number in numbers if number > 17]
    areas = []
    for aims, theme in zip(aims_of, themes, strict=True):
        competencies = (*theme, *rng.sample(awaited, rng.randint(0, 2)))
        first = start + timedelta(days=rng.randint(0, 25))
        areas.append(Area(tuple(dict.fromkeys(competencies)), first, last, rng.choice((0, 0, 1)), aims))
    return areas


def _work(scribe: Scribe, area: Area, rng: Random) -> list[Written]:
    """The items of an area; returns observations that no cycle names."""
    talent = {number: 0.5 if area.dense else rng.uniform(-0.25, 0.75) for number in area.competencies}
    seen: list[Written] = []
    named: list[Written] = []
    for share, kind in _COURSE:
        if not area.dense and rng.random() < 0.12:
            continue
        day = area.day(share) + timedelta(days=rng.randint(0, 9))
        if day > area.last:
            break
        levels = _levels(area, share, talent)
        other = rng.choice(("facilitator", "mentor"))
        match kind:
            case "observation":
                part = levels if area.dense else _some(levels, rng)
                seen.append(scribe.observation(day, part, as_=rng.choice(("coach", other))))
            case "cycle":
                latest = seen[-1:]
                scribe.cycle(day, levels, as_="coach" if rng.random() < 0.75 else other, after=latest)
                named += latest
            case "artifact":
                both = rng.random() < 0.4
                work = scribe.artifact(day, levels, reviewers=("facilitator", "coach") if both else ("facilitator",))
                if rng.random() < 0.15:
                    scribe.review_again(work, _raised(levels, area), "facilitator")
    return [item for item in seen if item not in named]


def _levels(area: Area, share: float, talent: dict[int, float]) -> Levels:
    rank = area.rank(share)
    return {number: LEVELS[max(0, min(area.aims, int(rank + talent[number])))] for number in area.competencies}


def _raised(levels: Levels, area: Area) -> Levels:
    return {number: LEVELS[min(area.aims, level.rank + 1)] for number, level in levels.items()}


def _some(levels: Levels, rng: Random) -> Levels:
    return {
        number: levels[number] for number in sorted(rng.sample(sorted(levels), min(len(levels), rng.randint(2, 4))))
    }


def _here_and_there(scribe: Scribe, joined: date, last: date, rng: Random) -> list[Written]:
    """Observations outside of the areas, at meetings and labs; now and then two visits on one day."""
    whole = (last - joined).days - 10
    found = []
    for _ in range(rng.randint(1, 4) if whole > 150 else rng.randint(0, 2)):
        day = joined + timedelta(days=rng.randint(5, whole))
        share = (day - joined).days / max(whole, 1)
        numbers = rng.sample(sorted(MLDS_2016.numbers), rng.randint(1, 3))
        levels = {number: LEVELS[int(rng.random() + share)] for number in numbers}
        item = scribe.observation(day, levels, as_=rng.choice(("facilitator", "mentor", "coach")))
        found.append(item)
        if rng.random() < 0.08:
            scribe.observation(item.day, levels, distinct_from=item)
            found.pop()
    return found


def _put_right(scribe: Scribe, loose: Sequence[Written], rng: Random) -> None:
    """Retractions with a superseding record, and disputes with their ends; at most one on an item."""
    items = rng.sample(list(loose), min(len(loose), 3))
    if items and rng.random() < 0.3:
        item = items.pop()
        at = scribe.retract(item, rng.randint(1, 20))
        lower = {number: LEVELS[max(0, level.rank - rng.randint(0, 1))] for number, level in item.levels.items()}
        scribe.again(school_day(at.date() + timedelta(days=1)), lower, item)
    if items and rng.random() < 0.35:
        item = items.pop()
        disputed = scribe.dispute(item, rng.randint(2, 20))
        end = rng.choices(("rejected", "upheld", "retracted"), (45, 40, 15))[0]
        if end == "retracted":
            scribe.retract(Written(item.id, item.by, item.day, item.levels, "", disputed), rng.randint(1, 9))
        else:
            scribe.resolve(item, disputed, rng.randint(6, 30), end)


def _lapse_and_return(scribe: Scribe, joined: date, rng: Random) -> None:
    """Emerging is reached by two visits, lapses when one is retracted, and is reached again by a third."""
    number = rng.choice(sorted(MLDS_2016.numbers - {one for theme in _THEMES for one in theme}))
    levels = {number: Level.EMERGING}
    scribe.observation(joined + timedelta(days=40), levels, as_="facilitator", delay=0)
    second = scribe.observation(joined + timedelta(days=75), levels, as_="coach", delay=1)
    scribe.retract(second, 60)
    scribe.observation(joined + timedelta(days=300), levels, as_="coach", delay=0)


def _late_entry_of_the_former_coach(scribe: Scribe, tours: Sequence[Tour]) -> None:
    """Seen in the last weeks of their assignment, written down after it: it counts."""
    former = tours[0]
    assert former.last is not None
    scribe.observation(former.last - timedelta(days=14), {6: Level.EMERGING, 8: Level.EMERGING}, delay=35)


def _mentor_others(scribe: Scribe, joined: date, last: date, mentees: Sequence[tuple[str, date]], rng: Random) -> None:
    day = joined + timedelta(days=(last - joined).days // 3)
    for _ in range(rng.randint(5, 9)):
        day += timedelta(days=rng.randint(8, 40))
        there = [mentee for mentee, since in mentees if since < day and mentee != scribe.principal.id]
        if day > last or not there:
            return
        scribe.mentoring(day, rng.choice(there[:4]), rng.sample(sorted(MLDS_2016.numbers), rng.randint(1, 3)))
