"""Reading who is who: names for those who may see them, and the principals with their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.events import is_erased
from contracts.vocabulary import Role
from foundation.access.standing import STANDING_TYPES, standing
from foundation.eventlog import EventLog, Recorded, item, query


@dataclass(frozen=True, slots=True)
class Principal:
    id: str
    name: str | None
    """None after erasure."""
    place: str | None
    """The scope of the role of principal, where one was given."""


class People:
    """Reads the log each time: names are kept in no read model, so that erasing a key erases them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def name_of(self, person: str) -> str | None:
        """None for somebody unknown or erased."""
        found = self._log.read(
            query(item(types=("PersonRegistered",), tags=(f"person:{person}",))), limit=1, unseal=True
        )
        return _text(found[0].data.get("name")) if found else None

    def principals(self) -> list[Principal]:
        """Everybody with an open dossier, in the order of opening."""
        events = self._log.read(query(item(types=(*STANDING_TYPES, "DossierOpened"))), unseal=True)
        of_person: dict[str, list[int]] = {}
        opened = []
        for index, event in enumerate(events):
            if event.type == "DossierOpened":
                opened.append(str(event.data["principal_id"]))
            else:
                of_person.setdefault(event.stream, []).append(index)
        return [
            self._principal(person, [events[index] for index in of_person.get(f"person:{person}", ())])
            for person in opened
        ]

    @staticmethod
    def _principal(person: str, events: Sequence[Recorded]) -> Principal:
        names = [_text(event.data.get("name")) for event in events if event.type == "PersonRegistered"]
        scopes = [held.scope for held in standing(person, events).roles if held.role is Role.PRINCIPAL and held.scope]
        return Principal(person, names[0] if names else None, scopes[-1] if scopes else None)


def _text(value: object) -> str | None:
    return None if value is None or is_erased(value) else str(value)
