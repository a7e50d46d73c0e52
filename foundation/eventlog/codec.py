"""Between events and rows of the log: splitting off, sealing and unsealing of personal members, upcasting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from foundation.eventlog.dcb import LogEvent
from foundation.eventlog.events import Command, NewEvent, Recorded
from foundation.eventlog.sealing import seal, to_bytes, unseal
from foundation.eventlog.subject_keys import SubjectKeys
from foundation.eventlog.type_registry import TypeRegistry


class Row(NamedTuple):
    """A row of the log as it is read. Columns in this order (`COLUMNS`)."""

    position: int
    event_id: UUID
    type: str
    type_version: int
    tags: Sequence[str]
    recorded_at: datetime
    recorded_by: str
    command_id: UUID | None
    subject: str | None
    data: bytes
    sealed: bytes | None


COLUMNS = ", ".join(Row._fields)


class Codec:
    """Turns new events into rows and rows into recorded events."""

    def __init__(self, registry: TypeRegistry, keys: SubjectKeys | None) -> None:
        self.registry = registry
        self._keys = keys

    def encode(self, event: NewEvent, command: Command | None) -> LogEvent:
        """The row of a new event. May make the subject's key. Raises Refusal `erased`."""
        if not event.tags:
            raise ValueError(f"{event.type} has no tag: the first one is its stream")
        self.registry.check(event.type, event.version)
        plain = {name: value for name, value in event.data.items() if name not in event.personal}
        personal = {name: value for name, value in event.data.items() if name in event.personal}
        sealed = None
        if personal:
            if event.subject is None:
                raise ValueError(f"{event.type} has personal members ({', '.join(personal)}) and no subject")
            sealed = seal(
                personal,
                self._store(event.type).for_writing(event.subject),
                event_id=event.event_id,
                type_=event.type,
                version=event.version,
                stream=event.stream,
            )
        return LogEvent(
            type=event.type,
            data=to_bytes(plain),
            tags=list(event.tags),
            event_id=event.event_id,
            type_version=event.version,
            recorded_by=event.recorded_by,
            command_id=command.id if command else None,
            command=command.line if command else None,
            subject=event.subject,
            sealed=sealed,
        )

    def warm_for(self, events: Sequence[NewEvent]) -> None:
        """Makes and fetches the keys of several subjects at once, before they are needed one by one."""
        subjects = {event.subject for event in events if event.subject and event.personal.intersection(event.data)}
        if self._keys is not None and len(subjects) > 1:
            self._keys.warm(sorted(subjects), make=True)

    def decode_all(self, rows: Sequence[Row | tuple[Any, ...]], *, unsealed: bool) -> list[Recorded]:
        """As `decode`, with the keys fetched at once."""
        if unsealed and self._keys is not None:
            self._keys.warm(sorted({row[8] for row in rows if row[10] is not None}))
        return [self.decode(row, unsealed=unsealed) for row in rows]

    def decode(self, row: Row | tuple[Any, ...], *, unsealed: bool) -> Recorded:
        """The recorded event of a row. Raises UnknownEventType, SealBroken."""
        position, event_id, name, version, tags, at, by, command_id, subject, data, sealed = row
        members: dict[str, Any] = from_json(data, allow_inf_nan=False)  # half the time of the json module
        if unsealed and sealed is not None:
            assert subject is not None
            key = self._store(name).for_reading(subject)
            members |= unseal(sealed, key, event_id=event_id, type_=name, version=version, stream=tags[0])
        version, members = self.registry.upcast(name, version, members)
        return Recorded(position, event_id, name, version, tuple(tags), at, by, command_id, subject, members)

    def _store(self, name: str) -> SubjectKeys:
        if self._keys is None:
            raise ValueError(f"{name} has personal members, and this log was opened without subject keys")
        return self._keys
