"""Importing evidence from a file: read, stage, check against the log, append whole or not at all.

Each item is checked as if its observer had sent it. The same file again adds nothing: an item without an id
gets one from its content (an HMAC under a key derived from the subject's), and what is there is counted so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Any, Final

from contracts.refusals import Kind, Refusal
from foundation.access.permissions import Caller, Permission
from foundation.access.standing import STANDING_TYPES, Standing, standing
from foundation.eventlog import (
    BULK_LIMIT,
    Condition,
    EventLog,
    NewEvent,
    Query,
    item,
    query,
)
from foundation.eventlog.faults import AppendConflict
from services.evidence import import_csv, import_json
from services.evidence.boundary import BEGIN_TYPES, ITEM_TYPES
from services.evidence.import_check import Check, Progress, asked_of
from services.evidence.import_drafts import Reading
from services.evidence.import_lines import UnreadableAt, form_of
from services.evidence.import_staging import Staging

FAULTS_SHOWN: Final = 10_000
ATTEMPTS: Final = 5
APPENDED_PER_S: Final = 15_000
"""Items that one transaction appends in a second, roughly, to say beforehand how long the log will be held."""


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
                Check(self._log, self._keys.for_writing, staging, head, self._today(), progress).run()
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
                yield asked_of(draft, began_by).event
                if count % 1_000 == 0 or count == total:
                    progress("Recording", count, total)

        asked = _everything() if exclusive and total > BULK_LIMIT else _rests_on(staging)
        done = self._log.append_bulk(made(), condition=Condition(asked, after=head), exclusive=exclusive)
        return done[1] if done else head


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
