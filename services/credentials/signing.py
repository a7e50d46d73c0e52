"""Signing what was intended: lint, sign, record. Any number of processes; each intent gives one credential.

A batch is claimed by row locks that others pass over, and no lock of the log is held while signing. The
event id of `CredentialIssued` is made from its intent: if a process dies between recording and noting that
it did, the next one finds the event and signs nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from contracts.events import is_erased
from contracts.events.credentials import CredentialIssued
from contracts.refusals import Refusal
from contracts.times import parse_timestamp
from foundation.eventlog import EventLog, NewEvent, Recorded, event_id_from, item, new_event
from foundation.eventlog import query as log_query
from foundation.eventlog.running import describe
from foundation.postgres.connections import Pool, connect

from .badge import credential_digest
from .data_integrity import sign
from .issuance import BY_RULE, credential_tags
from .issuer import Issuer
from .key_ring import KeyRing
from .linting import RULES, SUSPENDABLE_RULES, LintFaults, lint
from .queries import query

BATCH: Final = 100
_IDLE_S: Final = 1.0
_log = logging.getLogger(__name__)


class Work(NamedTuple):
    """An intent without a credential."""

    intent: int
    credential_id: str
    cause: int
    principal: str
    key: str


class Signing:
    """Signs intents in batches."""

    name = "credentials.sign"

    def __init__(self, log: EventLog, pool: Pool, ring: KeyRing, issuer: Issuer) -> None:
        self._log = log
        self._pool = pool
        self._ring = ring
        self._issuer = issuer

    def run(self, stop: threading.Event) -> None:
        """Signs whatever is intended until `stop` is set; a fault is logged and tried again later."""
        begun = False
        while not stop.is_set():
            seen = self._head()
            try:
                if not begun:
                    self.try_again()
                    begun = True
                if self.sign_some():
                    continue
            except Exception as fault:  # noqa: BLE001  # whatever it was: the work is still there, and so are we
                _log.error("signing failed and is tried again: %s", describe(fault))
                stop.wait(_IDLE_S)
                continue
            if seen is None:
                stop.wait(_IDLE_S)
            else:
                self._log.wait_beyond(seen, _IDLE_S)

    def drain(self, advance: Callable[[int], None] | None = None) -> int:
        """Signs all that is intended now; how many."""
        done = 0
        while signed := self.sign_some():
            done += signed
            if advance is not None:
                advance(done)
        return done

    def waiting(self) -> int:
        """How many intents have no credential yet."""
        with self._pool.transaction() as cursor:
            row = cursor.execute(query("count_unsigned")).fetchone()
        return int(row[0]) if row else 0

    def try_again(self) -> None:
        """Takes up what could not be signed before; a mended program may."""
        with self._pool.transaction() as cursor:
            cursor.execute(query("unsignable_again"))

    def sign_some(self, limit: int = BATCH) -> int:
        """Works off at most `limit` intents and returns how many; 0: nothing is to do.

        One that cannot be signed is set aside with its reason and holds up no other; one whose key is not on this
        machine is left to who has it. Raises the log's faults, upon which the work is as it was.
        """
        if not self._any():
            return 0
        with self._claiming() as cursor:
            work = [Work(*row) for row in cursor.execute(query("unsigned_intents"), (self._ring.names(), limit))]
            if not work:
                return 0
            before = {event.event_id: event for event in self._log.find([_event_id(one.intent) for one in work])}
            left = [one for one in work if _event_id(one.intent) not in before]
            intents = self._intents(left)
            events = self._signed(cursor, left, intents)
            recorded = self._log.append(events, recorded_at=self._time(intents)) if events else []
            issued = [{**event.data, "position": event.position} for event in (*before.values(), *recorded)]
            # The follower will fold the same; whoever looks at once need not wait for it.
            cursor.executemany(query("issued"), issued)
            cursor.executemany(query("credential_issued"), issued)
            return len(work)

    def _any(self) -> bool:
        with self._pool.transaction() as cursor:
            row = cursor.execute(query("any_unsigned"), (self._ring.names(),)).fetchone()
        return bool(row and row[0])

    @contextmanager
    def _claiming(self) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction on a connection of its own: the log is read and written meanwhile, through the pool, and who
        waits for one of a pool's connections while holding another can wait for himself."""
        with connect(self._pool.url, limits=self._pool.limits) as connection:
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor
            connection.check_confirmed()

    def _time(self, intents: Mapping[int, Recorded]) -> datetime | None:
        """In a demonstration, where times are made up, a badge is issued when it was intended."""
        times = [event.recorded_at for event in intents.values()] if self._log.is_demonstration else []
        return max(times, default=None)

    def _signed(
        self, cursor: psycopg.Cursor[Any], work: Sequence[Work], intents: Mapping[int, Recorded]
    ) -> list[NewEvent]:
        events = []
        for one in work:
            document = intents[one.intent].data["document"]
            if is_erased(document):
                cursor.execute(query("mark_unsignable"), ("erased", one.intent))
                continue
            try:
                events.append(self._sign_one(one, document))
            except (ValueError, TypeError, LookupError) as fault:  # also every LintFaults
                reason = f"unsignable: {fault}" if isinstance(fault, LintFaults) else describe(fault)
                cursor.execute(query("mark_unsignable"), (reason[:500], one.intent))
                _log.error("the intent at position %d cannot be signed: %s", one.intent, reason)
        return events

    def _sign_one(self, work: Work, document: dict[str, Any]) -> NewEvent:
        several = isinstance(document.get("credentialStatus"), list)
        linted = lint(document, rules=SUSPENDABLE_RULES if several else RULES)
        signed = sign(
            linted,
            self._ring.signer(work.key),
            verification_method=self._issuer.method(work.key),
            # The proof is as old as the intent, so that signing again gives the same bytes.
            created=parse_timestamp(document["validFrom"]),
        )
        issued = CredentialIssued(
            credential_id=work.credential_id,
            intent=work.intent,
            document=signed,
            sha256=credential_digest(signed),
        )
        return new_event(
            issued,
            recorded_by=BY_RULE,
            tags=credential_tags(work.principal, work.cause),
            subject=work.principal,
            event_id=_event_id(work.intent),
        )

    def _intents(self, work: Sequence[Work]) -> dict[int, Recorded]:
        if not work:
            return {}
        asked = log_query(item(types=("IssuanceIntended",)))
        first, last = work[0].intent, work[-1].intent
        wanted = {one.intent for one in work}
        found = self._log.read(asked, after=first - 1, until=last, unseal=True)
        return {event.position: event for event in found if event.position in wanted}

    def _head(self) -> int | None:
        try:
            return self._log.head()
        except Refusal:
            return None


def _event_id(intent: int) -> UUID:
    return event_id_from("credentials", "CredentialIssued", str(intent))
