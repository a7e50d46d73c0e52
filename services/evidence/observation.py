"""Observations: who records one, and when two are one visit typed twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.dossier import Dossiers, Item
from contracts.refusals import Fault, Kind, Refusal
from contracts.times import parse_date
from foundation.access.standing import Standing


class TextNeeded(Exception):
    """The decision rests on texts that are sealed: read them, and decide again."""


def require_assigned(principal: str, data: Mapping[str, Any], who: Standing) -> Refusal | None:
    """An assessor is assigned to the principal on `occurred_on`, as assignments are known now."""
    day = parse_date(data["occurred_on"])
    if who.assigned(principal, day):
        return None
    theirs = [known for known in who.assignments if known.principal == principal]
    known = ", ".join(f"{a.first} to {a.last or 'open end'}" for a in theirs)
    return Refusal(
        Kind.NOT_ASSIGNED,
        f"{who.person} is not assigned to {principal} on {day}" + (f" (assigned: {known})" if known else ""),
        [Fault("/occurred_on", f"{who.person} is not assigned to {principal} on this day")],
    )


def who_may(principal: str, data: Mapping[str, Any], item: Item | None, who: Standing, today: date) -> Refusal | None:
    return require_assigned(principal, data, who)


class Visits:
    """The observations of each assessor on each principal on each day."""

    def __init__(self) -> None:
        self._on: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}

    def add(self, principal: str, data: Mapping[str, Any], recorded_by: str) -> None:
        self._on.setdefault((principal, recorded_by, data["occurred_on"]), []).append(data)

    def on(self, principal: str, recorded_by: str, day: str) -> list[Mapping[str, Any]]:
        return self._on.get((principal, recorded_by, day), [])


def near_double(
    principal: str, data: Mapping[str, Any], recorded_by: str, visits: Visits, dossiers: Dossiers
) -> Refusal | None:
    """Two unretracted observations by one assessor on one principal on one day, with the same setting and
    judgments or the same narrative (trimmed), are one visit typed twice."""
    for earlier in visits.on(principal, recorded_by, data["occurred_on"]):
        item = dossiers.items.get(earlier["evidence_id"])
        if item is None or item.retracted:
            continue
        alike = earlier["setting"] == data["setting"] and _judged(earlier) == _judged(data)
        if not alike:
            if "narrative" not in earlier:
                raise TextNeeded
            alike = _same_text(earlier["narrative"], data["narrative"])
        if alike:
            return Refusal(
                Kind.NEAR_DOUBLE,
                f"{earlier['evidence_id']} is an observation by the same assessor on the same day, with the same "
                "setting and judgments or the same narrative",
                [
                    Fault(
                        "/occurred_on", f"{earlier['evidence_id']} looks like the same visit; else mark it as distinct"
                    )
                ],
            )
    return None


def _judged(data: Mapping[str, Any]) -> dict[int, str]:
    return {judgment["competency"]: judgment["level"] for judgment in data["judgments"]}


def _same_text(one: object, other: object) -> bool:
    # An erased narrative is no text.
    return isinstance(one, str) and isinstance(other, str) and one.strip() == other.strip() != ""
