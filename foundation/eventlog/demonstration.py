"""The log of a demonstration, where the program tells the time: two years are recorded in a minute.

Only a database that was created as a demonstration takes times from outside (`log.append` sees to it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from foundation.eventlog.dcb import Condition
from foundation.eventlog.events import Command, NewEvent, Recorded
from foundation.eventlog.postgres_log import PostgresEventLog


class SettableClock:
    """Tells the time that it was set to; the machine's own where it was not."""

    def __init__(self) -> None:
        self._moment: datetime | None = None

    def set(self, moment: datetime | None) -> None:
        """From now on it is this moment (aware); None: the machine's time again."""
        self._moment = moment

    def __call__(self) -> datetime:
        return self._moment or datetime.now(UTC)

    @property
    def moment(self) -> datetime | None:
        """What it was set to."""
        return self._moment


class DemonstrationLog(PostgresEventLog):
    """Records everything, also what followers derive, at the time of a clock."""

    def __init__(self, *arguments: Any, clock: Callable[[], datetime | None], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._clock = clock

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
    ) -> list[Recorded]:
        return super().append(events, condition=condition, command=command, recorded_at=recorded_at or self._clock())

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
        return super().append_on(
            cursor,
            events,
            condition=condition,
            command=command,
            skip_recorded=skip_recorded,
            recorded_at=recorded_at or self._clock(),
        )

    def append_bulk(
        self,
        events: Iterable[NewEvent],
        *,
        condition: Condition | None = None,
        command: Command | None = None,
        recorded_at: datetime | None = None,
        exclusive: bool = False,
    ) -> tuple[int, int] | None:
        return super().append_bulk(
            events,
            condition=condition,
            command=command,
            recorded_at=recorded_at or self._clock(),
            exclusive=exclusive,
        )
