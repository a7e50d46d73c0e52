"""What the continuum says of a competency: its levels, why, and what is missing next.

The shapes are those of `GET /principals/{id}/continuum`. Clauses judge today's qualifying items by the policy
that is now in force; `reached` tells under which policy, and on what, a standing level was reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from contracts.continuum import LEVELS, OVERALL, Level
from contracts.framework import Framework
from services.projections.decisions import Rule
from services.projections.derivation import MEASURES, TOP, Shown
from services.projections.rows import NOTHING, Standing

_KINDS: Final = {"observation": "observation", "feedback_cycle": "feedback cycle", "artifact": "artifact"}


def competency(number: int, found: Standing, rule: Rule, framework: Framework | None) -> dict[str, Any]:
    """One COMPETENCY. framework: one that has the number, None where none does."""
    qualifying = {rank: [item for item in found.shown if item.rank >= rank] for rank in range(TOP)}
    levels = [
        {
            "level": level.value,
            "reached": _reached(found, rank),
            "clauses": [_clause(clause, need, qualifying[rank]) for clause, need in rule.clauses[rank]],
        }
        for rank, level in enumerate(LEVELS)
    ]
    return {
        "competency": number,
        "title": framework.competency(number).label if framework else f"Competency {number}",
        "level": found.level,
        "policy": {"id": rule.id, "version": rule.version},
        "levels": levels,
        "next": _next(len(found.standing), rule, qualifying),
    }


def overall(
    found: Standing, competencies: Mapping[int, Standing], rule: Rule, framework: Framework | None
) -> dict[str, Any]:
    """The COMPETENCY of the overall level. framework: the one that the policy in force names."""
    numbers = sorted(framework.numbers) if framework else []

    def clauses(rank: int) -> list[dict[str, Any]]:
        return [
            {
                "clause": "competency",
                "competency": number,
                "need": LEVELS[rank].value,
                "have": (have := competencies.get(number, NOTHING)).level,
                "met": len(have.standing) > rank,
            }
            for number in numbers
        ]

    rank = len(found.standing)
    upcoming = None
    if rank < TOP:
        missing = [{**clause} for clause in clauses(rank) if not clause["met"]]
        for clause in missing:
            del clause["met"]
        upcoming = {
            "level": LEVELS[rank].value,
            "missing": missing,
            "fewest": None,
            "sentence": _overall_sentence(LEVELS[rank], missing, known=bool(numbers)),
        }
    return {
        "competency": OVERALL,
        "title": "Overall level",
        "level": found.level,
        "policy": {"id": rule.id, "version": rule.version},
        "levels": [
            {"level": level.value, "reached": _reached(found, rank), "clauses": clauses(rank)}
            for rank, level in enumerate(LEVELS)
        ],
        "next": upcoming,
    }


def _reached(found: Standing, rank: int) -> dict[str, Any] | None:
    if rank >= len(found.standing):
        return None
    return {name: found.standing[rank][name] for name in ("at", "position", "policy", "evidence_ids")}


def _clause(clause: str, need: int, qualifying: Sequence[Shown]) -> dict[str, Any]:
    have = MEASURES[clause](qualifying)
    return {
        "clause": clause,
        "need": need,
        "have": have,
        "met": have >= need,
        "evidence_ids": [item.evidence_id for item in _counted(clause, qualifying)],
    }


def _counted(clause: str, qualifying: Sequence[Shown]) -> Sequence[Shown]:
    """The items that a clause's figure rests on: of a span those at its two ends."""
    if clause.startswith("kinds."):
        return [item for item in qualifying if f"kinds.{item.kind}" == clause]
    if clause == "span_days" and qualifying:
        ends = {min(item.day for item in qualifying), max(item.day for item in qualifying)}
        return [item for item in qualifying if item.day in ends]
    return qualifying


def _next(rank: int, rule: Rule, qualifying: Mapping[int, Sequence[Shown]]) -> dict[str, Any] | None:
    if rank >= TOP:
        return None
    items = qualifying[rank]
    missing: list[dict[str, Any]] = []
    for clause, need in rule.clauses[rank]:
        have = MEASURES[clause](items)
        if have < need:
            missing.append({"clause": clause, "need": need, "have": have})
            if (
                clause == "span_days"
                and items
                and (day := min(item.day for item in items) + need) <= date.max.toordinal()
            ):
                missing[-1]["not_before"] = date.fromordinal(day).isoformat()
    few = fewest(missing, len(items))
    return {
        "level": LEVELS[rank].value,
        "missing": missing,
        "fewest": few,
        "sentence": _sentence(LEVELS[rank], missing, few),
    }


def fewest(missing: Sequence[Mapping[str, Any]], items: int) -> int:
    """The fewest new items, each judged at the level by one assessor, that meet all that is missing together.

    An item's kind, assessor and day are free of one another, so one item works on every clause at once; only the
    kinds compete, since an item is of one kind. A span needs two ends: `items` tells how many qualify now.
    """
    wanted: list[int] = [0, sum(one["need"] - one["have"] for one in missing if one["clause"].startswith("kinds."))]
    for one in missing:
        if one["clause"] == "span_days":
            wanted.append(1 if items else 2)
        elif not one["clause"].startswith("kinds."):
            wanted.append(one["need"] - one["have"])
    return max(wanted)


def _sentence(level: Level, missing: Sequence[Mapping[str, Any]], few: int) -> str:
    if not missing:
        return (
            f"All that {level.label} asks is there under the policy now in force; "
            "the next entry in the dossier, or a reassessment, reaches it."
        )
    parts = [_part(one) for one in missing]
    together = f"{few} new items can be" if few > 1 else "One new item can be"
    return f"For {level.label} there has to be {_listed(parts)}. {together} enough for all of it."


def _part(one: Mapping[str, Any]) -> str:
    clause, more = one["clause"], one["need"] - one["have"]
    if clause == "items":
        return f"{more} more {_plural('item', more)} judged at this level or higher"
    if clause == "assessors":
        return f"{more} more {_plural('assessor', more)}"
    if clause == "span_days":
        when = f", so not before {_day(one['not_before'])}" if "not_before" in one else ""
        return (
            f"{one['need']} {_plural('day', one['need'])} between the first item and the last (now {one['have']}{when})"
        )
    return f"{more} more {_plural(_KINDS[clause.removeprefix('kinds.')], more)}"


def _overall_sentence(level: Level, missing: Sequence[Mapping[str, Any]], *, known: bool) -> str:
    if not known:
        return "The policy in force names a framework that is not known here, so there is no overall level."
    if not missing:
        return (
            f"Every competency stands at {level.label}; the next entry in the dossier, or a reassessment, reaches it."
        )
    numbers = [str(one["competency"]) for one in missing]
    if len(numbers) == 1:
        return f"For {level.label} overall, competency {numbers[0]} has to reach it."
    named = _listed(numbers) if len(numbers) <= 8 else f"{_listed([*numbers[:6], f'{len(numbers) - 6} others'])}"
    return f"For {level.label} overall, {len(numbers)} competencies have to reach it: {named}."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day:%B} {day.day}, {day.year}"
