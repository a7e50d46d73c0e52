"""Our recorder behind the library's `DCBRecorder`, on PostgreSQL (migrations/0001_pre_log.sql).

Everything that is appended goes through `log.append` or `log.append_staged`, one statement each, which take
the log's lock, check, insert and notify. Reading goes by position, type and tag through indexes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import psycopg

from foundation.eventlog.codec import COLUMNS, Row
from foundation.eventlog.dcb import (
    Condition,
    DCBEvent,
    DCBListenNotifySubscription,
    DCBReadResponse,
    DCBRecorder,
    DCBSequencedEvent,
    LogEvent,
    ProgrammingError,
    Query,
    QueryItem,
    SimpleDCBReadResponse,
)
from foundation.eventlog.faults import (
    AppendConflict,
    Busy,
    ClockOff,
    CommandRepeated,
    EventRepeated,
    NotADemonstration,
    TooMany,
    TypeNotOwned,
)
from foundation.eventlog.listening import Listener
from foundation.postgres.connections import Pool

_END: Final = 2**63 - 1
_JOINT: Final = "\x1f"  # between tags: one parameter for each event, however many tags it has

_APPEND: Final = """
SELECT first_position, recorded_at, appended FROM log.append(
    %s::uuid[], %s::text[], %s::integer[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[],
    %s::uuid, %s::text, %s::jsonb, %s::bigint, %s::timestamptz, %s::timestamptz, %s::boolean)
"""
# The usual case, one event: the arrays are made on the server, since adapting lists costs more than the rest.
_APPEND_ONE: Final = """
SELECT first_position, recorded_at, appended FROM log.append(
    ARRAY[%s::uuid], ARRAY[%s::text], ARRAY[%s::integer], ARRAY[%s::text], ARRAY[%s::text], ARRAY[%s::text],
    ARRAY[%s::bytea], ARRAY[%s::bytea], %s::uuid, %s::text, %s::jsonb, %s::bigint, %s::timestamptz,
    %s::timestamptz, %s::boolean)
"""
_APPEND_STAGED: Final = """
SELECT first_position, last_position FROM log.append_staged(
    %s::uuid, %s::uuid, %s::text, %s::jsonb, %s::bigint, %s::timestamptz, %s::timestamptz, %s::boolean)
"""
_STAGE: Final = """
COPY log.staging (batch, ordinal, event_id, type, type_version, tags, recorded_by, subject, data, sealed)
FROM STDIN (FORMAT BINARY)
"""
_READ_ALL: Final = (
    f"SELECT {COLUMNS} FROM log.events WHERE position > %s AND position <= %s ORDER BY position LIMIT %s"  # noqa: S608
)
_READ: Final = f"""
SELECT {", ".join(f"e.{name}" for name in Row._fields)}
FROM (SELECT DISTINCT p FROM log.matching(%s::jsonb, %s, %s, %s) p ORDER BY p LIMIT %s) m
JOIN log.events e ON e.position = m.p ORDER BY m.p
"""  # noqa: S608  # our own column names


class Appended(NamedTuple):
    first_position: int
    recorded_at: datetime
    event_ids: list[UUID] | None
    """Those appended, when some were there already; None when all were."""


class PostgresRecorder(DCBRecorder):
    """Reads and appends rows on one login's connections."""

    def __init__(self, pool: Pool, listener: Listener | None = None) -> None:
        self.pool = pool
        self._listener = listener

    # the library's interface

    def read(
        self, query: Query | None = None, *, after: int | None = None, limit: int | None = None
    ) -> DCBReadResponse:
        with self.pool.transaction() as cursor:
            rows = self.rows(cursor, query or Query(), after or 0, None, limit)
            if limit is not None:
                head = rows[-1].position if rows else None
            else:
                head = max(self.head(cursor), rows[-1].position if rows else 0) or None
        return SimpleDCBReadResponse(iter([_sequenced(row) for row in rows]), head)

    def append(self, events: Sequence[DCBEvent], condition: Condition | None = None) -> int:
        if not events:
            raise ProgrammingError("Should be at least one event. Avoid this elsewhere")
        with self.pool.connection() as connection, connection.cursor(binary=True) as cursor:
            done = self.record(cursor, events, condition)
        return done.first_position + len(events) - 1

    def subscribe(self, query: Query | None = None, *, after: int | None = None) -> _Subscription:
        listener = self._listener or Listener(self.pool.url)
        return _Subscription(self, listener, owned=self._listener is None, query=query, after=after)

    # what our log needs beyond it

    @staticmethod
    def rows(
        cursor: psycopg.Cursor[Any], query: Query, after: int, until: int | None, limit: int | None
    ) -> list[Row]:
        """Rows that match, in order, with `after` < position <= `until`, at most `limit`."""
        until = _END if until is None else until
        if not query.items:
            cursor.execute(_READ_ALL, (after, until, limit))
        else:
            asked = _as_json(_possible(query))
            cursor.execute(_READ, (asked, after, until, limit, limit))
        return [Row._make(row) for row in cursor.fetchall()]

    @staticmethod
    def head(cursor: psycopg.Cursor[Any]) -> int:
        row = cursor.execute("SELECT position FROM log.events ORDER BY position DESC LIMIT 1").fetchone()
        return int(row[0]) if row else 0

    @staticmethod
    def record(
        cursor: psycopg.Cursor[Any],
        events: Sequence[DCBEvent],
        condition: Condition | None,
        recorded_at: datetime | None = None,
        *,
        skip_recorded: bool = False,
    ) -> Appended:
        """One call of `log.append`, in the cursor's transaction or one of its own. Raises the log's faults."""
        rows = [event if isinstance(event, LogEvent) else _bare(event) for event in events]
        columns: list[tuple[Any, ...]] = [
            (
                row.event_id or uuid4(),
                row.type,
                row.type_version,
                _joined(row.tags),
                row.recorded_by,
                row.subject,
                row.data,
                row.sealed,
            )
            for row in rows
        ]
        rest = (
            rows[0].command_id,
            rows[0].command,
            _as_json(condition.fail_if_events_match) if condition else None,
            (condition.after or 0) if condition else 0,
            datetime.now(UTC),
            recorded_at,
            skip_recorded,
        )
        if len(columns) == 1:
            statement, parameters = _APPEND_ONE, columns[0] + rest
        else:
            statement, parameters = _APPEND, tuple(map(list, zip(*columns, strict=True))) + rest
        try:
            answer = cursor.execute(statement, parameters).fetchone()
        except psycopg.Error as error:
            raise translated(error) from error
        assert answer is not None
        return Appended(*answer)

    @staticmethod
    def stage(cursor: psycopg.Cursor[Any], batch: UUID, events: Iterable[LogEvent]) -> int:
        """Copies rows into the staging table under `batch`; returns how many."""
        count = 0
        with cursor.copy(_STAGE) as copy:
            copy.set_types(
                ["uuid", "int4", "uuid", "text", "int4", "text[]", "text", "text", "bytea", "bytea"]
            )
            for row in events:
                count += 1
                copy.write_row(
                    (
                        batch,
                        count,
                        row.event_id or uuid4(),
                        row.type,
                        row.type_version,
                        row.tags,
                        row.recorded_by,
                        row.subject,
                        row.data,
                        row.sealed,
                    )
                )
        return count

    @staticmethod
    def record_staged(
        cursor: psycopg.Cursor[Any],
        batch: UUID,
        condition: Condition | None,
        command: tuple[UUID, str] | None,
        recorded_at: datetime | None,
        exclusive: bool,
    ) -> tuple[int, int] | None:
        """Appends what was staged in the same transaction; first and last position, None for nothing."""
        command_id, line = command or (None, None)
        query = _as_json(condition.fail_if_events_match) if condition else None
        after = (condition.after or 0) if condition else 0
        try:
            answer = cursor.execute(
                _APPEND_STAGED, (batch, command_id, line, query, after, datetime.now(UTC), recorded_at, exclusive)
            ).fetchone()
        except psycopg.Error as error:
            raise translated(error) from error
        assert answer is not None
        return None if answer[0] is None else (answer[0], answer[1])


def translated(error: psycopg.Error) -> Exception:
    """The log's own fault for an error of its functions; else the error itself."""
    said = error.diag.message_primary or str(error)
    match error.sqlstate:
        case "ML001":
            return AppendConflict(said)
        case "ML002":
            return CommandRepeated(said)
        case "ML003":
            return EventRepeated(said)
        case "ML004":
            return ClockOff(f"Nothing was stored: {said}. Set the clocks right.")
        case "ML005":
            return TypeNotOwned(said)
        case "ML006":
            return NotADemonstration(said)
        case "ML007":
            return TooMany()
        case "55P03" | "57014":  # waited too long for the lock, or ran too long: rolled back for certain
            return Busy()
        case _:
            return error


def _possible(query: Query) -> Query:
    """The query without what no event can match: PostgreSQL's text has no U+0000, and refuses to be asked for it."""
    if not any("\x00" in text for item in query.items for text in (*item.types, *item.tags)):
        return query
    possible = [item for item in query.items if not any("\x00" in text for text in (*item.types, *item.tags))]
    return Query(items=possible or [QueryItem(types=["-"])])


def _as_json(query: Query) -> str:
    return json.dumps([{"types": list(item.types), "tags": list(item.tags)} for item in query.items])


def _joined(tags: Sequence[str]) -> str:
    if any(not tag or _JOINT in tag or "\x00" in tag for tag in tags):
        raise ProgrammingError("a tag is text of at least one character, without U+0000 and U+001F")
    return _JOINT.join(tags)


def _bare(event: DCBEvent) -> LogEvent:
    return LogEvent(type=event.type, data=event.data, tags=list(event.tags))


def _sequenced(row: Row) -> DCBSequencedEvent:
    event = LogEvent(
        type=row.type,
        data=bytes(row.data),
        tags=list(row.tags),
        event_id=row.event_id,
        type_version=row.type_version,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        command_id=row.command_id,
        subject=row.subject,
        sealed=row.sealed,
    )
    return DCBSequencedEvent(event=event, position=row.position)


class _Subscription(DCBListenNotifySubscription[PostgresRecorder]):
    """The library's subscription, woken by our listener."""

    def __init__(
        self, recorder: PostgresRecorder, listener: Listener, *, owned: bool, query: Query | None, after: int | None
    ) -> None:
        self._listener = listener
        self._owned = owned
        super().__init__(recorder=recorder, query=query, after=after)
        listener.start()
        listener.add(self._has_been_notified)

    def stop(self) -> None:
        super().stop()
        self._listener.remove(self._has_been_notified)
        if self._owned:
            self._listener.close()
