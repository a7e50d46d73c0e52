"""Importing evidence from a file: read, stage, check against the log, append whole or not at all.

Each item is checked as if its observer had sent it. The same file again adds nothing: an item without an id
gets one from its content (an HMAC under a key derived from the subject's), and what is there is counted so.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Any, Final
from uuid import UUID

from contracts.events import EVENT_TYPES
from contracts.events import evidence as events
from contracts.refusals import Fault, Kind, Refusal
from foundation.access.permissions import Caller, Permission
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import (
    BULK_LIMIT,
    Condition,
    EventLog,
    NewEvent,
    Query,
    Recorded,
    item,
    query,
)
from foundation.eventlog.faults import AppendConflict
from services.evidence import import_csv, import_json
from services.evidence.boundary import BEGIN_TYPES, ITEM_TYPES, same_content
from services.evidence.import_drafts import Draft, Reading
from services.evidence.import_lines import UnreadableAt, form_of
from services.evidence.import_staging import Staging
from services.evidence.observation import TextNeeded
from services.evidence.recording import WHO_MAY, Facts, Recording, objections, recording

Progress = Callable[[str, int, int | None], None]
"""(what is being done, how far, of how much or None)."""

FAULTS_SHOWN: Final = 10_000
ATTEMPTS: Final = 5
APPENDED_PER_S: Final = 15_000
"""Items that one transaction appends in a second, roughly, to say beforehand how long the log will be held."""
_IDS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Imported:
    items: int
    added: int
    already_there: int
    position: int
    """Of the last event that was added, or that the file was checked against."""
    notes: list[str] = field(default_factory=list)

    def to_data(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "items": self.items,
            "added": self.added,
            "already_there": self.already_there,
            "position": self.position,
        }
        return data | ({"notes": self.notes} if self.notes else {})


def _silent(what: str, done: int, total: int | None) -> None:
    pass


class Imports:
    def __init__(self, log: EventLog, clock: Callable[[], datetime], today: Callable[[], date]) -> None:
        """today: the UTC date that an event recorded now is certain to have reached."""
        if log.keys is None:
            raise ValueError("imports need the subjects' keys")
        self._log = log
        self._keys = log.keys
        self._clock = clock
        self._today = today

    def run(
        self,
        caller: Caller,
        file: IO[bytes],
        *,
        dry_run: bool = False,
        exclusive: bool = False,
        progress: Progress = _silent,
    ) -> Imported:
        """Imports a file (seekable). Raises Refusal FORBIDDEN; IMPORT_FAULTS with every fault by row and column,
        nothing stored; TOO_LARGE for more than 50,000 items without `exclusive`; CONFLICT, LOG_BUSY."""
        self._require(caller)
        with Staging() as staging:
            reading = self._read(file, staging, progress)
            for _ in range(ATTEMPTS):
                head = self._log.head()
                _Check(self._log, self._keys.for_writing, staging, head, self._today(), progress).run()
                if staging.fault_count:
                    raise _faulty(staging)
                added, there = staging.counts()
                if added > BULK_LIMIT and not exclusive:
                    raise Refusal(
                        Kind.TOO_LARGE,
                        f"This file adds {added:,} items, and at most {BULK_LIMIT:,} go in at once. Split it, or "
                        f"import it with --exclusive (?exclusive=true): it then holds the log for about "
                        f"{_seconds(added)} s, and other writers are told to come back.",
                    )
                position = head
                if added and not dry_run:
                    if exclusive and added > BULK_LIMIT:
                        progress(f"The log will be held for about {_seconds(added)} s", 0, added)
                    try:
                        position = self._append(staging, head, added, exclusive=exclusive, progress=progress)
                    except AppendConflict:
                        continue  # somebody wrote what this rests on: look again
                return Imported(added + there, added, there, position, reading.notes)
        raise Refusal(
            Kind.CONFLICT, "Others kept writing about the same people meanwhile. Nothing was stored; try again."
        )

    def _require(self, caller: Caller) -> None:
        who = Standing("")
        if caller.person is not None:
            asked = query(item(types=STANDING_TYPES, tags=(caller.actor,)))
            who = standing(caller.person, self._log.read(asked))
        Permission.IMPORT.require(caller, who, self._clock().date())

    def _read(self, file: IO[bytes], staging: Staging, progress: Progress) -> Reading:
        """Reads the file into the staging. Raises Refusal IMPORT_FAULTS where nothing of it can be checked further."""
        reading = Reading()
        done = 0
        try:
            if form_of(file) == "json":
                for draft in import_json.drafts_of(file, reading):
                    staging.add(draft)
                    done += 1
                    if done % 10_000 == 0:
                        progress("Reading", done, None)
                    _move_faults(reading, staging)
            else:
                staging.add_rows(import_csv.rows_of(file, reading))
                _move_faults(reading, staging)
                for rows in staging.items():
                    made = import_csv.draft_of(rows, reading)
                    if made is not None:
                        staging.add(made)
                    done += 1
                    if done % 10_000 == 0:
                        progress("Reading", done, None)
                    _move_faults(reading, staging)
        except import_csv.HeaderFaults:
            pass
        except UnreadableAt as stop:
            reading.faults.append(stop.fault)
            _move_faults(reading, staging)
            raise _faulty(staging) from None
        _move_faults(reading, staging)
        if not done and not staging.fault_count:
            reading.notes.append("the file holds no items")
        return reading

    def _append(self, staging: Staging, head: int, total: int, *, exclusive: bool, progress: Progress) -> int:
        def made() -> Iterator[NewEvent]:
            for count, (draft, began_by) in enumerate(staging.to_record(), start=1):
                yield _asked(draft, began_by).event
                if count % 1_000 == 0 or count == total:
                    progress("Recording", count, total)

        asked = _everything() if exclusive and total > BULK_LIMIT else _rests_on(staging)
        done = self._log.append_bulk(made(), condition=Condition(asked, after=head), exclusive=exclusive)
        return done[1] if done else head


class _Check:
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
        asked = _asked(draft if draft.evidence_id else _with_stand_in(draft), None)
        if any(_is_there(event, asked.event) for event in recorded.get(draft.evidence_id or "", ())):
            return True
        facts.know(self._standing(draft.recorded_by))
        against = list(objections(asked, facts, self._today))
        return [self._shown(draft, fault, here) for one in against for fault in draft.fault(one)] or False

    def _shown(self, draft: Draft, fault: Fault, here: dict[str, int]) -> Fault:
        """Items of this file are called by their row: ids that were made say nothing to a reader."""
        detail = fault.detail
        for word in set(detail.replace(",", " ").split()):
            if word in here:
                detail = detail.replace(word, f"row {here[word]}")
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


def _asked(draft: Draft, began_by: str | None) -> Recording:
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


def _rests_on(staging: Staging) -> Query:
    """What the check rested on: the dossiers, who records, ids that must be new, frameworks."""
    types = ("DossierOpened", *ITEM_TYPES)
    return query(
        *(item(types=types, tags=(f"dossier:{principal}",)) for principal in staging.principals()),
        *(item(types=STANDING_TYPES, tags=(by,)) for by in staging.recorders()),
        *(item(types=BEGIN_TYPES, tags=(f"evidence:{own}",)) for own in staging.given_ids()),
        item(types=("FrameworkPublished",)),
    )


def _everything() -> Query:
    """For an import that holds the log anyway: any evidence, any role or assignment."""
    return query(item(types=("DossierOpened", *ITEM_TYPES, *STANDING_TYPES, "FrameworkPublished")))


def _move_faults(reading: Reading, staging: Staging) -> None:
    if reading.faults:
        staging.add_faults(reading.faults)
        reading.faults.clear()


def _seconds(items: int) -> int:
    return max(items // APPENDED_PER_S, 1)


def _faulty(staging: Staging) -> Refusal:
    count = staging.fault_count
    more = f" (the first {FAULTS_SHOWN:,} are listed)" if count > FAULTS_SHOWN else ""
    are = "is one fault" if count == 1 else f"are {count:,} faults"
    return Refusal(
        Kind.IMPORT_FAULTS,
        f"There {are} in this file{more}. Nothing was stored: mend the file and import it again, whole.",
        staging.faults(FAULTS_SHOWN),
    )
