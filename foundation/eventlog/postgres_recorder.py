"""Our recorder behind the library's `DCBRecorder`, on PostgreSQL (migrations/0001_pre_log.sql).

Everything that is appended goes through `log.append` or `log.append_staged`, one statement each, which take
the log's lock, check, insert and notify. Reading goes by position, type and tag through indexes.
"""

from __future__ import annotations

import os
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
_JOINT: Final = "\x1f"  # between the tags of an event or an item: one parameter, since adapting lists costs more
_BETWEEN: Final = "\x1e"  # between the items of a query

_ITEMS: Final = "string_to_array(%s::text, U&'\\001E'), string_to_array(%s::text, U&'\\001E')"

_APPEND: Final = f"""
SELECT first_position, recorded_at, appended FROM log.append(
    %s::uuid[], %s::text[], %s::integer[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[],
    %s::uuid, %s::text, {_ITEMS}, %s::bigint, %s::timestamptz, %s::timestamptz, %s::boolean)
"""  # noqa: S608
# In a transaction of its own, and durable when it answers.
_RECORD: Final = f"""
CALL log.record(
    %s::uuid[], %s::text[], %s::integer[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[],
    %s::uuid, %s::text, {_ITEMS}, %s::bigint, %s::timestamptz, %s::timestamptz, NULL, NULL)
"""
_RECORD_ONE: Final = f"""
CALL log.record_one(
    %s::uuid, %s::text, %s::integer, string_to_array(%s::text, U&'\\001F'), %s::text, %s::text, %s::bytea, %s::bytea,
    %s::uuid, %s::text, {_ITEMS}, %s::bigint, %s::timestamptz, %s::timestamptz, %s::bytea, NULL, NULL)
"""
_APPEND_STAGED: Final = f"""
SELECT first_position, last_position FROM log.append_staged(
    %s::uuid, %s::uuid, %s::text, {_ITEMS}, %s::bigint, %s::timestamptz, %s::timestamptz, %s::boolean)
"""  # noqa: S608
_STAGE: Final = """
COPY log.staging (batch, ordinal, event_id, type, type_version, tags, recorded_by, subject, data, sealed)
FROM STDIN (FORMAT BINARY)
"""
_READ_ALL: Final = f"SELECT {COLUMNS} FROM log.events WHERE position > %s AND position <= %s ORDER BY position LIMIT %s"  # noqa: S608
_READ: Final = f"SELECT * FROM log.read({_ITEMS}, %s::bigint, %s::bigint, %s::bigint)"  # noqa: S608
_READ_NARROW: Final = f"SELECT * FROM log.read_narrow({_ITEMS})"  # noqa: S608
_HEAD: Final = "SELECT position FROM log.events ORDER BY position DESC LIMIT 1"


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
        with self.pool.connection() as connection:
            done = self.record_durably(connection.binary, events, condition)
        return done.first_position + len(events) - 1

    def subscribe(self, query: Query | None = None, *, after: int | None = None) -> _Subscription:
        listener = self._listener or Listener(self.pool.url)
        return _Subscription(self, listener, owned=self._listener is None, query=query, after=after)

    # what our log needs beyond it

    @staticmethod
    def rows(cursor: psycopg.Cursor[Any], query: Query, after: int, until: int | None, limit: int | None) -> list[Row]:
        """Rows that match, in order, with `after` < position <= `until`, at most `limit`."""
        if not query.items:
            cursor.execute(_READ_ALL, (after, _END if until is None else until, limit))
            return [Row._make(row) for row in cursor.fetchall()]
        cursor.execute(_READ, (*_joined_items(_possible(query)), after, _END if until is None else until, limit))
        return _with_head(cursor)[0]

    @staticmethod
    def rows_to_head(cursor: psycopg.Cursor[Any], query: Query) -> tuple[list[Row], int]:
        """All rows that match a query with items, in order; and the log's last position in the same snapshot."""
        asked = _possible(query)
        joined = _joined_items(asked)
        if all(one.types and one.tags for one in asked.items):
            cursor.execute(_READ_NARROW, joined)
        else:
            cursor.execute(_READ, (*joined, 0, _END, None))
        return _with_head(cursor)

    @staticmethod
    def head(cursor: psycopg.Cursor[Any]) -> int:
        row = cursor.execute(_HEAD).fetchone()
        return int(row[0]) if row else 0

    @staticmethod
    def settle(cursor: psycopg.Cursor[Any]) -> None:
        """Waits until everything that this session has seen is durable."""
        cursor.execute("CALL log.settle()")

    @staticmethod
    def record(
        cursor: psycopg.Cursor[Any],
        events: Sequence[DCBEvent],
        condition: Condition | None,
        recorded_at: datetime | None = None,
        *,
        skip_recorded: bool = False,
    ) -> Appended:
        """One call of `log.append`, in the cursor's transaction. Raises the log's faults."""
        rows = [event if isinstance(event, LogEvent) else _bare(event) for event in events]
        parameters = (*_columns(rows), *_rest(rows[0], condition, recorded_at), skip_recorded)
        return Appended(*_call(cursor, _APPEND, parameters))

    @staticmethod
    def record_durably(
        cursor: psycopg.Cursor[Any],
        events: Sequence[DCBEvent],
        condition: Condition | None,
        recorded_at: datetime | None = None,
    ) -> Appended:
        """Appends in transactions of its own (an autocommit connection). Raises the log's faults."""
        rows = [event if isinstance(event, LogEvent) else _bare(event) for event in events]
        rest = _rest(rows[0], condition, recorded_at)
        if len(rows) == 1:
            first, at = _call(cursor, _RECORD_ONE, (*_values(rows[0]), *rest, os.urandom(16)))
        else:
            first, at = _call(cursor, _RECORD, (*_columns(rows), *rest))
        return Appended(first, at, None)

    @staticmethod
    def stage(cursor: psycopg.Cursor[Any], batch: UUID, events: Iterable[LogEvent]) -> int:
        """Copies rows into the staging table under `batch`; returns how many."""
        count = 0
        with cursor.copy(_STAGE) as copy:
            copy.set_types(["uuid", "int4", "uuid", "text", "int4", "text[]", "text", "text", "bytea", "bytea"])
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
        guard = _guard(condition)
        answer = _call(
            cursor, _APPEND_STAGED, (batch, command_id, line, *guard, datetime.now(UTC), recorded_at, exclusive)
        )
        return None if answer[0] is None else (answer[0], answer[1])


