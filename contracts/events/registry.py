"""What an event type is, and the closed registry of all of them.

Types have stable names and versions of their own, never module paths. A name that stands here stands for
ever: old versions are upcast when they are read (`foundation/eventlog`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar, get_args

from contracts.statement import Statement

E = TypeVar("E", bound="Event")
Owner = Literal["governance", "evidence", "projections", "credentials"]

ERASED: Final[Mapping[str, bool]] = MappingProxyType({"erased": True})
"""Stands for an encrypted member whose key has been destroyed."""


def is_erased(value: object) -> bool:
    # `is True`: 1 equals true in Python, and is another value in JSON.
    return isinstance(value, Mapping) and len(value) == 1 and value.get("erased") is True


class Personal:
    """The mark of a member that is encrypted for the event's subject: `Annotated[Text, Personal()]`."""


class Event(Statement):
    """Base of the data of every event: what was stated, and what the server sets."""


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    version: int
    model: type[Event]
    owner: Owner
    """The service whose login may append it."""
    stream: str
    """The part of the stream before the colon: `dossier`, `person`, …"""
    stream_id: str | None
    """The member of the data that names the stream; None where the stream is fixed or named by the path."""
    personal: frozenset[str]
    step: bool
    """Whether it has an `occurred_on`: it happened on a day."""


def _marked_inside(annotation: Any) -> bool:
    """Whether a `Personal` stands somewhere in a type, below the member that has this type."""
    if any(isinstance(mark, Personal) for mark in getattr(annotation, "__metadata__", ())):
        return True
    if isinstance(annotation, type) and issubclass(annotation, Statement):
        fields = annotation.model_fields.values()
        return any(
            any(isinstance(mark, Personal) for mark in field.metadata) or _marked_inside(field.annotation)
            for field in fields
        )
    return any(_marked_inside(part) for part in get_args(annotation))


_types: dict[str, EventType] = {}
EVENT_TYPES: Final[Mapping[str, EventType]] = MappingProxyType(_types)


def event(*, owner: Owner, stream: str, stream_id: str | None = None, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Registers a model under its class name."""

    def register(model: type[E]) -> type[E]:
        fields = model.model_fields
        for name, field in fields.items():
            if _marked_inside(field.annotation):
                # Encryption takes whole members. A mark further in would be passed over, and the text stored open.
                raise TypeError(f"{model.__name__}.{name}: mark the whole member, Annotated[… | None, Personal()]")
        marked = (name for name, field in fields.items() if any(isinstance(m, Personal) for m in field.metadata))
        _types[model.__name__] = EventType(
            name=model.__name__,
            version=version,
            model=model,
            owner=owner,
            stream=stream,
            stream_id=stream_id,
            personal=frozenset(marked),
            step="occurred_on" in fields,
        )
        return model

    return register
