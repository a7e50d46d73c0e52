"""Running followers: one leader each, by advisory lock; it resumes from the tracked position.

The lock only keeps a second process from working in vain. What keeps the result right is the
compare-and-set of the position in the batch's own transaction: it holds when a primary fails over and two
believe to lead.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from contracts.refusals import Refusal
from foundation.eventlog.events import Recorded
from foundation.eventlog.followers import (
    BATCH,
    Fenced,
    Follower,
    FollowerTransaction,
    Progress,
    Resuming,
    Retrying,
    lock_of,
    principal_of,
    query_of,
    standing_of,
    statement,
    wait_for,
)
from foundation.eventlog.postgres_log import PostgresEventLog
from foundation.postgres.connections import BoundedConnection, Limits, connect

_log = logging.getLogger(__name__)

LIMITS: Final = Limits(statement=60.0, lock=30.0, idle_in_transaction=120.0)
_POLL: Final = 1.0
"""Seconds after which a follower reads again though nothing woke it."""
_HEARTBEAT: Final = 5.0
_LONGEST_PAUSE: Final = 10.0


class _Leader:
    """One process's turn at leading a follower, on a connection of its own that holds the lock."""

    def __init__(self, follower: Follower, log: PostgresEventLog, connection: BoundedConnection) -> None:
        self.follower = follower
        self.log = log
        self._connection = connection
        self._beat = 0.0
        self._batch = BATCH
        self._unfinished = True
        self._asked = query_of(follower)
        self._run("INSERT INTO {schema}.followers (name) VALUES (%s) ON CONFLICT DO NOTHING", follower.name)
        row = self._run("SELECT position FROM {schema}.followers WHERE name = %s", follower.name).fetchone()
        assert row is not None
        self.position: int = row[0]

    def _run(self, text: str, *values: object) -> psycopg.Cursor[Any]:
        return self._connection.execute(statement(self.follower, text), values)

    def step(self) -> bool:
        """Works off one batch; tells whether there was anything."""
        if self._resume():
            return True
        head = self.log.head()
        if head <= self.position:
            self._heartbeat()
            return False
        batch = self.log.read(
            self._asked, after=self.position, until=head, limit=self._batch, unseal=self.follower.unseal
        )
        # A full batch ends at its last event; else everything up to the head has been seen.
        end = batch[-1].position if len(batch) == self._batch else head
        if batch:
            batch = self._without_parked(batch)
        try:
            self._work_off(batch, end)
        except (Fenced, Refusal, psycopg.OperationalError):
            raise  # nobody's fault: back off and try again
        except Exception as error:  # whatever a follower's code may raise on an event that it can't bear
            if not batch:
                raise
            if len(batch) == 1:
                self._park(batch[0], end, error)
            else:
                self._batch = max(1, len(batch) // 2)
            return True
        self._batch = min(BATCH, self._batch * 2)
        return True

    def _resume(self) -> bool:
        """Lets the follower go on with work that one batch could not hold; tells whether there was any."""
        if not self._unfinished or not isinstance(self.follower, Resuming):
            return False
        with self._connection.transaction(), self._connection.cursor() as cursor:
            self._advance(cursor, self.position)
            last = self.log.read(after=self.position - 1, until=self.position) if self.log.is_demonstration else []
            at = last[0].recorded_at if last else None
            self._unfinished = self.follower.resume(FollowerTransaction(cursor, self.log, at))
        self._connection.check_confirmed()
        return self._unfinished

    def _work_off(self, batch: Sequence[Recorded], end: int) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            if batch:
                at = batch[-1].recorded_at if self.log.is_demonstration else None
                # The position first: a second leader waits here, and then finds that it has moved.
                self._advance(cursor, end)
                self.follower.apply(batch, FollowerTransaction(cursor, self.log, at))
            else:
                self._advance(cursor, end)
        self._connection.check_confirmed()
        self.position = end
        self._unfinished = True

    def _advance(self, cursor: psycopg.Cursor[Any], end: int) -> None:
        moved = cursor.execute(
            statement(
                self.follower,
                "UPDATE {schema}.followers SET position = %s, heartbeat_at = now(), failing = NULL, "
                "failing_since = NULL WHERE name = %s AND position = %s",
            ),
            (end, self.follower.name, self.position),
        )
        if moved.rowcount != 1:
            raise Fenced
        self._beat = time.monotonic()

    def _heartbeat(self) -> None:
        if time.monotonic() - self._beat > _HEARTBEAT:
            self._run("UPDATE {schema}.followers SET heartbeat_at = now() WHERE name = %s", self.follower.name)
            self._beat = time.monotonic()

    # parked work

    def _without_parked(self, batch: Sequence[Recorded]) -> list[Recorded]:
        rows = self._run("SELECT principal FROM {schema}.parked WHERE follower = %s", self.follower.name).fetchall()
        parked = {row[0] for row in rows}
        return [event for event in batch if principal_of(event) not in parked] if parked else list(batch)

    def _park(self, event: Recorded, end: int, error: Exception) -> None:
        principal = principal_of(event)
        reason = describe(error)
        if principal is None:
            # It concerns everybody: going on without it would make everything after it wrong.
            self._run(
                "UPDATE {schema}.followers SET failing = %s, failing_since = coalesce(failing_since, now()) "
                "WHERE name = %s",
                reason,
                self.follower.name,
            )
            raise error
        _log.error("follower %s parked a principal at position %d: %s", self.follower.name, event.position, reason)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(
                statement(
                    self.follower,
                    "INSERT INTO {schema}.parked (follower, principal, position, reason) VALUES (%s, %s, %s, %s) "
                    "ON CONFLICT DO NOTHING",
                ),
                (self.follower.name, principal, event.position, reason),
            )
            self._advance(cursor, end)
        self.position = end

    def retry_all(self) -> None:
        """Tries every parked principal once. Whose cause is not mended stays parked."""
        rows = self._run(
            "SELECT principal FROM {schema}.parked WHERE follower = %s ORDER BY principal", self.follower.name
        ).fetchall()
        for (principal,) in rows:
            try:
                self.retry(principal)
            except (Fenced, Refusal, psycopg.OperationalError):
                raise  # nobody's fault: back off and try again
            except Exception as error:  # noqa: BLE001  # whatever parked them may be there still: the others go on
                _log.error("follower %s leaves a principal parked: %s", self.follower.name, describe(error))
            else:
                _log.warning("follower %s has taken up a parked principal again", self.follower.name)

    def retry(self, principal: str) -> bool:
        """Works off, in transactions of bounded size, what a parked principal missed; tells whether they were parked.

        Raises what the follower raises; the principal then stays parked, and what was worked off stays so.
        """
        found = self._run(
            "SELECT position FROM {schema}.parked WHERE follower = %s AND principal = %s", self.follower.name, principal
        ).fetchone()
        if found is None:
            return False
        if isinstance(self.follower, Retrying):
            while self._retry_part(self.follower, principal):
                pass
            return True
        missed = self.log.scan(self._asked, after=found[0] - 1, until=self.position, unseal=self.follower.unseal)
        for event in missed:
            if principal_of(event) == principal:
                self._retry_event(event, principal)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            self._hold(cursor)
            self._unpark(cursor, principal)
        self._connection.check_confirmed()
        return True

    def _retry_part(self, follower: Retrying, principal: str) -> bool:
        last = self.log.read(after=self.position - 1, until=self.position) if self.log.is_demonstration else []
        with self._connection.transaction(), self._connection.cursor() as cursor:
            self._hold(cursor)
            at = last[0].recorded_at if last else None
            more = follower.retry(principal, self.position, FollowerTransaction(cursor, self.log, at))
            if not more:
                self._unpark(cursor, principal)
        self._connection.check_confirmed()
        return more

    def _retry_event(self, event: Recorded, principal: str) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            self._hold(cursor)
            cursor.execute(
                statement(
                    self.follower, "UPDATE {schema}.parked SET position = %s WHERE follower = %s AND principal = %s"
                ),
                (event.position + 1, self.follower.name, principal),
            )
            at = event.recorded_at if self.log.is_demonstration else None
            self.follower.apply([event], FollowerTransaction(cursor, self.log, at))
        self._connection.check_confirmed()

    def _hold(self, cursor: psycopg.Cursor[Any]) -> None:
        """Keeps another leader, or a rebuild, from moving on meanwhile. Raises Fenced if one has."""
        held = cursor.execute(
            statement(self.follower, "SELECT FROM {schema}.followers WHERE name = %s AND position = %s FOR UPDATE"),
            (self.follower.name, self.position),
        )
        if held.rowcount != 1:
            raise Fenced

    def _unpark(self, cursor: psycopg.Cursor[Any], principal: str) -> None:
        cursor.execute(
            statement(self.follower, "DELETE FROM {schema}.parked WHERE follower = %s AND principal = %s"),
            (self.follower.name, principal),
        )


def describe(error: BaseException) -> str:
    """The kind of a fault and its place; never its words, which may hold what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def run_follower(follower: Follower, log: PostgresEventLog, stop: threading.Event) -> None:
    """Follows until `stop` is set: leads where nobody does, else stands by. Reconnects by itself.

    Who takes the lead first tries the parked principals once: whose cause is mended is taken up again.

    Faults are logged, shown in `standing_of` and tried again with growing pauses; nothing is raised.
    """
    pause = 0.05
    log.listener.start()
    while not stop.is_set():
        try:
            with connect(log.pool.url, limits=LIMITS) as connection:
                if not _try_lead(follower, connection):
                    stop.wait(_POLL)
                    continue
                leader = _Leader(follower, log, connection)
                leader.retry_all()
                while not stop.is_set():
                    seen = log.listener.count  # listens already: what comes from here on is noticed
                    if leader.step():
                        pause = 0.05
                    else:
                        _wait(log, seen, stop)
        except Fenced:
            continue
        except Exception as error:  # noqa: BLE001  # a follower that ends would silently stop deriving for everybody
            _log.warning("follower %s failed and tries again: %s", follower.name, describe(error))
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def catch_up(
    follower: Follower, log: PostgresEventLog, *, progress: Progress | None = None, timeout: float = 60.0
) -> int:
    """Brings the follower to the log's end and returns the position reached.

    Where another process leads, waits for it, at most `timeout` seconds without any progress. Unlike
    `run_follower` it raises what stops it. Tries the parked principals first.
    TimeoutError when the other does not get on.
    """
    target = log.head()
    with connect(log.pool.url, limits=LIMITS) as connection:
        while not _try_lead(follower, connection):
            before = standing_of(follower, log).position
            if before >= target:
                return before
            if progress:
                progress(before, target)
            if not wait_for(follower, log, min(before + 1, target), timeout):
                raise TimeoutError(f"the process that leads {follower.name} has not moved for {timeout:.0f} s")
        leader = _Leader(follower, log, connection)
        try:
            leader.retry_all()
            while leader.step():
                if progress:
                    progress(leader.position, max(log.head(), leader.position))
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", lock_of(follower))
    return leader.position


def retry_parked(follower: Follower, log: PostgresEventLog, principal: str) -> bool:
    """Works off what a parked principal missed, once the cause is mended; False if it was not parked.

    Raises what `apply` raises, and then the principal stays parked; RuntimeError while another process leads.
    """
    with connect(log.pool.url, limits=LIMITS) as connection:
        if not _try_lead(follower, connection):
            raise RuntimeError(f"another process leads {follower.name}: stop it first")
        return _Leader(follower, log, connection).retry(principal)


def _try_lead(follower: Follower, connection: BoundedConnection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", lock_of(follower)).fetchone()
    return bool(row and row[0])


def _wait(log: PostgresEventLog, seen: int, stop: threading.Event) -> None:
    end = time.monotonic() + _POLL
    while not stop.is_set() and time.monotonic() < end:
        if log.listener.wait(seen, 0.2):
            return
