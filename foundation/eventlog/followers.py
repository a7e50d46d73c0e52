"""What a follower is: it reads the log in order, batch by batch, and writes what follows from it.

One batch is one transaction: what is written, what is appended and the new position commit together, so every
event is worked off exactly once, whoever dies when. `running.py` runs followers.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, runtime_checkable

import psycopg
from psycopg import sql

from foundation.eventlog.dcb import ALL, Query, item, query
from foundation.eventlog.events import NewEvent, Recorded
from foundation.eventlog.postgres_log import PostgresEventLog

BATCH: Final = 500
MOST_APPENDED: Final = 500
"""Events that one batch may append: the append holds the log's lock until the commit."""
PRINCIPAL_STREAMS: Final = ("dossier:", "attainment:", "distinguished:")


class TooManyAppended(Exception):
    """A batch wants to append more than `MOST_APPENDED` events: the runner takes a smaller batch.

    A single event of which that is so is one that the follower cannot bear.
    """


class Fenced(Exception):
    """Another leader has moved the position meanwhile; this batch is taken back."""


@dataclass(slots=True)
class FollowerTransaction:
    """The transaction of one batch."""

    cursor: psycopg.Cursor[Any]
    """For the service's own schema. Read models first."""
    log: PostgresEventLog
    recorded_at: datetime | None
    """The time of what is appended, in a demonstration: that of the batch's last event. Else None."""
    appended: int = field(default=0)

    def append(self, events: Sequence[NewEvent]) -> list[Recorded]:
        """Appends, as the last thing of the batch; events whose id is there already are left out.

        Give the events ids made from their cause (`event_id_from`). Returns those appended now. Raises
        TooManyAppended, upon which the runner comes back with a smaller batch.
        """
        self.appended += len(events)
        if self.appended > MOST_APPENDED:
            raise TooManyAppended
        return self.log.append_on(self.cursor, events, skip_recorded=True, recorded_at=self.recorded_at)


class Follower(Protocol):
    """A service's follower. `name` is `SCHEMA.WHAT`: its position stands in that schema."""

    name: str
    types: frozenset[str] | None
    """What it reads; None for everything. Its own events among them are folded, never taken as a cause."""
    unseal: bool

    def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
        """Writes what follows from the batch. May be called again with the same events after a rollback."""


@runtime_checkable
class Resuming(Protocol):
    """A follower with work that one event causes and one batch can't hold, such as a reassessment."""

    def resume(self, tx: FollowerTransaction) -> bool:
        """Works off a bounded part of what is left and tells whether more is. Called until it says no, before
        any later event is read."""


@runtime_checkable
class Retrying(Protocol):
    """A follower that itself knows what a parked principal has missed, and need not be given their events."""

    def retry(self, principal: str, until: int, tx: FollowerTransaction) -> bool:
        """Works off a bounded part of what was missed up to `until`, where the follower is, and tells whether more
        is left. Called until it says no, each time in a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a follower has come."""

    name: str
    position: int
    head: int
    heartbeat_at: datetime | None
    """When its leader last said that it lives; None before the first time."""
    parked: int
    failing: str | None

    @property
    def lag(self) -> int:
        """Events of the log that it has not passed."""
        return max(0, self.head - self.position)


def standing_of(follower: Follower, log: PostgresEventLog) -> Standing:
    """For metrics and `/readyz`."""
    head = log.head()
    with log.pool.connection() as connection:
        row = connection.execute(
            statement(
                follower,
                "SELECT position, heartbeat_at, failing, "
                "(SELECT count(*) FROM {schema}.parked p WHERE p.follower = f.name) "
                "FROM {schema}.followers f WHERE name = %s",
            ),
            (follower.name,),
        ).fetchone()
    position, heartbeat, failing, parked = row or (0, None, None, 0)
    return Standing(follower.name, position, head, heartbeat, parked, failing)


def wait_for(follower: Follower, log: PostgresEventLog, position: int, timeout: float) -> bool:
    """Waits at most `timeout` seconds until the follower has passed `position`; tells whether it has."""
    end = time.monotonic() + timeout
    while True:
        seen = log.listener.count
        if standing_of(follower, log).position >= position:
            return True
        left = end - time.monotonic()
        if left <= 0:
            return False
        log.listener.wait(seen, min(left, 0.05))  # the follower moves just after the log does


def principal_of(event: Recorded) -> str | None:
    """The principal whom an event is about, by its tags; None if it is about nobody's record."""
    for tag in event.tags:
        if tag.startswith("principal:"):
            return tag.removeprefix("principal:")
    for start in PRINCIPAL_STREAMS:
        if event.stream.startswith(start):
            return event.stream.removeprefix(start)
    return None


def query_of(follower: Follower) -> Query:
    return ALL if follower.types is None else query(item(types=sorted(follower.types)))


def statement(follower: Follower, text: str) -> sql.Composed:
    """SQL with `{schema}` in the place of the follower's own."""
    return sql.SQL(text).format(schema=sql.Identifier(schema_of(follower)))


def schema_of(follower: Follower) -> str:
    schema, dot, _ = follower.name.partition(".")
    if not dot:
        raise ValueError(f"a follower is called SCHEMA.NAME, and this one {follower.name}")
    return schema


def lock_of(follower: Follower) -> tuple[int, int]:
    """The advisory lock of its leader."""
    return 7811888, zlib.crc32(follower.name.encode()) - 2**31


Progress = Callable[[int, int], None]
"""Called with the position reached and the log's head."""
