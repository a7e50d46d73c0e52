"""Events as they go into the log and come out of it, and the command that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from contracts.events import EVENT_TYPES, Event, EventType

_NAMES = uuid5(NAMESPACE_OID, "mlds.eventlog")


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is to be recorded. Make it with `new_event`."""

    event_id: UUID
    type: str
    version: int
    tags: tuple[str, ...]
    """The first tag is the stream, for example `dossier:p-heron`."""
    recorded_by: str
    """`person:ID` or `service:NAME`."""
    subject: str | None
    """The person whose key encrypts the personal members."""
    data: Mapping[str, Any]
    """JSON values, personal members included."""
    personal: frozenset[str]
    server_set: frozenset[str] = frozenset()
    """Members that the server made up (an id, say): they may differ when a command is sent again."""

    @property
    def stream(self) -> str:
        return self.tags[0]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of the log."""

    position: int
    event_id: UUID
    type: str
    version: int
    """The current version: older data has been upcast."""
    tags: tuple[str, ...]
    recorded_at: datetime
    """UTC, the database's time, never falling."""
    recorded_by: str
    command_id: UUID | None
    """On the first event of a command; None on its further ones, and where no command was given."""
    subject: str | None
    data: Mapping[str, Any]
    """JSON values. Personal members are absent unless asked for, and `ERASED` where the key is destroyed."""

    @property
    def stream(self) -> str:
        return self.tags[0]


@dataclass(frozen=True, slots=True)
class Command:
    """What a client asked for, under an id that makes it safe to send again."""

    id: UUID
    person: str
    line: str
    """Method and path with its query, for example `POST /api/v1/principals/p-heron/observations`."""

    @staticmethod
    def of(person: str, key: str, line: str) -> Command:
        """The command of a person under their key (`Idempotency-Key`): a key belongs to the person."""
        return Command(command_id(person, key), person, line)


def command_id(person: str, key: str) -> UUID:
    """UUIDv5 of (person, key). The length stands before the person, so that no two pairs read the same."""
    return uuid5(_NAMES, f"command {len(person)}:{person} {key}")


def event_id_from(cause: str, *parts: str) -> UUID:
    """UUIDv5 of the cause of a derived event: recording it a second time changes nothing.

    >>> event_id_from("projections", "LevelReached", "17", "6", "emerging")  # doctest: +SKIP
    """
    return uuid5(_NAMES, "event " + " ".join(f"{len(part)}:{part}" for part in (cause, *parts)))


def new_event(
    model: Event,
    *,
    recorded_by: str,
    stream: str | None = None,
    tags: Sequence[str] = (),
    subject: str | None = None,
    event_id: UUID | None = None,
    server_set: Sequence[str] = (),
    types: Mapping[str, EventType] = EVENT_TYPES,
) -> NewEvent:
    """A new event from its model.

    `stream` is the first tag; it may be left out where the type says which member names it. `tags` are the
    further ones. `subject` is needed when a personal member is there.
    """
    kind = types[type(model).__name__]
    data = model.to_data()
    if stream is None:
        if kind.stream_id is None:
            raise ValueError(f"{kind.name} does not say its stream: give it")
        stream = f"{kind.stream}:{data[kind.stream_id]}"
    return NewEvent(
        event_id=event_id or uuid4(),
        type=kind.name,
        version=kind.version,
        tags=(stream, *(tag for tag in dict.fromkeys(tags) if tag != stream)),
        recorded_by=recorded_by,
        subject=subject,
        data=data,
        personal=kind.personal,
        server_set=frozenset(server_set),
    )
