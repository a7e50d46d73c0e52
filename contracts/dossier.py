"""The invariants of a dossier: what has to hold when an event about an evidence item is appended.

One definition for two uses: a decision before it is recorded (`services/evidence`, which adds roles and
assignments), and the legality of a history file (`contracts/history.py`). Pure: facts in, a refusal or
nothing out. It works on partial knowledge: fold the events that a query brought (those of one item, of what it
names) and only they are known; fold a whole history and all are.

Data is the JSON value of an event; encrypted members may be absent, none is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from contracts.refusals import Fault, Kind, Refusal

ItemKind = Literal["observation", "feedback_cycle", "artifact", "mentoring"]
DisputeState = Literal["open", "upheld", "rejected", "ended_by_retraction"]
Data = Mapping[str, Any]

BEGINS: Final[Mapping[str, ItemKind]] = {
    "ObservationRecorded": "observation",
    "FeedbackCycleOpened": "feedback_cycle",
    "ArtifactSubmitted": "artifact",
    "MentoringRecorded": "mentoring",
}
"""The types that begin an item, and the kind that they begin."""

CONTINUES: Final[Mapping[str, ItemKind]] = {
    "FeedbackGiven": "feedback_cycle",
    "ResponseRecorded": "feedback_cycle",
    "FeedbackCycleClosed": "feedback_cycle",
    "ArtifactReviewed": "artifact",
    "ArtifactTakenDown": "artifact",
}
"""The types that go on with an item, and the kind that it has to be of."""

CORRECTS: Final = frozenset({"EvidenceRetracted", "EvidenceDisputed", "DisputeResolved"})
"""The types that may name an item of any kind."""

BY_AN_ASSESSOR: Final = frozenset(
    {"ObservationRecorded", "FeedbackCycleOpened", "FeedbackGiven", "FeedbackCycleClosed", "ArtifactReviewed"}
)
"""The types that only an assessor records; no assessor is the principal."""

BY_A_PERSON: Final = BY_AN_ASSESSOR | {
    "ResponseRecorded",
    "ArtifactSubmitted",
    "MentoringRecorded",
    "EvidenceDisputed",
    "DisputeResolved",
}
"""The types that a service never records."""

_CALLED: Final[Mapping[ItemKind, str]] = {
    "observation": "an observation",
    "feedback_cycle": "a feedback cycle",
    "artifact": "an artifact",
    "mentoring": "a record of mentoring",
}


@dataclass(slots=True)
class Item:
    """One evidence item, as its events so far made it."""

    principal: str
    kind: ItemKind
    began_by: str
    """Who recorded its first step: `person:ID`."""
    closed: bool = False
    has_feedback: bool = False
    has_response: bool = False
    retracted: bool = False
    dispute: DisputeState | None = None
    judged_by: tuple[str, ...] = ()
    """Who judged it, each once: `person:ID`."""

    @property
    def complete(self) -> bool:
        """Recorded; closed; reviewed at least once. Says nothing about retraction."""
        if self.kind == "feedback_cycle":
            return self.closed
        return self.kind != "artifact" or bool(self.judged_by)

    @property
    def state(self) -> Literal["open", "complete", "retracted"]:
        if self.retracted:
            return "retracted"
        return "complete" if self.complete else "open"

    def apply(self, type_name: str, data: Data, recorded_by: str) -> None:
        """Folds one event of this item, the first one included."""
        match type_name:
            case "FeedbackGiven":
                self.has_feedback = True
            case "ResponseRecorded":
                self.has_response = True
            case "FeedbackCycleClosed":
                self.closed = True
            case "EvidenceRetracted":
                self.retracted = True
                if self.dispute == "open":
                    self.dispute = "ended_by_retraction"
            case "EvidenceDisputed":
                self.dispute = "open"
            case "DisputeResolved":
                self.dispute = data["outcome"]
                self.retracted = data["outcome"] == "upheld"
        if "judgments" in data and recorded_by not in self.judged_by:
            self.judged_by += (recorded_by,)


class Dossiers:
    """What is known of dossiers and their items."""

    __slots__ = ("items", "opened")

    def __init__(self) -> None:
        self.opened: set[str] = set()
        """Principals whose `DossierOpened` is known."""
        self.items: dict[str, Item] = {}
        """By evidence id, of whatever dossier: an id is one item's in the whole log."""

    def apply(self, type_name: str, principal: str, data: Data, recorded_by: str) -> None:
        """Folds one legal event of the stream `dossier:<principal>`, in the log's order.

        An event about an item whose beginning is not known is passed over.
        """
        if type_name == "DossierOpened":
            self.opened.add(principal)
            return
        kind = BEGINS.get(type_name)
        if kind is not None:
            item = self.items[data["evidence_id"]] = Item(principal, kind, recorded_by)
            item.apply(type_name, data, recorded_by)
        elif (known := self.items.get(data["evidence_id"])) is not None:
            known.apply(type_name, data, recorded_by)

    def check(
        self,
        type_name: str,
        principal: str,
        data: Data,
        *,
        recorded_by: str,
        recorded_on: str,
        competencies: Container[int],
    ) -> Refusal | None:
        """Why this event may not be appended to `dossier:<principal>`, or None. The first of `objections`."""
        return next(
            self.objections(
                type_name,
                principal,
                data,
                recorded_by=recorded_by,
                recorded_on=recorded_on,
                competencies=competencies,
            ),
            None,
        )

    def objections(
        self,
        type_name: str,
        principal: str,
        data: Data,
        *,
        recorded_by: str,
        recorded_on: str,
        competencies: Container[int],
    ) -> Iterator[Refusal]:
        """Each reason why this event may not be appended to `dossier:<principal>`, the weightiest first.

        data: well-formed (the event's model has accepted it). recorded_by: `person:ID` or `service:NAME`.
        recorded_on: UTC date of recording, `YYYY-MM-DD`. competencies: the known competencies' numbers.
        """
        if type_name == "DossierOpened":
            refusal = self._check_opening(principal, data)
        elif principal not in self.opened:
            refusal = _refuse(Kind.UNKNOWN_PRINCIPAL, f"no dossier of {principal} has been opened")
        else:
            refusal = _check_recorder(type_name, principal, recorded_by)
        if refusal is not None:
            yield refusal
        if data.get("occurred_on", "") > recorded_on:
            yield _refuse(
                Kind.FUTURE_DATE,
                f"occurred_on {data['occurred_on']} is after the day of recording, {recorded_on} (UTC)",
                "/occurred_on",
            )
        if refusal is None and type_name != "DossierOpened":
            beginning = type_name in BEGINS
            refusal = (
                self._check_beginning(type_name, principal, data)
                if beginning
                else self._check_later(type_name, principal, data, recorded_by)
            )
            if refusal is not None:
                yield refusal
        yield from _unknown_competencies(data, competencies)

    def _check_opening(self, principal: str, data: Data) -> Refusal | None:
        if principal in self.opened:
            return _refuse(Kind.DOSSIER_EXISTS, f"the dossier of {principal} is open already")
        if data["principal_id"] != principal:
            return _refuse(
                Kind.INVALID_BODY,
                f"principal_id is {data['principal_id']}, the stream is dossier:{principal}",
                "/principal_id",
            )
        return None

    def _check_beginning(self, type_name: str, principal: str, data: Data) -> Refusal | None:
        evidence_id = data["evidence_id"]
        if evidence_id in self.items:
            return _refuse(Kind.EVIDENCE_ID_TAKEN, f"evidence_id {evidence_id} is taken", "/evidence_id")
        if type_name == "MentoringRecorded" and data["mentee_id"] == principal:
            return _refuse(Kind.OWN_MENTEE, f"{principal} is no mentee of their own", "/mentee_id")
        if "observation_id" in data:
            refusal = self._check_named(data["observation_id"], principal, "observation", "/observation_id")
            if refusal is not None:
                return refusal
        if "supersedes" in data:
            replaced = self.items.get(data["supersedes"])
            if replaced is None or replaced.principal != principal:
                return _unknown(data["supersedes"], principal, "/supersedes")
            if not replaced.retracted:
                return _refuse(
                    Kind.SUPERSEDES_NOT_RETRACTED,
                    f"{data['supersedes']} has not been retracted; retract it first, then record anew",
                    "/supersedes",
                )
        return None

    def _check_later(self, type_name: str, principal: str, data: Data, recorded_by: str) -> Refusal | None:
        evidence_id = data["evidence_id"]
        refusal = self._check_named(evidence_id, principal, CONTINUES.get(type_name), "/evidence_id")
        if refusal is not None:
            return refusal
        rule = _RULES.get(type_name)
        return rule(evidence_id, self.items[evidence_id], recorded_by) if rule else None

    def _check_named(self, evidence_id: str, principal: str, kind: ItemKind | None, pointer: str) -> Refusal | None:
        """No later event names an item that is unknown in this dossier, of another kind, or retracted."""
        item = self.items.get(evidence_id)
        if item is None or item.principal != principal:
            return _unknown(evidence_id, principal, pointer)
        if kind is not None and item.kind != kind:
            return _refuse(
                Kind.WRONG_KIND_OF_EVIDENCE,
                f"{evidence_id} is {_CALLED[item.kind]}, not {_CALLED[kind]}",
                pointer,
            )
        if item.retracted:
            return _refuse(Kind.EVIDENCE_RETRACTED, f"{evidence_id} has been retracted", pointer)
        return None


