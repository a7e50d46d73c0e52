"""Checking what an import holds against the log, one principal at a time, as if each observer had sent it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from contracts.events import EVENT_TYPES
from contracts.events import evidence as events
from contracts.refusals import Fault, Kind
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import EventLog, NewEvent, Recorded, item, query
from services.evidence.boundary import BEGIN_TYPES, ITEM_TYPES, same_content
from services.evidence.import_drafts import Draft
from services.evidence.import_staging import Staging
from services.evidence.observation import TextNeeded
from services.evidence.recording import WHO_MAY, Facts, Recording, objections, recording

Progress = Callable[[str, int, int | None], None]
"""(what is being done, how far, of how much or None)."""

_IDS_AT_ONCE: Final = 500
_WORD: Final = re.compile(r"(?<![A-Za-z0-9._:/-])[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?(?![A-Za-z0-9_:/-])")
"""What may be an id: a whole run of its characters, without the full stop of the sentence, and no part of
`person:ID` or of a path."""


class Check:
    """Checks the staged drafts against the log as it was at `head`, one principal at a time."""

    def __init__(
        self,
        log: EventLog,
        key_of: Callable[[str], bytes],
        staging: Staging,
        head: int,
        today: date,
        progress: Progress,
    ) -> None:
        self._log = log
        self._key_of = key_of
        self._staging = staging
        self._head = head
        self._today = today
        self._progress = progress
        self._standings: dict[str, Standing] = {}
        published = log.read(query(item(types=("FrameworkPublished",))), until=head)
        self._competencies = Facts(published).competencies

    def run(self) -> None:
        total, done = self._staging.count(), 0
        for principal in self._staging.principals():
            try:
                found = self._principal(principal, unseal=False)
            except TextNeeded:
                found = self._principal(principal, unseal=True)
            done += found
            self._progress("Checking", done, total)
        for row, evidence_id, earlier in self._staging.begun_elsewhere():
            detail = f"row {earlier} has the same evidence_id {evidence_id} about another principal"
            self._staging.add_faults([Fault(f"/rows/{row}/evidence_id", detail)])
        self._ids_of_other_dossiers()

    def _principal(self, principal: str, *, unseal: bool) -> int:
        """Checks one principal's drafts; their number. Raises TextNeeded before anything is settled."""
        types = ("DossierOpened", *ITEM_TYPES)
        known = self._log.read(
            query(item(types=types, tags=(f"dossier:{principal}",))), until=self._head, unseal=unseal
        )
        facts = Facts(known, self._competencies)
        recorded: dict[str, list[Recorded]] = {}
        for event in known:
            if event.type != "DossierOpened":
                recorded.setdefault(event.data["evidence_id"], []).append(event)
        key = _key_of_ids(self._key_of(principal)) if principal in facts.dossiers.opened else b""
        here: dict[str, int] = {}
        said: dict[bytes, int] = {}
        doubtful: set[str] = set()
        settled: list[tuple[Draft, bool, str | None]] = []
        faults: list[Fault] = []
        count = 0
        for draft in self._staging.of(principal):
            count += 1
            made = draft.begins and draft.evidence_id is None
            if made and key and draft.sound:
                draft.data["evidence_id"] = _id_of(draft, key)
            found = self._draft(draft, facts, recorded, here, said, doubtful, made=made)
            if isinstance(found, list):
                faults += found
                if draft.evidence_id is not None and draft.begins and draft.evidence_id not in here:
                    doubtful.add(draft.evidence_id)
                continue
            settled.append((draft, found, _began_by(draft, facts)))
            if not found:
                facts.append(principal, draft.type, draft.data, draft.recorded_by)
            if draft.begins and draft.evidence_id is not None:
                here[draft.evidence_id] = draft.row
        for draft, there, began_by in settled:
            self._staging.settle(draft, there=there, began_by=began_by)
        self._staging.add_faults(faults)
        return count

    def _draft(
        self,
        draft: Draft,
        facts: Facts,
        recorded: dict[str, list[Recorded]],
        here: dict[str, int],
        said: dict[bytes, int],
        doubtful: set[str],
        *,
        made: bool,
    ) -> bool | list[Fault]:
        """Whether it is there already, or what is wrong with it."""
        if not draft.sound:
            return _faults_beside_the_form(draft, facts, self._standing(draft.recorded_by), self._today)
        if draft.evidence_id in doubtful and not draft.begins:
            return []  # the fault of its beginning has been named
        content = _content(draft)
        if (earlier := said.setdefault(content, draft.row)) != draft.row:
            hint = "give each an evidence_id if both are meant" if draft.begins else "leave one out"
            return [Fault(f"/rows/{draft.row}/evidence_id", f"this says the same as row {earlier}: {hint}")]
        asked = asked_of(draft if draft.evidence_id else _with_stand_in(draft), None)
        if any(_is_there(event, asked.event) for event in recorded.get(draft.evidence_id or "", ())):
            return True
        facts.know(self._standing(draft.recorded_by))
        against = list(objections(asked, facts, self._today))
        return [self._shown(draft, fault, here) for one in against for fault in draft.fault(one)] or False

    def _shown(self, draft: Draft, fault: Fault, here: dict[str, int]) -> Fault:
        """Items of this file are called by their row: ids that were made say nothing to a reader."""
        detail = _by_row(fault.detail, here)
        if draft.type == "ObservationRecorded" and "same assessor on the same day" in detail:
            detail += "; if it is another visit, say `yes` in the column distinct"
        return Fault(fault.pointer, detail)

    def _standing(self, recorded_by: str) -> Standing:
        known = self._standings.get(recorded_by)
        if known is None:
            person = recorded_by.partition(":")[2]
            asked = query(item(types=STANDING_TYPES, tags=(recorded_by,)))
            events_of = self._log.read(asked, until=self._head) if person else []
            known = self._standings[recorded_by] = standing(person, events_of)
        return known

    def _ids_of_other_dossiers(self) -> None:
        """An evidence id is new in the whole log. (Those of the own dossier have been looked at.)"""
        ids: list[str] = []

        def look() -> None:
            asked = query(*(item(types=BEGIN_TYPES, tags=(f"evidence:{own}",)) for own in ids))
            for event in self._log.read(asked, until=self._head):
                own = str(event.data["evidence_id"])
                detail = f"evidence_id {own} is taken by an item that is there already"
                rows = self._staging.rows_of(own, other_than=event.stream.partition(":")[2])
                self._staging.add_faults(Fault(f"/rows/{row}/evidence_id", detail) for row in rows)
            ids.clear()

        for own in self._staging.given_ids():
            ids.append(own)
            if len(ids) == _IDS_AT_ONCE:
                look()
        if ids:
            look()


