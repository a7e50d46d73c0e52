"""Reading a record: the history of a principal, and the evidence held on them, by who may read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.dossier import Dossiers, Item
from contracts.events import EVENT_TYPES
from contracts.history import Line
from contracts.refusals import Kind, Refusal
from contracts.times import format_timestamp
from foundation.access.permissions import Caller, readable_until
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import EventLog, Query, Recorded, item, query

PERSON_TYPES = tuple(name for name, kind in EVENT_TYPES.items() if kind.stream == "person")
DOSSIER_TYPES = tuple(name for name, kind in EVENT_TYPES.items() if kind.stream == "dossier")


@dataclass(frozen=True, slots=True)
class Shown:
    """An evidence item with the events that made it."""

    position: int
    """Of its first event."""
    evidence_id: str
    item: Item
    events: list[Line]

    def to_data(self) -> dict[str, Any]:
        return {
            "evidence_id": self.evidence_id,
            "kind": self.item.kind,
            "state": self.item.state,
            "dispute": self.item.dispute,
            "events": [line._asdict() for line in self.events],
        }


class Records:
    """What is recorded about principals. Fits `foundation.web.Waits`: the log itself is what it reads."""

    def __init__(self, log: EventLog, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._clock = clock

    def wait_for(self, position: int, timeout: float) -> bool:
        return self._log.wait_beyond(position - 1, timeout)

    def history(self, caller: Caller, principal: str, after: int, limit: int) -> list[Line]:
        """History lines with `after` < position, at most `limit`: all that carries the principal's tag, and
        who they are. Raises Refusal FORBIDDEN or UNKNOWN_PRINCIPAL."""
        until = self._readable(caller, principal)
        concerning = query(
            item(tags=(f"principal:{principal}",)), item(types=PERSON_TYPES, tags=(f"person:{principal}",))
        )
        seen = [
            event
            for event in self._visible(concerning, until)
            if f"principal:{principal}" in event.tags or event.stream == f"person:{principal}"
        ]
        versions = _versions(seen)
        wanted = [event.position for event in seen if event.position > after][:limit]
        return self._lines(concerning, wanted, versions)

    def evidence(self, caller: Caller, principal: str, after: int, limit: int) -> list[Shown]:
        """Evidence items whose first event has `after` < position, in that order, at most `limit`."""
        until = self._readable(caller, principal)
        whole = query(item(types=DOSSIER_TYPES, tags=(f"dossier:{principal}",)))
        seen = self._visible(whole, until)
        dossiers = Dossiers()
        positions: dict[str, list[int]] = {}
        for event in seen:
            dossiers.apply(event.type, principal, event.data, event.recorded_by)
            if event.type != "DossierOpened":
                positions.setdefault(str(event.data["evidence_id"]), []).append(event.position)
        wanted = [name for name, own in positions.items() if own[0] > after][:limit]
        if not wanted:
            return []
        theirs = [position for name in wanted for position in positions[name]]
        tags = [item(types=DOSSIER_TYPES, tags=(f"evidence:{name}",)) for name in wanted]
        lines = {line.position: line for line in self._lines(query(*tags), theirs, _versions(seen))}
        return [
            Shown(positions[name][0], name, dossiers.items[name], [lines[position] for position in positions[name]])
            for name in wanted
        ]

    def _lines(self, asked: Query, positions: Sequence[int], versions: dict[int, int]) -> list[Line]:
        """The events at these positions, texts included, as history lines."""
        if not positions:
            return []
        wanted = set(positions)
        events = self._log.read(asked, after=min(wanted) - 1, until=max(wanted), unseal=True)
        return [to_line(event, versions[event.position]) for event in events if event.position in wanted]

    def _visible(self, asked: Query, until: date) -> list[Recorded]:
        return [event for event in self._log.read(asked) if event.recorded_at.date() <= until]

    def _readable(self, caller: Caller, principal: str) -> date:
        """The last day of recording that the caller may read."""
        opened = item(types=("DossierOpened",), tags=(f"dossier:{principal}",))
        own = [item(types=STANDING_TYPES, tags=(f"person:{caller.person}",))] if caller.person else []
        known = self._log.read(query(opened, *own))
        who = standing(caller.person, known) if caller.person else Standing("")
        until = readable_until(caller, who, principal, self._clock().date())
        if not any(event.type == "DossierOpened" and event.stream == f"dossier:{principal}" for event in known):
            raise Refusal(Kind.UNKNOWN_PRINCIPAL, f"No dossier of {principal} has been opened. Check the id.")
        return until


def to_line(event: Recorded, version: int) -> Line:
    """The history line of an event; `version` is its ordinal in its stream, from 1."""
    return Line(
        event.position,
        event.stream,
        version,
        format_timestamp(event.recorded_at),
        event.recorded_by,
        event.type,
        dict(event.data),
    )


def _versions(events: Iterable[Recorded]) -> dict[int, int]:
    """By position, the ordinal of each event in its stream. The events must hold each stream from its start."""
    counted: Counter[str] = Counter()
    versions = {}
    for event in events:
        counted[event.stream] += 1
        versions[event.position] = counted[event.stream]
    return versions
