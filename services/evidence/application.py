"""The shell of evidence: reads what a decision rests on, asks the pure rules, appends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any, Final
from uuid import uuid4

from contracts.events import evidence as events
from contracts.refusals import Fault, Kind, Refusal
from contracts.statement import Statement
from foundation.access.permissions import Caller
from foundation.artifacts import ArtifactStore, harmless_name, told_by_bytes
from foundation.eventlog import Command, EventLog, NewEvent, Recorded, decide, item, query
from services.evidence.advice import with_advice
from services.evidence.boundary import BEGIN_TYPES, Boundary, boundary, first_of
from services.evidence.importing import Imports
from services.evidence.observation import TextNeeded
from services.evidence.reading import Records
from services.evidence.recording import Facts, Recording, naming_who_began, objections, recording

Clock = Callable[[], datetime]

CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""The database's clock may be this far behind ours, and it tells the day of recording."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Receipt:
    evidence_id: str
    position: int


class Evidence:
    """Records evidence."""

    def __init__(self, log: EventLog, artifacts: ArtifactStore, clock: Clock = utc_now) -> None:
        self.log = log
        self.artifacts = artifacts
        self.clock = clock
        self.records = Records(log, clock)
        self.imports = Imports(log, clock, self.today)

    def today(self) -> date:
        """The UTC date that an event recorded now is certain to have reached."""
        return (self.clock() - CLOCK_TOLERANCE).date()

    def begin(
        self,
        caller: Caller,
        principal: str,
        event: type[events.Item],
        statement: Statement,
        evidence_id: str | None,
        command: Command | None,
        *,
        distinct: bool = False,
    ) -> Receipt:
        """Records the first step of an item; without an `evidence_id`, one is made.

        Raises Refusal of every kind in `advice.ADVICE`.
        """
        return self._begin(caller, principal, event, statement, evidence_id, command, distinct=distinct)[0]

    def _begin(
        self,
        caller: Caller,
        principal: str,
        event: type[events.Item],
        statement: Statement,
        evidence_id: str | None,
        command: Command | None,
        *,
        distinct: bool,
        **further: Any,
    ) -> tuple[Receipt, bool]:
        """The receipt, and whether it was recorded now. `further` are members that the server sets."""
        caller.require_person()
        own = evidence_id or str(uuid4())
        asked = recording(
            principal,
            event(evidence_id=own, **_members(statement), **further),
            caller.actor,
            distinct=distinct,
            server_set=(*further.keys() & {"blob"}, *(() if evidence_id else ("evidence_id",))),
        )
        return self._record(asked, boundary(asked, given_id=evidence_id is not None), command)

    def submit_artifact(
        self,
        caller: Caller,
        principal: str,
        metadata: events.ArtifactMetadata,
        file: IO[bytes],
        filename: str | None,
        content_type: str | None,
        evidence_id: str | None,
        command: Command | None,
    ) -> Receipt:
        """Stores a file encrypted and records it. Refused: nothing stays in the store.

        Raises what `begin` raises, and Refusal TOO_LARGE, UNSUPPORTED_MEDIA, UNREADABLE_FILE.
        """
        caller.require_person()
        media_type = told_by_bytes(file, filename, content_type)
        stored = self.artifacts.put(file)
        try:
            receipt, fresh = self._begin(
                caller,
                principal,
                events.ArtifactSubmitted,
                metadata,
                evidence_id,
                command,
                distinct=False,
                sha256=stored.sha256,
                media_type=media_type,
                size=stored.size,
                filename=harmless_name(filename, media_type),
                blob=stored.blob,
            )
        except Refusal as refusal:
            if refusal.kind is not Kind.OUTCOME_UNKNOWN:  # then it may have been recorded; `sweep` looks later
                self.artifacts.remove(stored.blob)
            raise
        if not fresh:
            self.artifacts.remove(stored.blob)  # sent again: the first one is kept
        return receipt

    def sweep_artifacts(self) -> list[str]:
        """Removes stored files that no event names, left by a crash between storing and recording."""
        submitted = query(item(types=("ArtifactSubmitted",)))
        return self.artifacts.sweep({event.data["blob"] for event in self.log.scan(submitted) if "blob" in event.data})

    def go_on(
        self,
        caller: Caller,
        evidence_id: str,
        event: type[events.Item],
        statement: Statement,
        command: Command | None,
    ) -> Receipt:
        """Records a later step of an item, which is looked up by its id."""
        caller.require_person()
        model = event(evidence_id=evidence_id, **_members(statement))
        begun = self.log.read(query(item(types=BEGIN_TYPES, tags=(f"evidence:{evidence_id}",))), limit=1)
        if not begun:
            fault = Fault("/evidence_id", "no such item")
            raise with_advice([Refusal(Kind.UNKNOWN_EVIDENCE, f"no item {evidence_id} is known", [fault])])
        principal = begun[0].stream.partition(":")[2]
        asked = recording(principal, model, caller.actor)
        return self._record(asked, boundary(asked), command)[0]

    def _record(self, asked: Recording, within: Boundary, command: Command | None) -> tuple[Receipt, bool]:
        there: list[Recorded] = []

        def decision(known: list[Recorded]) -> Sequence[NewEvent]:
            there[:] = first_of(asked, known)
            if there:
                return ()
            facts = Facts(known)
            if not asked.begins:
                facts.dossiers.opened.add(asked.principal)  # an item of it is there, so it is open
            against = list(objections(asked, facts, self.today()))
            if against:
                raise with_advice(against)
            return [naming_who_began(asked, facts.item(asked.evidence_id)).event]

        try:
            done = decide(self.log, within.rests_on, decision, command=command, unless=within.unless)
        except TextNeeded:
            done = decide(self.log, within.rests_on, decision, command=command, unless=within.unless, unseal=True)
        recorded = (done.events or there)[0]
        fresh = bool(done.events) and not done.repeated
        return Receipt(str(recorded.data["evidence_id"]), recorded.position), fresh


def _members(statement: Statement) -> dict[str, Any]:
    """The members of a statement that were given, as they are: the event's model takes the same types."""
    return {
        name: getattr(statement, name)
        for name in statement.model_fields_set
        if name != "evidence_id" and getattr(statement, name) is not None
    }
