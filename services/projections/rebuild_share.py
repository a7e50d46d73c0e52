"""A rebuild's share: reads its principals out of the log by COPY, folds them one by one, writes their rows by COPY.

Memory is that of one principal. Runs in a process of its own (`spawn`), so what it takes is plain values.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

from contracts.events import EVENT_TYPES
from foundation.postgres.connections import connect
from services.projections.folding import RECORDED, Recorded, fold
from services.projections.rows import COLUMNS, rows
from services.projections.timeline import Step, Timeline

DOSSIER: Final = "dossier"


class Share(NamedTuple):
    url: str
    """Of the projections login."""
    number: int
    """Of `shares`: the principals whose hash falls on it."""
    shares: int
    until: int
    """Everything up to this position has been looked at,"""
    behind: Mapping[str, int]
    """but for these principals, who are behind or parked and were looked at up to these positions."""
    table: str
    """Without its schema; empty."""


class Done(NamedTuple):
    events: int
    principals: int
    otherwise: list[str]
    """Principals of whom the rule would derive today otherwise than was recorded."""


def rebuild_share(share: Share, timeline: Timeline) -> Done:
    gc.disable()  # this process makes no cycles and ends soon; looking for them takes a fifth of its time
    events = principals = 0
    otherwise: list[str] = []
    into = sql.SQL("COPY projections.{} ({}) FROM STDIN").format(sql.Identifier(share.table), sql.SQL(COLUMNS))
    with (
        connect(share.url, limits=None) as source,
        connect(share.url, limits=None) as target,
        source.transaction(),
        source.cursor("principals") as out,
        target.cursor() as cursor,
        cursor.copy(into) as copy,
    ):
        for principal, found in _read(out, share):
            until = share.behind.get(principal, share.until)
            events += len(found)
            steps = [step for step in map(Step._make, found) if step.type not in RECORDED and step.position <= until]
            if not steps:
                continue  # the follower has not come to their opening: they have no row, as if nothing were there
            recorded = [Recorded(RECORDED[type_], data) for _, type_, _, _, data in found if type_ in RECORDED]
            folded = fold(steps, recorded, timeline, until=until)
            principals += 1
            if not folded.as_derived:
                otherwise.append(principal)
            for row in rows(principal, folded.derivation, folded.position, folded.derivation.tracks):
                copy.write_row(row)
    return Done(events, principals, otherwise)


def _read(cursor: psycopg.ServerCursor[Any], share: Share) -> Iterator[tuple[str, list[Any]]]:
    """This share's principals, each with their events and attainments in order: the members of `Step`.

    The server joins a principal's rows to one JSON text: a third of the cost of a row for each event.
    """
    cursor.itersize = 50
    cursor.execute(
        _READ,
        {
            "dossier": [name for name, kind in EVENT_TYPES.items() if kind.stream == DOSSIER],
            "recorded": list(RECORDED),
            "until": share.until,
            "shares": share.shares,
            "number": share.number,
        },
    )
    for principal, events in cursor:
        yield principal, json.loads(events)


# Types, recorders and times hold no character that JSON would escape.
_READ: Final = """
    SELECT f.principal, '[' || string_agg('[' || f.position || ',"' || f.type || '","' || f.recorded_by || '","'
        || replace(to_char(f.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')
        || '",' || convert_from(f.data, 'UTF8') || ']', ',' ORDER BY f.position) || ']'
    FROM (
        SELECT split_part(e.tags[1], ':', 2) COLLATE "C" AS principal, e.position, e.type, e.recorded_by, e.recorded_at,
            e.data
        FROM log.events e
        WHERE e.type = ANY (%(recorded)s) OR e.type = ANY (%(dossier)s) AND e.position <= %(until)s
    ) f
    WHERE abs(hashtext(f.principal) %% %(shares)s) = %(number)s
    GROUP BY f.principal"""
