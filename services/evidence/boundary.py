"""What a recording rests on: the query of its decision, no wider than needed, and whether it is there already.

Two coaches who write about the same principal must not stand in each other's way, so a decision reads that the
dossier is open, who the recorder is, the item itself and what it names, and the recorder's own observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contracts.dossier import BEGINS
from contracts.events import EVENT_TYPES
from contracts.framework import MLDS_2016
from foundation.access.standing import STANDING_TYPES
from foundation.eventlog import NewEvent, Query, Recorded, item, query
from services.evidence.observation import TextNeeded
from services.evidence.recording import Recording, competencies_of

BEGIN_TYPES: Final = tuple(BEGINS)
ITEM_TYPES: Final = tuple(name for name, kind in EVENT_TYPES.items() if kind.owner == "evidence")
OF_VISITS: Final = ("ObservationRecorded", "EvidenceRetracted", "DisputeResolved")


def beginning(asked: Recording, *, given_id: bool) -> Query:
    """What the beginning of an item rests on, and no more: others who write about the principal don't conflict."""
    data = asked.event.data
    items = [
        item(types=("DossierOpened",), tags=(asked.event.stream,)),
        item(types=STANDING_TYPES, tags=(asked.event.recorded_by,)),
    ]
    if asked.event.type == "ObservationRecorded" and not asked.distinct:
        items.append(item(types=OF_VISITS, tags=(asked.event.stream, asked.event.recorded_by)))
    if given_id:  # one that was made here is new
        items.append(item(types=BEGIN_TYPES, tags=(f"evidence:{asked.evidence_id}",)))
    items.extend(
        item(types=ITEM_TYPES, tags=(f"evidence:{data[name]}",))
        for name in ("supersedes", "observation_id")
        if name in data
    )
    return query(*items, *_frameworks(asked))


def continuing(asked: Recording) -> Query:
    """What a later step rests on: the item, and who records it."""
    return query(
        item(types=ITEM_TYPES, tags=(f"evidence:{asked.evidence_id}",)),
        item(types=STANDING_TYPES, tags=(asked.event.recorded_by,)),
        *_frameworks(asked),
    )


def _frameworks(asked: Recording) -> list[Any]:
    # A published framework only ever adds competencies, so it matters only where the packaged one lacks some.
    if competencies_of(asked.event.data) <= MLDS_2016.numbers:
        return []
    return [item(types=("FrameworkPublished",))]


def first_of(asked: Recording, known: Sequence[Recorded]) -> list[Recorded]:
    """The event that began this very item, where it is there with the same content. Raises TextNeeded."""
    if not asked.begins:
        return []
    for event in known:
        if (
            event.type != asked.event.type
            or event.data.get("evidence_id") != asked.evidence_id
            or event.stream != asked.event.stream
            or event.recorded_by != asked.event.recorded_by
        ):
            continue
        if same_content(event, asked.event):
            return [event]
    return []


def same_content(event: Recorded, asked: NewEvent) -> bool:
    """Whether both say the same, server-set members aside. Raises TextNeeded where texts are sealed."""
    wanted = {name: value for name, value in asked.data.items() if name not in asked.server_set}
    if any(name in wanted and name not in event.data for name in asked.personal):
        raise TextNeeded
    return wanted == {name: value for name, value in event.data.items() if name not in asked.server_set}
