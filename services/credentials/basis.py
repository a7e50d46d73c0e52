"""On what an attainment rests, as far as a badge says it: how many items of which kinds, by how many
assessors, over how many days. Nothing else about the evidence leaves the record.

The judgments that count are those of the rule for levels: of an observation or a
cycle what was judged; of an artifact each reviewer's last review, whole, as far as it names the competency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.times import parse_date
from contracts.vocabulary import EvidenceKind
from foundation.eventlog import Recorded

from .achievements import counted, kind_counted

BASIS_TYPES = ("ObservationRecorded", "FeedbackCycleClosed", "ArtifactReviewed")
"""The events that judge."""

_KIND_OF = {
    "ObservationRecorded": EvidenceKind.OBSERVATION,
    "FeedbackCycleClosed": EvidenceKind.FEEDBACK_CYCLE,
    "ArtifactReviewed": EvidenceKind.ARTIFACT,
}


@dataclass(frozen=True, slots=True)
class Basis:
    """`kinds`: items of each kind that occurs, in the vocabulary's order. `days`: latest minus earliest date."""

    items: int
    kinds: tuple[tuple[EvidenceKind, int], ...]
    assessors: int
    days: int

    def in_words(self) -> str:
        """ "5 evidence items (2 observations, 2 feedback cycles, 1 artifact), judged by 2 assessors over 75 days"."""
        kinds = ", ".join(kind_counted(number, kind) for kind, number in self.kinds)
        return (
            f"{counted(self.items, 'evidence item', 'evidence items')} ({kinds}), judged by "
            f"{counted(self.assessors, 'assessor', 'assessors')} "
            + (f"over {counted(self.days, 'day', 'days')}" if self.days else "on one day")
        )


def basis(competency: int, evidence_ids: Sequence[str], events: Iterable[Recorded]) -> Basis:
    """Folds the events of these items, in the log's order and up to the event that reached the level.

    Events of other types and items are passed over. An item without a judgment on the competency counts as
    nothing: the attainment would not have named it.
    """
    wanted = set(evidence_ids)
    standing: dict[str, dict[str, tuple[bool, date]]] = {}  # item → assessor → (names the competency, date)
    kinds: dict[str, EvidenceKind] = {}
    for event in events:
        kind = _KIND_OF.get(event.type)
        item = event.data.get("evidence_id")
        if kind is None or item not in wanted:
            continue
        names = any(judgment["competency"] == competency for judgment in event.data["judgments"])
        standing.setdefault(item, {})[event.recorded_by] = (names, parse_date(event.data["occurred_on"]))
        kinds[item] = kind
    counts = dict.fromkeys(EvidenceKind, 0)
    assessors: set[str] = set()
    days: list[date] = []
    for item, judged in standing.items():
        naming = [(assessor, day) for assessor, (names, day) in judged.items() if names]
        if naming:
            counts[kinds[item]] += 1
            assessors.update(assessor for assessor, _ in naming)
            days.append(max(day for _, day in naming))
    return Basis(
        sum(counts.values()),
        tuple((kind, number) for kind, number in counts.items() if number),
        len(assessors),
        (max(days) - min(days)).days if days else 0,
    )
