"""The continuum's read model: a row for each competency of a principal, and one (0) for the overall level.

The same state gives the same bytes, whether a follower kept it up or a rebuild made it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from contracts.continuum import LEVELS
from services.projections.derivation import Attainment, Derivation, Shown, Track

OVERALL_ROW: Final = 0


class Row(NamedTuple):
    """A row as it is stored (`COLUMNS`)."""

    principal_id: str
    competency: int
    level: str | None
    position: int
    """In the row of the overall level: of the last event that was looked at; in the others 0."""
    standing: str
    """JSON: what stands, by rank: `{"at", "position", "policy", "framework", "evidence_ids"}`."""
    shown: str
    """JSON: what counting items show, in the order of their first steps: the members of `Shown`."""


COLUMNS: Final = ", ".join(Row._fields)


def rows(principal: str, derivation: Derivation, position: int, competencies: Iterable[int]) -> Iterator[Row]:
    """The overall row, and those of these competencies."""
    yield Row(principal, OVERALL_ROW, _level(derivation.overall), position, _standing(derivation.overall), "[]")
    for competency in sorted(competencies):
        track = derivation.tracks[competency]
        yield Row(principal, competency, _level(track.standing), 0, _standing(track.standing), _shown(track))


def _level(standing: list[Attainment]) -> str | None:
    return LEVELS[len(standing) - 1].value if standing else None


def _standing(standing: list[Attainment]) -> str:
    if not standing:
        return "[]"
    return _text(
        [
            {
                "at": one.at,
                "position": one.because,
                "policy": {"id": one.rule.id, "version": one.rule.version},
                "framework": one.rule.framework,
                "evidence_ids": one.evidence_ids,
            }
            for one in standing
        ]
    )


def _shown(track: Track) -> str:
    return _text(sorted(track.shown.values()))


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def as_json(many: Iterable[Row]) -> str:
    """Rows as one JSON array; what stands in them as JSON is taken in as it is."""
    return f"[{','.join(map(_object, many))}]"


def _object(row: Row) -> str:
    members = zip(Row._fields, (*map(_text, row[:4]), row.standing, row.shown), strict=True)
    return "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"


class Standing(NamedTuple):
    """What the continuum tells of one competency, or of the overall level, read back from a row."""

    level: str | None
    standing: list[dict[str, Any]]
    shown: list[Shown]

    @staticmethod
    def of(level: str | None, standing: str, shown: str) -> Standing:
        items = [
            Shown(order, evidence_id, rank, kind, day, tuple(assessors))
            for order, evidence_id, rank, kind, day, assessors in json.loads(shown)
        ]
        return Standing(level, json.loads(standing), items)


NOTHING: Final = Standing(None, [], [])
"""Where nothing has been recorded."""
