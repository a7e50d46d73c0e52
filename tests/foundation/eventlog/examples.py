"""Events that the log's tests record. What they mean does not matter here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from contracts.continuum import Level
from contracts.events.evidence import Judgment, ObservationRecorded
from foundation.eventlog import NewEvent, item, new_event, query

DOSSIER = query(item(types=("ObservationRecorded",), tags=("dossier:p-heron",)))


def observation(
    narrative: str = "Asked open questions.",
    *,
    evidence_id: str | None = None,
    principal: str = "p-heron",
    event_id: UUID | None = None,
    tags: Sequence[str] = (),
) -> NewEvent:
    """An observation on a principal; without `evidence_id`, the server makes one up."""
    return new_event(
        ObservationRecorded(
            evidence_id=evidence_id or str(uuid4()),
            occurred_on="2026-03-02",
            setting="District Push-In",
            judgments=[Judgment(competency=6, level=Level.EMERGING)],
            narrative=narrative,
        ),
        stream=f"dossier:{principal}",
        tags=tags,
        recorded_by="person:c-otter",
        subject=principal,
        event_id=event_id,
        server_set=() if evidence_id else ("evidence_id",),
    )
