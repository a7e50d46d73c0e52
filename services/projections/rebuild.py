"""Derives the continuum anew beside the one in use, and swaps them: readers never see a part of it.

The bulk is read as of one position while the follower goes on; at the end the follower is held for a moment, and
whom it has looked at meanwhile is folded once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

import psycopg
from psycopg import IsolationLevel, sql

from contracts.refusals import Kind, Refusal
from foundation.eventlog import PostgresEventLog
from foundation.postgres.connections import BoundedConnection, connect
from foundation.postgres.queries import Queries
from services.projections.folding import fold
from services.projections.followers import Attain, read_recorded, read_steps, take_decisions
from services.projections.rebuild_share import Share, rebuild_share
from services.projections.rows import rows
from services.projections.timeline import Timeline

SHARES: Final = 2
_sql: Final = Queries("services.projections")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    events: int
    """Of dossiers, and attainments."""
    principals: int
    position: int
    """Up to which everything is in."""
    seconds: float
    otherwise: list[str]
    """Principals of whom the rule would derive today otherwise than was recorded; they stand as recorded."""


def rebuild(
    log: PostgresEventLog, *, shares: int = SHARES, advance: Callable[[int, int], None] = lambda done, total: None
) -> Rebuilt:
    """Rebuilds on the projections login. advance: called with the shares done and all. Raises Refusal LOG_BUSY."""
    begun = time.monotonic()
    with connect(log.pool.url, limits=None) as connection:
        locked = connection.execute(_sql["rebuild_lock"]).fetchone()
        if locked is None or not locked[0]:
            raise Refusal(Kind.LOG_BUSY, "A rebuild is under way already.")
        old, table = _tables(connection)
        position, behind = _standing(connection)
        timeline = Timeline()
        take_decisions(timeline, log)
        connection.execute(_with("create", table=table, old=old))
        try:
            done = []
            with ProcessPoolExecutor(shares, mp_context=get_context("spawn")) as workers:
                work = [
                    workers.submit(
                        rebuild_share, Share(log.pool.url, number, shares, position, behind, table), timeline
                    )
                    for number in range(shares)
                ]
                for finished in as_completed(work):
                    done.append(finished.result())
                    advance(len(done), shares)
            reached = _swap(connection, log, timeline, old, table)
        except BaseException:
            connection.execute(_with("drop", table=table))
            raise
    return Rebuilt(
        sum(share.events for share in done),
        sum(share.principals for share in done),
        reached,
        time.monotonic() - begun,
        sorted(name for share in done for name in share.otherwise),
    )


def _tables(connection: BoundedConnection) -> tuple[str, str]:
    """The table in use and a name for the new one; what broken rebuilds left is dropped."""
    in_use = connection.execute(_sql["in_use"]).fetchone()
    assert in_use is not None
    for (name,) in connection.execute(_sql["left_over"]).fetchall():
        if name != in_use[0]:
            connection.execute(_with("drop", table=name))
    return in_use[0], f"continuum_{int(in_use[0].rpartition('_')[2]) + 1}"


def _standing(connection: BoundedConnection) -> tuple[int, dict[str, int]]:
    """How far the follower is, and who is not as far, as of one moment."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        row = connection.execute(_sql["standing_of_follower"], (Attain.name,)).fetchone()
        behind = dict(connection.execute(_sql["behind_until"], (Attain.name,)).fetchall())
    connection.isolation_level = None
    return (row[0] if row else 0), behind


def _swap(connection: BoundedConnection, log: PostgresEventLog, timeline: Timeline, old: str, table: str) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute(_sql["hold_follower"], (Attain.name,)).fetchone()
        reached: int = row[0] if row else 0
        take_decisions(timeline, log, reached)
        for principal, position in cursor.execute(_with("moved_on", table=table, old=old)).fetchall():
            _again(cursor, log, timeline, table, principal, position)
        cursor.execute(_with("swap", table=table))
        cursor.execute(_with("drop", table=old))
    return reached


def _again(
    cursor: psycopg.Cursor[Any], log: PostgresEventLog, timeline: Timeline, table: str, principal: str, until: int
) -> None:
    folded = fold(read_steps(log, principal, until=until), read_recorded(log, principal), timeline, until=until)
    cursor.execute(_with("forget", table=table), (principal,))
    of_principal = rows(principal, folded.derivation, folded.position, folded.derivation.tracks)
    cursor.executemany(_with("insert", table=table), list(of_principal))


def _with(name: str, **tables: str) -> sql.Composed:
    """A query on tables whose names were made here."""
    named = {key: sql.Identifier(value) for key, value in tables.items()}
    return sql.SQL(_sql[name]).format(**named)