def _check_recorder(type_name: str, principal: str, recorded_by: str) -> Refusal | None:
    if type_name in BY_A_PERSON and not recorded_by.startswith("person:"):
        return _refuse(Kind.PERSON_NEEDED, f"{type_name} is a person's to record, not {recorded_by}'s")
    is_principal = recorded_by == f"person:{principal}"
    if type_name in BY_AN_ASSESSOR and is_principal:
        return _refuse(Kind.OWN_RECORD, f"{principal} is no assessor of their own record")
    if type_name == "ResponseRecorded" and not is_principal:
        return _refuse(Kind.NOT_THE_PRINCIPAL, f"the response is for {principal} to give")
    if type_name == "DisputeResolved" and is_principal:
        return _refuse(Kind.OWN_RECORD, f"{principal} does not resolve a dispute on their own record")
    return None


def _unknown_competencies(data: Data, competencies: Container[int]) -> Iterator[Refusal]:
    for member in ("judgments", "claims", "focus", "competencies"):
        for index, named in enumerate(data.get(member, ())):
            number = named if isinstance(named, int) else named["competency"]
            if number not in competencies:
                place = f"/{member}/{index}" + ("" if named is number else "/competency")
                yield _refuse(Kind.UNKNOWN_COMPETENCY, f"competency {number} is in no known framework", place)


