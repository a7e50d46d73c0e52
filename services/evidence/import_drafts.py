"""Drafts: what a file says, read but not yet checked against the log. Each knows its rows for the faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from contracts.dossier import BEGINS
from contracts.events import EVENT_TYPES
from contracts.ids import is_id
from contracts.refusals import Fault, Kind, Refusal
from contracts.statement import faults_of

IMPORTED: Final = tuple(
    name for name, kind in EVENT_TYPES.items() if kind.owner == "evidence" and name != "ArtifactSubmitted"
)
"""The types that a file may hold: a dossier is opened by a registrar, an artifact needs its file."""

STAND_IN: Final = "x"
"""Takes the place of an evidence id that will be made, while the rest is checked."""

_COLUMN_OF_KIND: Final[Mapping[Kind, str]] = {
    Kind.UNKNOWN_PRINCIPAL: "principal",
    Kind.UNKNOWN_EVIDENCE: "evidence_id",
    Kind.NOT_ASSIGNED: "occurred_on",
    Kind.FUTURE_DATE: "occurred_on",
}
"""Where a reason without a place of its own is shown; the others concern who recorded it."""


@dataclass(slots=True)
class Draft:
    row: int
    """As a spreadsheet shows it: the header of a CSV is 1; the line of JSON Lines."""
    type: str
    principal: str
    recorded_by: str
    data: dict[str, Any]
    distinct: bool = False
    judgment_rows: tuple[int, ...] = ()
    """CSV: the row of each judgment. JSON Lines: empty."""
    sound: bool = True
    """False: the form has faults already. What can still be checked is checked, nothing is recorded."""

    @property
    def evidence_id(self) -> str | None:
        return self.data.get("evidence_id")

    @property
    def begins(self) -> bool:
        return self.type in BEGINS

    def fault(self, refusal: Refusal) -> list[Fault]:
        """A reason against recording this, as faults of the file."""
        if not refusal.errors:
            column = _COLUMN_OF_KIND.get(refusal.kind, "recorded_by")
            return [Fault(f"/rows/{self.row}/{column}", refusal.detail)]
        return [self.placed(fault) for fault in refusal.errors]

    def placed(self, fault: Fault) -> Fault:
        """A fault of the data at its row and column."""
        steps = fault.pointer.split("/")[1:]
        row = self.row
        if self.judgment_rows and steps[:1] == ["judgments"]:
            if len(steps) > 1:
                row = self.judgment_rows[int(steps[1])]
            steps = steps[2:] or ["competency"]
        return Fault("/".join([f"/rows/{row}", *steps]), fault.detail)


@dataclass(slots=True)
class Reading:
    """What reading a file found beside the drafts."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def envelope_faults(row: int, type_: object, principal: object, recorded_by: object) -> list[Fault]:
    """What is wrong with the members beside the data."""
    faults = []
    if type_ not in IMPORTED:
        said = {
            "DossierOpened": "a dossier is opened by a registrar, not by an import",
            "ArtifactSubmitted": "an artifact needs its file: submit it by POST /principals/{id}/artifacts",
        }.get(str(type_), f"the type is one of {', '.join(IMPORTED)}")
        faults.append(Fault(f"/rows/{row}/type", said))
    if not is_id(principal):
        faults.append(
            Fault(f"/rows/{row}/principal", "the id of a principal: 1 to 64 letters, digits, `.`, `_` or `-`")
        )
    kind, _, name = recorded_by.partition(":") if isinstance(recorded_by, str) else ("", "", "")
    if kind != "person" or not is_id(name):
        faults.append(Fault(f"/rows/{row}/recorded_by", "who saw it is written person:ID"))
    return faults


def data_faults(draft: Draft) -> list[Fault]:
    """What is wrong with the form of the data, by the event's own model."""
    data = draft.data if draft.evidence_id is not None or not draft.begins else draft.data | {"evidence_id": STAND_IN}
    try:
        EVENT_TYPES[draft.type].model.model_validate(data)
    except ValidationError as error:
        return [draft.placed(fault) for fault in faults_of(error)]
    return []
