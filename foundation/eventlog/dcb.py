"""The only module that imports the `eventsourcing` library: its DCB (dynamic consistency boundary) layer.

We use its recorder interface, its query and condition types, its in-memory recorder and its conformance
tests. Version 10 renames all of them, which is why nobody else imports it (docs/decisions).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from eventsourcing.dcb.api import (
    DCBAppendCondition as Condition,
)
from eventsourcing.dcb.api import (
    DCBEvent,
    DCBReadResponse,
    DCBRecorder,
    DCBSequencedEvent,
)
from eventsourcing.dcb.api import (
    DCBQuery as Query,
)
from eventsourcing.dcb.api import (
    DCBQueryItem as QueryItem,
)
from eventsourcing.dcb.persistence import DCBListenNotifySubscription
from eventsourcing.dcb.popo import InMemoryDCBRecorder, SimpleDCBReadResponse
from eventsourcing.persistence import IntegrityError, ProgrammingError

__all__ = [
    "ALL",
    "Condition",
    "DCBEvent",
    "DCBListenNotifySubscription",
    "DCBReadResponse",
    "DCBRecorder",
    "DCBSequencedEvent",
    "InMemoryDCBRecorder",
    "IntegrityError",
    "LogEvent",
    "ProgrammingError",
    "Query",
    "QueryItem",
    "SimpleDCBReadResponse",
    "item",
    "matches",
    "query",
]


def item(*, types: tuple[str, ...] | list[str] = (), tags: tuple[str, ...] | list[str] = ()) -> QueryItem:
    """Matches an event whose type is one of `types` (any, if empty) and which has every one of `tags`."""
    return QueryItem(types=list(types), tags=list(tags))


def query(*items: QueryItem) -> Query:
    """Matches an event that at least one item matches; without items, every event."""
    return Query(items=list(items))


ALL = query()


def matches(asked: Query, type_: str, tags: set[str]) -> bool:
    """Whether an event of this type and these tags is one that the query names."""
    return not asked.items or any(
        (not one.types or type_ in one.types) and tags.issuperset(one.tags) for one in asked.items
    )


@dataclass
class LogEvent(DCBEvent):
    """The library's event with the columns of our log.

    The library knows `type`, `data` and `tags` only; its own tests send such bare events, so every further
    column has a default. `recorded_at` is set by the recorder.
    """

    event_id: UUID | None = None
    type_version: int = 1
    recorded_at: datetime | None = None
    recorded_by: str = "service:unnamed"
    command_id: UUID | None = None
    command: str | None = None
    subject: str | None = None
    sealed: bytes | None = None
