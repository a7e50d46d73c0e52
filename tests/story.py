"""A history told in the domain's words: given what was recorded, then these levels follow.

    story = Story()
    story.dossier("p-heron")
    story.observed("e1", {6: "emerging"}, by="c-otter", on="2026-02-03")
    assert story.level(6) == "aspiring"

Every step appends one line; positions, versions and times are filled in. A step is recorded at noon of the day
that it happened on, or, where that is past, at the time of the line before.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.history import HistoryReader, Line, lines_of, to_line
from services.projections.replay import Replay

Judgments = Mapping[int, str]


def policy(
    id_: str = "trial",
    version: str = "1",
    *,
    framework: str = "mlds-2016",
    effective_from: str = "2026-01-01",
    **levels: Mapping[str, Any],
) -> dict[str, Any]:
    """A policy that asks for 1, 2, 3, 4 items, but for the levels that are given."""
    clauses = {"aspiring": {"items": 1}, "emerging": {"items": 2}, "developing": {"items": 3}}
    clauses |= {"transformational": {"items": 4}, **levels}
    return {
        "id": id_,
        "version": version,
        "framework": framework,
        "effective_from": effective_from,
        "levels": clauses,
    }


def framework(id_: str, *numbers: int) -> dict[str, Any]:
    return {"id": id_, "competencies": [{"number": number} for number in numbers]}


class Story:
    """Grows a history line by line. `principal` is the one meant where none is named."""

    def __init__(self, principal: str = "p-heron") -> None:
        self.principal = principal
        self.lines: list[Line] = []
        self._versions: dict[str, int] = {}

    # what was recorded

    def dossier(self, principal: str | None = None, *, on: str = "2026-01-05") -> Line:
        principal = principal or self.principal
        return self.record(
            f"dossier:{principal}", "DossierOpened", {"principal_id": principal}, by="registrar-1", on=on
        )

    def observed(self, evidence_id: str, judgments: Judgments, *, by: str = "c-otter", on: str, **more: Any) -> Line:
        data = {"setting": "Retreats", "narrative": "x", "judgments": judged(judgments), **more}
        return self.step("ObservationRecorded", evidence_id, data, by=by, on=on)

    def cycle_opened(
        self, evidence_id: str, focus: Sequence[int], *, by: str = "c-otter", on: str, **more: Any
    ) -> Line:
        data = {"setting": "Retreats", "focus": list(focus), **more}
        return self.step("FeedbackCycleOpened", evidence_id, data, by=by, on=on)

    def feedback(self, evidence_id: str, *, by: str = "c-otter", on: str) -> Line:
        return self.step("FeedbackGiven", evidence_id, {"feedback": "x"}, by=by, on=on)

    def response(self, evidence_id: str, *, by: str | None = None, on: str) -> Line:
        return self.step("ResponseRecorded", evidence_id, {"response": "x"}, by=by or self.principal, on=on)

    def cycle_closed(self, evidence_id: str, judgments: Judgments, *, by: str = "c-otter", on: str) -> Line:
        return self.step("FeedbackCycleClosed", evidence_id, {"judgments": judged(judgments)}, by=by, on=on)

    def whole_cycle(self, evidence_id: str, judgments: Judgments, *, by: str = "c-otter", on: str) -> Line:
        self.cycle_opened(evidence_id, list(judgments), by=by, on=on)
        self.feedback(evidence_id, by=by, on=on)
        self.response(evidence_id, on=on)
        return self.cycle_closed(evidence_id, judgments, by=by, on=on)

    def submitted(
        self, evidence_id: str, claims: Sequence[int], *, by: str | None = None, on: str, **more: Any
    ) -> Line:
        data = {
            "sha256": "0" * 64,
            "media_type": "application/pdf",
            "size": 1,
            "filename": "a.pdf",
            "claims": [{"competency": number, "pointers": [{"page": 1}]} for number in claims],
            **more,
        }
        return self.step("ArtifactSubmitted", evidence_id, data, by=by or self.principal, on=on)

    def reviewed(self, evidence_id: str, judgments: Judgments, *, by: str = "c-otter", on: str) -> Line:
        return self.step("ArtifactReviewed", evidence_id, {"judgments": judged(judgments)}, by=by, on=on)

    def mentored(self, evidence_id: str, competencies: Sequence[int], *, mentee: str = "p-egret", on: str) -> Line:
        data = {"mentee_id": mentee, "competencies": list(competencies)}
        return self.step("MentoringRecorded", evidence_id, data, by=self.principal, on=on)

    def retracted(self, evidence_id: str, *, by: str = "c-otter", on: str = "") -> Line:
        return self._about("EvidenceRetracted", evidence_id, {"reason": "x"}, by=by, on=on)

    def disputed(self, evidence_id: str, *, by: str | None = None, on: str = "") -> Line:
        return self._about("EvidenceDisputed", evidence_id, {"reason": "x"}, by=by or self.principal, on=on)

    def resolved(self, evidence_id: str, outcome: str, *, by: str = "director-1", on: str = "") -> Line:
        return self._about("DisputeResolved", evidence_id, {"outcome": outcome}, by=by, on=on)

    def adopted(self, policy: Mapping[str, Any], *, on: str = "") -> Line:
        data = {"policy": policy, "effective_from": policy["effective_from"]}
        return self.record("commission:policies", "PolicyAdopted", data, by="chair-1", on=on)

    def published(self, framework: Mapping[str, Any], *, on: str = "") -> Line:
        stream = f"framework:{framework['id']}"
        return self.record(stream, "FrameworkPublished", {"framework": framework}, by="chair-1", on=on)

    def reassessed(self, *, on: str = "") -> Line:
        return self.record("commission:policies", "ReassessmentOrdered", {"reason": "yearly"}, by="chair-1", on=on)

    def step(self, type_: str, evidence_id: str, data: Mapping[str, Any], *, by: str, on: str) -> Line:
        """A step of an item: an event with a day of its own."""
        return self._about(type_, evidence_id, {"occurred_on": on, **data}, by=by, on=on)

    def _about(self, type_: str, evidence_id: str, data: Mapping[str, Any], *, by: str, on: str) -> Line:
        return self.record(f"dossier:{self.principal}", type_, {"evidence_id": evidence_id, **data}, by=by, on=on)

    def record(self, stream: str, type_: str, data: Mapping[str, Any], *, by: str, on: str = "") -> Line:
        """Any event. by: a person's id, or `service:NAME`. on: the day of recording; empty: as the line before."""
        last = self.lines[-1] if self.lines else None
        at = f"{on}T12:00:00Z" if on else ""
        if last is not None and at < last.recorded_at:
            at = last.recorded_at
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        line = Line(
            position=last.position + 1 if last else 1,
            stream=stream,
            version=version,
            recorded_at=at or "2026-01-01T12:00:00Z",
            recorded_by=by if ":" in by else f"person:{by}",
            type=type_,
            data=dict(data),
        )
        self.lines.append(line)
        return line

    # what follows

    def file(self) -> bytes:
        return "".join(to_line(line) + "\n" for line in self.lines).encode()

    def replayed(self, **options: Any) -> Replay:
        """By the real reader and the real rule. Raises IllegalHistory."""
        return replayed(self.file(), **options)

    def levels(self, competency: int | str, principal: str | None = None) -> dict[str, Any]:
        """The object that `mlds replay` prints for this competency."""
        wanted = (principal or self.principal, competency)
        return next(found for found in self.replayed().levels() if (found["principal"], found["competency"]) == wanted)

    def level(self, competency: int | str, principal: str | None = None) -> str | None:
        level: str | None = self.levels(competency, principal)["level"]
        return level

    def changes(self, competency: int | str, principal: str | None = None) -> list[tuple[int, str]]:
        """(position, `+level` or `-level`), by position, lapses before reaches."""
        found = self.levels(competency, principal)
        lapsed = [(one["position"], 0, f"-{one['level']}") for one in found["lapsed"]]
        reached = [(one["position"], 1, f"+{one['level']}") for one in found["reached"]]
        return [(position, what) for position, _, what in sorted(lapsed + reached, key=lambda x: x[:2])]


def judged(judgments: Judgments) -> list[dict[str, Any]]:
    return [{"competency": number, "level": level} for number, level in judgments.items()]


def replayed(file: bytes, **options: Any) -> Replay:
    reader = HistoryReader()
    result = Replay(reader.known, **options)
    for line in reader.read_all(lines_of(io.BytesIO(file))):
        result.take(line)
    return result


def printed(replay: Replay) -> list[str]:
    return [json.dumps(levels) for levels in replay.levels()]
