"""The log on PostgreSQL, on a service's own login."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import psycopg

from foundation.eventlog.codec import COLUMNS, Row
from foundation.eventlog.dcb import Condition, LogEvent, Query
from foundation.eventlog.events import Command, NewEvent, Recorded
from foundation.eventlog.faults import Busy, CommandRepeated, EventRepeated, OutcomeUnknown, Unavailable
from foundation.eventlog.listening import Listener
from foundation.eventlog.log import EventLog
from foundation.eventlog.postgres_recorder import Appended, PostgresRecorder
from foundation.eventlog.subject_keys import SubjectKeys
from foundation.eventlog.type_registry import TypeRegistry
from foundation.postgres.connections import Pool, ReplicationUnconfirmed
from foundation.postgres.faults import Unusable

T = TypeVar("T")

_SEARCH_SECONDS: Final = 10.0
"""How long a lost connection's outcome is looked for before it is called unknown."""

_OF_COMMAND: Final = f"""
SELECT first.command, {", ".join(f"e.{name}" for name in Row._fields)}
FROM log.events first JOIN log.events e
    ON e.position >= first.position AND e.position < first.position + first.command_events
WHERE first.command_id = %s ORDER BY e.position
"""  # noqa: S608  # our own column names
_FIND: Final = f"SELECT {COLUMNS} FROM log.events WHERE event_id = ANY (%s) ORDER BY position"  # noqa: S608


