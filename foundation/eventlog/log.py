"""The log as services see it: one total order of events, read by query and appended under a condition."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from foundation.eventlog.codec import Codec, Row
from foundation.eventlog.dcb import ALL, Condition, Query
from foundation.eventlog.events import Command, NewEvent, Recorded
from foundation.eventlog.subject_keys import SubjectKeys
from foundation.eventlog.type_registry import TypeRegistry

BULK_LIMIT: Final = 50_000
"""Most events that one transaction may append without `exclusive`: it holds the log meanwhile."""


class EventLog(ABC):
    """The interface: `PostgresEventLog` on a service's own login, `InMemoryEventLog` for fast tests."""

    def __init__(self, registry: TypeRegistry, keys: SubjectKeys | None) -> None:
        self.registry = registry
        self.keys = keys
        self._codec = Codec(registry, keys)

    # reading

    def read(
        self,
        query: Query = ALL,
        *,
        after: int = 0,
        until: int | None = None,
        limit: int | None = None,
        unseal: bool = False,
    ) -> list[Recorded]:
        """Events that match the query, in order, with `after` < position <= `until`, at most `limit`.

        `until` is "as of": the same call gives the same answer for ever. Personal members are there only with
        `unseal`. For an unbounded number use `scan`.
        """
        return self._codec.decode_all(self._rows(query, after, until, limit), unsealed=unseal)

    def read_to_head(self, query: Query, *, unseal: bool = False) -> tuple[list[Recorded], int]:
        """Every event that matches, and a position up to which all that match were read."""
        head = self.head()
        return self.read(query, until=head, unseal=unseal), head

    def settle(self) -> None:  # noqa: B027  # a log in memory has nothing to wait for
        """Waits until everything that has been read is durable, before an answer that promises it is given.

        What `append`, `of_command` and `find` return is durable by itself. An event can be read a moment before.
        """

    def scan(
        self,
        query: Query = ALL,
        *,
        after: int = 0,
        until: int | None = None,
        unseal: bool = False,
        batch: int = 2_000,
    ) -> Iterator[Recorded]:
        """As `read`, without holding all of it: reads `batch` events at a time, up to the head of now."""
        until = self.head() if until is None else until
        while True:
            rows = self._rows(query, after, until, batch)
            yield from self._codec.decode_all(rows, unsealed=unseal)
            if len(rows) < batch:
                return
            after = rows[-1][0]

    @abstractmethod
    def head(self) -> int:
        """The last position, 0 for an empty log."""

    @abstractmethod
    def of_command(self, command_id: UUID, *, unseal: bool = False) -> tuple[str, list[Recorded]] | None:
        """The line of a recorded command and the events that it made; None if it was never recorded."""

    @abstractmethod
    def find(self, event_ids: Sequence[UUID], *, unseal: bool = False) -> list[Recorded]:
        """Those of these events that are there, in order."""

    @abstractmethod
    def wait_beyond(self, position: int, timeout: float) -> bool:
        """Waits at most `timeout` seconds for the head to pass `position`; tells whether it has."""

    @property
    @abstractmethod
    def is_demonstration(self) -> bool:
        """Whether this log was created as a demonstration, and so takes times from the caller."""

    # writing

    @abstractmethod
    def append(
        self,
        events: Sequence[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
    ) -> list[Recorded]:
        """Appends all of the events or none, and returns them as recorded, personal members included.

        `recorded_at` is for demonstration logs only. Raises AppendConflict, CommandRepeated, EventRepeated,
        TypeNotOwned, NotADemonstration, and the refusals Busy, ClockOff, OutcomeUnknown, Unavailable and
        `erased`.
        """

    @abstractmethod
    def append_bulk(
        self,
        events: Iterable[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
        exclusive: bool = False,
    ) -> tuple[int, int] | None:
        """Appends many events in constant memory, all or nothing; first and last position, None for none.

        More than `BULK_LIMIT` need `exclusive`; other writers wait meanwhile, and give up as Busy. Faults are
        those of `append`.
        """

    # for both

    @abstractmethod
    def _rows(self, query: Query, after: int, until: int | None, limit: int | None) -> Sequence[Row]: ...

    @staticmethod
    def _as_recorded(event: NewEvent, position: int, at: datetime, command: Command | None) -> Recorded:
        return Recorded(
            position,
            event.event_id,
            event.type,
            event.version,
            event.tags,
            at,
            event.recorded_by,
            command.id if command else None,
            event.subject,
            event.data,
        )
