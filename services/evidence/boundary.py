"""What a recording rests on: the query of its decision, no wider than needed, and whether it is there already.

Two coaches who write about the same principal must not stand in each other's way, so a decision reads that the
dossier is open, who the recorder is, the item itself and what it names, and the recorder's own observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.dossier import BEGINS
from contracts.events import EVENT_TYPES
from contracts.framework import MLDS_2016
from foundation.eventlog import NewEvent, Query, Recorded, item, query
from services.evidence.observation import TextNeeded
from services.evidence.recording import Recording, competencies_of

BEGIN_TYPES: Final = tuple(BEGINS)
ITEM_TYPES: Final = tuple(name for name, kind in EVENT_TYPES.items() if kind.owner == "evidence")
BY_ROLE: Final = frozenset({"EvidenceRetracted", "DisputeResolved"})
"""The types that a role permits, not an assignment."""
OF_VISITS: Final = ("ObservationRecorded", "EvidenceRetracted", "DisputeResolved")


@dataclass(frozen=True, slots=True)
class Boundary:
    """What a decision reads, and which of it, appearing meanwhile, could make it fall otherwise.

    The second is narrower: a dossier once opened stays open, an assignment more permits no less, a published
    framework only adds competencies, and what is retracted stays so.
    """

    rests_on: Query
    unless: Query


def boundary(asked: Recording, *, given_id: bool = True) -> Boundary:
    """The boundary of a recording. given_id: the evidence id came from outside; one that was made here is new."""
    reads: list[Any] = []
    guards: list[Any] = []
    data, by, stream = asked.event.data, asked.event.recorded_by, asked.event.stream
    if asked.event.type in BY_ROLE:
        reads.append(item(types=("RoleGranted", "RoleRevoked"), tags=(by,)))
        guards.append(item(types=("RoleRevoked",), tags=(by,)))
    elif by != f"person:{asked.principal}":
        theirs = (by, f"person:{asked.principal}")
        reads.append(item(types=("AssessorAssigned", "AssessorUnassigned"), tags=theirs))
        guards.append(item(types=("AssessorUnassigned",), tags=theirs))
    if not asked.begins:
        the_item = item(types=ITEM_TYPES, tags=(f"evidence:{asked.evidence_id}",))
        reads.append(the_item)
        guards.append(the_item)
    else:
        reads.append(item(types=("DossierOpened",), tags=(stream,)))
        if given_id:
            new = item(types=BEGIN_TYPES, tags=(f"evidence:{asked.evidence_id}",))
            reads.append(new)
            guards.append(new)
    if asked.event.type == "ObservationRecorded" and not asked.distinct:
        reads.append(item(types=OF_VISITS, tags=(stream, by)))
        guards.append(item(types=("ObservationRecorded",), tags=(stream, by)))
    if "supersedes" in data:
        reads.append(item(types=ITEM_TYPES, tags=(f"evidence:{data['supersedes']}",)))
    if "observation_id" in data:
        observed = f"evidence:{data['observation_id']}"
        reads.append(item(types=ITEM_TYPES, tags=(observed,)))
        guards.append(item(types=("EvidenceRetracted", "DisputeResolved"), tags=(observed,)))
    if not competencies_of(data) <= MLDS_2016.numbers:
        reads.append(item(types=("FrameworkPublished",)))
    return Boundary(query(*reads), query(*guards))


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