def _with_head(cursor: psycopg.Cursor[Any]) -> tuple[list[Row], int]:
    found = cursor.fetchall()
    if not found:
        return [], 0
    return ([] if found[0][1] is None else [Row._make(row[1:]) for row in found]), found[0][0]


def _values(row: LogEvent) -> tuple[Any, ...]:
    return (
        row.event_id or uuid4(),
        row.type,
        row.type_version,
        _joined(row.tags),
        row.recorded_by,
        row.subject,
        row.data,
        row.sealed,
    )


def _columns(rows: Sequence[LogEvent]) -> list[list[Any]]:
    return [list(column) for column in zip(*map(_values, rows), strict=True)]


def _guard(condition: Condition | None) -> tuple[str | None, str | None, int]:
    """A condition as the functions take it."""
    if condition is None:
        return None, None, 0
    asked = _possible(condition.fail_if_events_match)
    return *(_joined_items(asked) if asked.items else ("", "")), condition.after or 0


def _rest(first: LogEvent, condition: Condition | None, recorded_at: datetime | None) -> tuple[Any, ...]:
    return first.command_id, first.command, *_guard(condition), datetime.now(UTC), recorded_at


def _call(cursor: psycopg.Cursor[Any], statement: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """The one row that a function of the log answers."""
    try:
        answer: tuple[Any, ...] | None = cursor.execute(statement, parameters).fetchone()
    except psycopg.Error as error:
        raise translated(error) from error
    assert answer is not None
    return answer


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
        case "23505" if error.diag.constraint_name == "events_command_id":
            return CommandRepeated(said)
        case "23505" if error.diag.constraint_name == "events_event_id":
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
    if not any(_never(text) for item in query.items for text in (*item.types, *item.tags)):
        return query
    possible = [item for item in query.items if not any(_never(text) for text in (*item.types, *item.tags))]
    return Query(items=possible or [QueryItem(types=["-"])])


def _never(text: str) -> bool:
    return not text or "\x00" in text or _JOINT in text or _BETWEEN in text


def _joined_items(query: Query) -> tuple[str, str]:
    """The types and the tags of the items, joined; nothing for any."""
    items = query.items
    if len(items) == 1 and not (items[0].types and items[0].tags):
        items = items * 2  # of one item with nothing, the server could not tell that it is one; twice is the same
    types, tags = zip(*((_JOINT.join(one.types), _JOINT.join(one.tags)) for one in items), strict=True)
    return _BETWEEN.join(types), _BETWEEN.join(tags)


def _joined(tags: Sequence[str]) -> str:
    if any(map(_never, tags)):
        raise ProgrammingError("a tag is text of at least one character, without U+0000, U+001E and U+001F")
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
