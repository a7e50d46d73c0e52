"""The log in memory, on the library's in-memory recorder: same interface, same faults, with a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from foundation.eventlog.codec import Row
from foundation.eventlog.dcb import (
    Condition,
    DCBEvent,
    DCBReadResponse,
    DCBSequencedEvent,
    InMemoryDCBRecorder,
    IntegrityError,
    LogEvent,
    Query,
    SimpleDCBReadResponse,
    matches,
)
from foundation.eventlog.events import Command, NewEvent, Recorded
from foundation.eventlog.faults import (
    AppendConflict,
    CommandRepeated,
    EventRepeated,
    NotADemonstration,
    TooMany,
    TypeNotOwned,
)
from foundation.eventlog.log import BULK_LIMIT, EventLog
from foundation.eventlog.subject_keys import InMemorySubjectKeys, SubjectKeys
from foundation.eventlog.type_registry import TypeRegistry

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class InMemoryRecorder(InMemoryDCBRecorder):
    """The library's recorder, holding `LogEvent`s; times never fall, event and command ids are unique."""

    def __init__(self, clock: Clock = _now) -> None:
        super().__init__()
        self._clock = clock
        self._ids: dict[UUID, int] = {}
        self._commands: dict[UUID, tuple[str, int, int]] = {}
        self._last: datetime | None = None
        self._sets: list[set[str]] = []

    def read(
        self, query: Query | None = None, *, after: int | None = None, limit: int | None = None
    ) -> DCBReadResponse:
        """As the library's, without copying the whole log for each answer."""
        with self._database_lock:
            found = self.slice(query or Query(), after or 0, None, limit)
            if limit is None:
                head = self.events[-1].position if self.events else None
            else:
                head = found[-1].position if found else None
            return SimpleDCBReadResponse(iter(found), head)

    def slice(self, query: Query, after: int, until: int | None, limit: int | None) -> list[DCBSequencedEvent]:
        found: list[DCBSequencedEvent] = []
        with self._database_lock:
            end = len(self.events) if until is None else min(until, len(self.events))
            for index in range(max(after, 0), end):
                if limit is not None and len(found) >= limit:
                    break
                if matches(query, self.events[index].event.type, self._sets[index]):
                    found.append(self.events[index])
        return found

    def append(self, events: Sequence[DCBEvent], condition: Condition | None = None) -> int:
        return self.record(events, condition, None)

    def record(self, events: Sequence[DCBEvent], condition: Condition | None, at: datetime | None) -> int:
        rows = [event if isinstance(event, LogEvent) else _bare(event) for event in events]
        with self._database_lock:
            command = rows[0].command_id if rows else None
            if command in self._commands:
                raise CommandRepeated(f"command {command} has been recorded before")
            ids = [row.event_id or uuid4() for row in rows]
            if len(set(ids)) < len(ids) or any(one in self._ids for one in ids):
                raise EventRepeated("an event with this id is there already")
            time = at or self._clock()
            if self._last is not None and time < self._last:
                time = self._last
            for row, event_id in zip(rows, ids, strict=True):
                row.event_id, row.recorded_at = event_id, time
            first = len(self.events) + 1
            self._sets.extend(set(row.tags) for row in rows)
            try:
                last = super().append(rows, condition)
            except IntegrityError as error:
                raise AppendConflict(*error.args) from error
            finally:
                del self._sets[len(self.events) :]
            self._last = time
            self._ids |= {one: first + offset for offset, one in enumerate(ids)}
            if command is not None:
                self._commands[command] = (rows[0].command or "", first, last)
            return last

    def position_of(self, event_id: UUID) -> int | None:
        return self._ids.get(event_id)

    def command(self, command_id: UUID) -> tuple[str, int, int] | None:
        """Its line, first and last position."""
        return self._commands.get(command_id)


def _bare(event: DCBEvent) -> LogEvent:
    return LogEvent(type=event.type, data=event.data, tags=list(event.tags))


class InMemoryEventLog(EventLog):
    """The log in memory. `owner` limits the types that it appends, as a login does; None appends all."""

    def __init__(
        self,
        clock: Clock = _now,
        *,
        registry: TypeRegistry | None = None,
        keys: SubjectKeys | None = None,
        owner: str | None = None,
        demonstration: bool = True,
        shared_with: InMemoryEventLog | None = None,
    ) -> None:
        """`shared_with`: another service's log on the same events and keys."""
        if shared_with is not None:
            registry, keys = shared_with.registry, shared_with.keys
        super().__init__(registry or TypeRegistry(), keys or InMemorySubjectKeys())
        self._recorder: InMemoryRecorder = shared_with._recorder if shared_with else InMemoryRecorder(clock)
        self._owner = owner
        self._demonstration = demonstration

    def head(self) -> int:
        return len(self._recorder.events)

    @property
    def is_demonstration(self) -> bool:
        return self._demonstration

    def of_command(self, command_id: UUID, *, unseal: bool = False) -> tuple[str, list[Recorded]] | None:
        found = self._recorder.command(command_id)
        if found is None:
            return None
        line, first, last = found
        return line, self.read(after=first - 1, until=last, unseal=unseal)

    def find(self, event_ids: Sequence[UUID], *, unseal: bool = False) -> list[Recorded]:
        positions = sorted(p for p in map(self._recorder.position_of, set(event_ids)) if p is not None)
        return [found for p in positions for found in self.read(after=p - 1, until=p, unseal=unseal)]

    def wait_beyond(self, position: int, timeout: float) -> bool:
        news = threading.Event()
        self._recorder.listen(news)
        try:
            if self.head() <= position:
                news.wait(timeout)
        finally:
            self._recorder.unlisten(news)
        return self.head() > position

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
        if recorded_at is not None and not self._demonstration:
            raise NotADemonstration("a time was given to a log that is no demonstration")
        for event in events:
            kind = self.registry.check(event.type, event.version)
            if self._owner is not None and kind.owner != self._owner:
                raise TypeNotOwned(f"{self._owner} may not append {event.type}")
        rows = [self._codec.encode(event, None if index else command) for index, event in enumerate(events)]
        last = self._recorder.record(rows, condition, recorded_at)
        first = last - len(rows) + 1
        at = rows[0].recorded_at
        assert at is not None
        return [
            self._as_recorded(event, first + index, at, None if index else command)
            for index, event in enumerate(events)
        ]

    def append_bulk(
        self,
        events: Iterable[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
        exclusive: bool = False,
    ) -> tuple[int, int] | None:
        rows = list(events)
        if len(rows) > BULK_LIMIT and not exclusive:
            raise TooMany
        recorded = self.append(rows, condition=condition, command=command, recorded_at=recorded_at)
        return (recorded[0].position, recorded[-1].position) if recorded else None

    def _rows(self, query: Query, after: int, until: int | None, limit: int | None) -> Sequence[Row]:
        return [_row(found) for found in self._recorder.slice(query, after, until, limit)]


def _row(found: DCBSequencedEvent) -> Row:
    event = found.event
    assert isinstance(event, LogEvent)
    assert event.event_id is not None
    assert event.recorded_at is not None
    return Row(
        found.position,
        event.event_id,
        event.type,
        event.type_version,
        event.tags,
        event.recorded_at,
        event.recorded_by,
        event.command_id,
        event.subject,
        event.data,
        event.sealed,
    )