def _by_row(detail: str, here: Mapping[str, int]) -> str:
    """A sentence with each id that stands in it as a word of its own called by its row."""

    def called(found: re.Match[str]) -> str:
        row = here.get(found[0])
        return found[0] if row is None else f"row {row}"

    return _WORD.sub(called, detail)


def asked_of(draft: Draft, began_by: str | None) -> Recording:
    model = EVENT_TYPES[draft.type].model.model_validate(draft.data)
    assert isinstance(model, events.Item)
    return recording(draft.principal, model, draft.recorded_by, distinct=draft.distinct, began_by=began_by)


def _with_stand_in(draft: Draft) -> Draft:
    """For a draft that got no id, since its dossier is unknown."""
    return Draft(
        draft.row,
        draft.type,
        draft.principal,
        draft.recorded_by,
        draft.data | {"evidence_id": "x"},
        draft.distinct,
        draft.judgment_rows,
    )


def _is_there(event: Recorded, asked: NewEvent) -> bool:
    return event.type == asked.type and event.recorded_by == asked.recorded_by and same_content(event, asked)


def _began_by(draft: Draft, facts: Facts) -> str | None:
    if draft.type not in ("EvidenceRetracted", "DisputeResolved"):
        return None
    found = facts.item(str(draft.evidence_id))
    return found.began_by if found else None


def _faults_beside_the_form(draft: Draft, facts: Facts, who: Standing, today: date) -> list[Fault]:
    """What can be checked of a draft whose form has faults, so that one pass names them all."""
    probe = draft.data | {"evidence_id": "x"}
    by = draft.recorded_by or "person:x"
    found = facts.dossiers.objections(
        draft.type,
        draft.principal,
        probe,
        recorded_by=by,
        recorded_on=today.isoformat(),
        competencies=facts.competencies,
    )
    against = [one for one in found if one.kind is not Kind.EVIDENCE_ID_TAKEN]
    kinds = {one.kind for one in against}
    can_tell = not kinds & {Kind.UNKNOWN_PRINCIPAL, Kind.FUTURE_DATE, Kind.OWN_RECORD}
    if can_tell and draft.recorded_by and "occurred_on" in draft.data:
        may_not = WHO_MAY[draft.type](draft.principal, draft.data, None, who, today)
        against += [may_not] if may_not else []
    return [fault for one in against for fault in draft.fault(one)]


def _content(draft: Draft) -> bytes:
    """A digest of what a draft says, the id that was made aside."""
    said = [draft.type, draft.principal, draft.recorded_by, draft.data]
    return hashlib.sha256(_canonical(said)).digest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _key_of_ids(subject_key: bytes) -> bytes:
    return hmac.digest(subject_key, b"mlds: evidence ids of imports", "sha256")


def _id_of(draft: Draft, key: bytes) -> str:
    """A UUID (version 8) from the content, which nobody can check a guess against without the key."""
    said = _canonical([draft.type, draft.principal, draft.recorded_by, draft.data])
    raw = bytearray(hmac.digest(key, said, "sha256")[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))
