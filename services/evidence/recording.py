"""Recording one evidence event: what is asked, what is known, and every reason against it. Pure.

The invariants of a dossier are `contracts.dossier`'s. Here stands what counts only when an event is recorded,
not on replay: who may record it, as roles and assignments are known now, and near doubles.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from contracts.dossier import BEGINS, Dossiers, Item
from contracts.events import EVENT_TYPES
from contracts.events import evidence as events
from contracts.framework import MLDS_2016
from contracts.refusals import Kind, Refusal
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import NewEvent, Recorded, new_event
from services.evidence import artifact, cycle, dispute, mentoring, observation

Who = Callable[[str, Mapping[str, Any], Item | None, Standing, date], Refusal | None]
"""(principal, data, the item as it stands or None, the recorder's standing, today) → why not, or None."""

WHO_MAY: Final[Mapping[str, Who]] = {
    "ObservationRecorded": observation.who_may,
    "FeedbackCycleOpened": cycle.who_may_lead,
    "FeedbackGiven": cycle.who_may_lead,
    "ResponseRecorded": cycle.who_may_respond,
    "FeedbackCycleClosed": cycle.who_may_lead,
    "ArtifactSubmitted": artifact.who_may_submit,
    "ArtifactReviewed": artifact.who_may_review,
    "MentoringRecorded": mentoring.who_may,
    "EvidenceRetracted": dispute.who_may_retract,
    "EvidenceDisputed": dispute.who_may_dispute,
    "DisputeResolved": dispute.who_may_resolve,
}


def require_complete(who_may: Collection[str]) -> None:
    """Raises TypeError where an evidence type has no line that says who may record it, or a line has no type."""
    types = {name for name, kind in EVENT_TYPES.items() if kind.owner == "evidence"}
    if wrong := types.symmetric_difference(who_may):
        raise TypeError(f"WHO_MAY and the evidence types differ in: {', '.join(sorted(wrong))}")


require_complete(WHO_MAY)

_FIRST_OF_ALL: Final = frozenset(
    {
        Kind.UNKNOWN_PRINCIPAL,
        Kind.UNKNOWN_EVIDENCE,
        Kind.PERSON_NEEDED,
        Kind.OWN_RECORD,
        Kind.NOT_THE_PRINCIPAL,
        Kind.FUTURE_DATE,
    }
)
"""Where one of these holds, whether the recorder is assigned can't be told, or says nothing more."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One evidence event that a person asks to have recorded."""

    principal: str
    event: NewEvent
    distinct: bool = False
    """The caller says that it is no near double."""

    @property
    def person(self) -> str:
        return self.event.recorded_by.partition(":")[2]

    @property
    def begins(self) -> bool:
        return self.event.type in BEGINS

    @property
    def evidence_id(self) -> str:
        return str(self.event.data["evidence_id"])


def recording(
    principal: str,
    model: events.Item,
    recorded_by: str,
    *,
    distinct: bool = False,
    server_set: Iterable[str] = (),
    began_by: str | None = None,
) -> Recording:
    """The recording of an event of a dossier, with its tags.

    Tags: the dossier (its stream), the principal, the item, the recorder, and as further persons a mentee, and
    who began an item that is corrected (so that an assessor's own observations are one narrow read).
    """
    tags = [f"principal:{principal}", f"evidence:{model.evidence_id}", recorded_by]
    if isinstance(model, events.MentoringRecorded):
        tags.append(f"person:{model.mentee_id}")
    if began_by is not None:
        tags.append(began_by)
    event = new_event(
        model,
        recorded_by=recorded_by,
        stream=f"dossier:{principal}",
        tags=tags,
        subject=principal,
        server_set=tuple(server_set),
    )
    return Recording(principal, event, distinct)


def naming_who_began(asked: Recording, item: Item | None) -> Recording:
    """The recording with the tag of the person who began the item, where it corrects one."""
    if item is None or asked.event.type not in ("EvidenceRetracted", "DisputeResolved"):
        return asked
    tags = tuple(dict.fromkeys((*asked.event.tags, item.began_by)))
    return replace(asked, event=replace(asked.event, tags=tags))


def competencies_of(data: Mapping[str, Any]) -> set[int]:
    """The numbers of the competencies that an event names."""
    return {
        named if isinstance(named, int) else named["competency"]
        for member in ("judgments", "claims", "focus", "competencies")
        for named in data.get(member, ())
    }


class Facts:
    """What is known when something is to be recorded: fold the events that the query brought."""

    def __init__(self, known: Iterable[Recorded] = (), competencies: Collection[int] = MLDS_2016.numbers) -> None:
        self.dossiers = Dossiers()
        self.visits = observation.Visits()
        self.competencies: set[int] = set(competencies)
        self._events_of: dict[str, list[Recorded]] = {}
        self._standings: dict[str, Standing] = {}
        for event in known:
            self.apply(event)

    def apply(self, event: Recorded) -> None:
        kind, _, subject = event.stream.partition(":")
        if kind == "dossier":
            self.append(subject, event.type, event.data, event.recorded_by)
        elif event.type in STANDING_TYPES:
            self._events_of.setdefault(subject, []).append(event)
            self._standings.pop(subject, None)
        elif event.type == "FrameworkPublished":
            self.competencies.update(one["number"] for one in event.data["framework"]["competencies"])

    def append(self, principal: str, type_name: str, data: Mapping[str, Any], recorded_by: str) -> None:
        """Folds one event of a dossier."""
        self.dossiers.apply(type_name, principal, data, recorded_by)
        if type_name == "ObservationRecorded":
            self.visits.add(principal, data, recorded_by)

    def standing_of(self, person: str) -> Standing:
        known = self._standings.get(person)
        if known is None:
            known = self._standings[person] = standing(person, self._events_of.get(person, ()))
        return known

    def know(self, known: Standing) -> None:
        """Takes a standing that has been folded elsewhere."""
        self._standings[known.person] = known

    def item(self, evidence_id: str) -> Item | None:
        return self.dossiers.items.get(evidence_id)


def objections(asked: Recording, facts: Facts, today: date) -> Iterator[Refusal]:
    """Every reason not to record this, the weightiest first. Raises `observation.TextNeeded`.

    today: the UTC date of recording. Whether the person may at all comes before what state the item is in, so
    that a stranger learns nothing of it.
    """
    data = asked.event.data
    against = list(
        facts.dossiers.objections(
            asked.event.type,
            asked.principal,
            data,
            recorded_by=asked.event.recorded_by,
            recorded_on=today.isoformat(),
            competencies=facts.competencies,
        )
    )
    first = [refusal for refusal in against if refusal.kind in _FIRST_OF_ALL]
    yield from first
    may_not = None
    if not first:
        item = None if asked.begins else facts.item(asked.evidence_id)
        may_not = WHO_MAY[asked.event.type](asked.principal, data, item, facts.standing_of(asked.person), today)
        if may_not is not None:
            yield may_not
    yield from (refusal for refusal in against if refusal.kind not in _FIRST_OF_ALL)
    if asked.event.type == "ObservationRecorded" and not (asked.distinct or against or may_not):
        double = observation.near_double(asked.principal, data, asked.event.recorded_by, facts.visits, facts.dossiers)
        if double is not None:
            yield double