class PostgresEventLog(EventLog):
    """Reads and appends on the connections of one login. Thread-safe. Close it with its pool."""

    def __init__(self, pool: Pool, *, keys: SubjectKeys | None = None, registry: TypeRegistry | None = None) -> None:
        super().__init__(registry or TypeRegistry(), keys)
        self.pool = pool
        self.listener = Listener(pool.url)
        self.recorder = PostgresRecorder(pool, self.listener)
        self._demonstration: bool | None = None

    def close(self) -> None:
        """Ends the listening thread. The pool is its maker's to close."""
        self.listener.close()

    # reading

    def head(self) -> int:
        return self._reading(PostgresRecorder.head)

    @property
    def is_demonstration(self) -> bool:
        if self._demonstration is None:

            def ask(cursor: psycopg.Cursor[Any]) -> bool:
                row = cursor.execute("SELECT demonstration FROM log.nature").fetchone()
                return bool(row and row[0])

            self._demonstration = self._reading(ask)
        return self._demonstration

    def read_to_head(self, query: Query, *, unseal: bool = False) -> tuple[list[Recorded], int]:
        if not query.items:
            return super().read_to_head(query, unseal=unseal)
        rows, head = self._reading(lambda cursor: self.recorder.rows_to_head(cursor, query))
        return self._codec.decode_all(rows, unsealed=unseal), head

    def settle(self) -> None:
        """Raises OutcomeUnknown, Unavailable."""
        try:
            with self.pool.connection() as connection, connection.cursor() as cursor:
                self.recorder.settle(cursor)
                connection.check_confirmed()
        except psycopg.OperationalError as error:
            raise OutcomeUnknown from error

    def of_command(self, command_id: UUID, *, unseal: bool = False) -> tuple[str, list[Recorded]] | None:
        rows = self._reading(lambda cursor: cursor.execute(_OF_COMMAND, (command_id,)).fetchall())
        if rows:
            self.settle()
        else:
            return None
        return rows[0][0], self._codec.decode_all([row[1:] for row in rows], unsealed=unseal)

    def find(self, event_ids: Sequence[UUID], *, unseal: bool = False) -> list[Recorded]:
        rows = self._reading(lambda cursor: cursor.execute(_FIND, (list(event_ids),)).fetchall())
        if rows:
            self.settle()
        return self._codec.decode_all(rows, unsealed=unseal)

    def wait_beyond(self, position: int, timeout: float) -> bool:
        end = time.monotonic() + timeout
        while True:
            seen = self.listener.count
            if self.head() > position:
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.listener.wait(seen, min(left, 0.5))

    def _rows(self, query: Query, after: int, until: int | None, limit: int | None) -> Sequence[Row]:
        return self._reading(lambda cursor: self.recorder.rows(cursor, query, after, until, limit))

    def _reading(self, read: Callable[[psycopg.Cursor[Any]], T]) -> T:
        """Reads; once more on a new connection when the old one turns out to be dead."""
        for attempt in (1, 2):
            try:
                with self.pool.connection() as connection:
                    return read(connection.binary)
            except psycopg.OperationalError as error:
                if attempt == 2 or not _lost(error):
                    raise Unavailable(f"The database did not answer: {str(error).strip()}") from error
        raise AssertionError("unreachable")

    # writing

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
    ) -> list[Recorded]:
        if not events:
            return []
        rows = self._encoded(events, command)
        done = self._record(rows, condition, recorded_at)
        return self._recorded(events, command, done)

    def append_on(
        self,
        cursor: psycopg.Cursor[Any],
        events: Sequence[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        skip_recorded: bool = False,
        recorded_at: datetime | None = None,
    ) -> list[Recorded]:
        """Appends in the cursor's transaction, which holds the log from here to its commit: so do it last.

        With `skip_recorded`, events that are there already are left out; returns those appended now.
        """
        if not events:
            return []
        rows = self._encoded(events, command)
        done = self.recorder.record(cursor, rows, condition, recorded_at, skip_recorded=skip_recorded)
        if done.event_ids is not None:
            fresh = set(done.event_ids)
            events = [event for event in events if event.event_id in fresh]
        return self._recorded(events, command, done)

    def append_bulk(
        self,
        events: Iterable[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
        exclusive: bool = False,
    ) -> tuple[int, int] | None:
        batch = uuid4()
        last_id: UUID | None = None

        def encoded() -> Iterator[LogEvent]:
            nonlocal last_id
            for event in events:
                last_id = event.event_id
                yield self._codec.encode(event, None)

        name = (command.id, command.line) if command else None
        done: tuple[int, int] | None = None
        try:
            with self.pool.connection() as connection, connection.unbounded():
                with connection.transaction(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL statement_timeout = 0")  # the pace of the copy is the caller's
                    self.recorder.stage(cursor, batch, encoded())
                    cursor.execute("SET LOCAL statement_timeout = " + ("0" if exclusive else "'120s'"))
                    done = self.recorder.record_staged(cursor, batch, condition, name, recorded_at, exclusive)
                connection.check_confirmed()
        except ReplicationUnconfirmed as error:
            raise OutcomeUnknown from error
        except psycopg.OperationalError as error:
            if not _lost(error):
                raise
            # Before log.append_staged answered, no commit can have been sent.
            if done is None or last_id is None or not self._settled(last_id):
                raise Unavailable("The connection to the database was lost; nothing was stored.") from error
        return done

    def _encoded(self, events: Sequence[NewEvent], command: Command | None) -> list[LogEvent]:
        self._codec.warm_for(events)
        return [self._codec.encode(event, None if index else command) for index, event in enumerate(events)]

    def _recorded(self, events: Sequence[NewEvent], command: Command | None, done: Appended) -> list[Recorded]:
        return [
            self._as_recorded(event, done.first_position + index, done.recorded_at, None if index else command)
            for index, event in enumerate(events)
        ]

    def _record(self, rows: list[LogEvent], condition: Condition | None, recorded_at: datetime | None) -> Appended:
        """Appends in a transaction of its own; a lost connection's outcome is looked for.

        The same rows are sent again: event ids are unique and are looked at before the condition, so either
        the first attempt never happened, or the second one finds it.
        """
        give_up: float | None = None
        pause = 0.02
        while True:
            try:
                with self.pool.connection() as connection:
                    done = self.recorder.record_durably(connection.binary, rows, condition, recorded_at)
                    connection.check_confirmed()
                    return done
            except ReplicationUnconfirmed as error:
                raise OutcomeUnknown from error
            except (CommandRepeated, EventRepeated, Busy) as error:
                # Running too long, it may have been stopped while it waited for the disk.
                own = self.find([row.event_id for row in rows if row.event_id]) if give_up or _stopped(error) else []
                if len(own) < len(rows):
                    raise
                return Appended(own[0].position, own[0].recorded_at, None)
            except Unusable as error:
                if give_up is None:
                    raise  # nothing was sent
                if time.monotonic() > give_up:
                    raise OutcomeUnknown from error
            except psycopg.OperationalError as error:
                if not _lost(error):
                    raise
                give_up = give_up or time.monotonic() + _SEARCH_SECONDS
                if time.monotonic() > give_up:
                    raise OutcomeUnknown from error
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _settled(self, event_id: UUID) -> bool:
        """Whether the event is there, once whoever held the log's lock has let go: after that nothing changes."""
        give_up = time.monotonic() + _SEARCH_SECONDS
        while True:
            try:
                with self.pool.transaction() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(7811887, 1)")
                    found = cursor.execute("SELECT FROM log.events WHERE event_id = %s", (event_id,)).fetchone()
                    return found is not None
            except (Unusable, psycopg.OperationalError) as error:
                if time.monotonic() > give_up:
                    raise OutcomeUnknown from error
            time.sleep(0.1)


def _lost(error: psycopg.OperationalError) -> bool:
    """Whether the connection is gone, so that nobody knows what became of the statement."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def _stopped(error: Exception) -> bool:
    """Whether the statement was cancelled: an append's first transaction may have been over."""
    return isinstance(error.__cause__, psycopg.errors.QueryCanceled)
