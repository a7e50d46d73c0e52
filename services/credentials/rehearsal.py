"""A log that records nothing: what a command would do is decided on the real log and appended to this one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from foundation.eventlog import Command, Condition, EventLog, NewEvent, Query, Recorded


class RehearsalLog(EventLog):
    """Reads another log; `append` says what would have been recorded, after the log's end, and keeps nothing."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log.registry, log.keys)
        self._real = log

    def head(self) -> int:
        return self._real.head()

    def of_command(self, command_id: UUID, *, unseal: bool = False) -> tuple[str, list[Recorded]] | None:
        return self._real.of_command(command_id, unseal=unseal)

    def find(self, event_ids: Sequence[UUID], *, unseal: bool = False) -> list[Recorded]:
        return self._real.find(event_ids, unseal=unseal)

    def wait_beyond(self, position: int, timeout: float) -> bool:
        return self._real.wait_beyond(position, timeout)

    @property
    def is_demonstration(self) -> bool:
        return self._real.is_demonstration

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
    ) -> list[Recorded]:
        after = self._real.head()
        moment = recorded_at or datetime.now(UTC)
        return [self._as_recorded(event, after + 1 + index, moment, command) for index, event in enumerate(events)]

    def append_bulk(
        self,
        events: Iterable[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
        exclusive: bool = False,
    ) -> tuple[int, int] | None:
        done = self.append(list(events), command=command, recorded_at=recorded_at)
        return (done[0].position, done[-1].position) if done else None

    def _rows(self, query: Query, after: int, until: int | None, limit: int | None) -> Sequence[Any]:
        return self._real._rows(query, after, until, limit)  # the same class's own