def _cycle_is_open(evidence_id: str, item: Item, recorded_by: str) -> Refusal | None:
    if item.closed:
        return _refuse(Kind.CYCLE_CLOSED, f"the feedback cycle {evidence_id} is closed", "/evidence_id")
    return None


def _cycle_can_close(evidence_id: str, item: Item, recorded_by: str) -> Refusal | None:
    if item.closed:
        return _cycle_is_open(evidence_id, item, recorded_by)
    if not (item.has_feedback and item.has_response):
        missing = [
            name for name, there in (("feedback", item.has_feedback), ("response", item.has_response)) if not there
        ]
        return _refuse(
            Kind.CYCLE_INCOMPLETE,
            f"the feedback cycle {evidence_id} has no {' and no '.join(missing)} yet",
            "/evidence_id",
        )
    return None


def _reviewer_did_not_submit(evidence_id: str, item: Item, recorded_by: str) -> Refusal | None:
    if item.began_by == recorded_by:
        return _refuse(Kind.OWN_ARTIFACT, f"{recorded_by} submitted {evidence_id} and does not review it")
    return None


def _no_dispute_is_open(evidence_id: str, item: Item, recorded_by: str) -> Refusal | None:
    if item.dispute == "open":
        return _refuse(Kind.DISPUTE_OPEN, f"a dispute on {evidence_id} is open already", "/evidence_id")
    return None


def _a_dispute_is_open(evidence_id: str, item: Item, recorded_by: str) -> Refusal | None:
    if item.dispute != "open":
        return _refuse(Kind.NO_OPEN_DISPUTE, f"no dispute on {evidence_id} is open", "/evidence_id")
    return None


_RULES: Final[Mapping[str, Callable[[str, Item, str], Refusal | None]]] = {
    "FeedbackGiven": _cycle_is_open,
    "ResponseRecorded": _cycle_is_open,
    "FeedbackCycleClosed": _cycle_can_close,
    "ArtifactReviewed": _reviewer_did_not_submit,
    "EvidenceDisputed": _no_dispute_is_open,
    "DisputeResolved": _a_dispute_is_open,
}


def _unknown(evidence_id: str, principal: str, pointer: str) -> Refusal:
    return _refuse(Kind.UNKNOWN_EVIDENCE, f"no item {evidence_id} is known in the dossier of {principal}", pointer)


def _refuse(kind: Kind, detail: str, pointer: str = "") -> Refusal:
    return Refusal(kind, detail, [Fault(pointer, detail)] if pointer else ())
