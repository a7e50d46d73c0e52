"""The picture of the idea on the first page: four steps, and what the rule in force asks for each."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.continuum import LEVELS
from contracts.policy import Policy

from . import words


@dataclass(frozen=True, slots=True)
class Stair:
    level: str
    label: str
    asks: str


def stairs(policy: Policy) -> tuple[Stair, ...]:
    """Lowest first."""
    return tuple(Stair(level.value, level.label, _asks(list(policy.levels[level].clauses()))) for level in LEVELS)


def _asks(clauses: list[tuple[str, int]]) -> str:
    """ "3 pieces of evidence, 1 feedback cycle and 1 artifact among them, from 2 different assessors, …"."""
    told = dict(clauses)
    kinds = [f"{need} {words.clause(clause, need)}" for clause, need in clauses if clause.startswith("kinds.") and need]
    parts = [f"{told['items']} {words.clause('items', told['items'])}"]
    if kinds:
        parts.append(f"{words.joined(kinds)} among them")
    if told.get("assessors"):
        parts.append(f"from {told['assessors']} {words.clause('assessors', told['assessors'])}")
    if told.get("span_days"):
        parts.append(f"over {words.counted(told['span_days'], 'day')} or more")
    return ", ".join(parts)
