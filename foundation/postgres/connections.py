"""Connections that never wait for ever, and pools of them for one login.

Each statement has a limit on the server and a longer deadline here. When the deadline passes, the socket is
closed and nothing is cancelled: a cancelled wait for a standby would return success (PostgreSQL warns 01000),
and a closed socket says what is true, that the outcome is unknown.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from foundation.postgres.faults import Unusable

RV = TypeVar("RV")

SYNC_WAIT_CANCELLED: Final = "01000"


class ReplicationUnconfirmed(psycopg.OperationalError):
    """The commit stands here, and no standby has confirmed it: it may be lost with this machine."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. A statement, the wait for a lock, an idle transaction, and what the client adds before it gives up."""

    statement: float = 15.0
    lock: float = 5.0
    idle_in_transaction: float = 30.0
    beyond: float = 5.0

    def options(self) -> str:
        """As libpq takes them."""
        return (
            f"-c statement_timeout={int(self.statement * 1000)} -c lock_timeout={int(self.lock * 1000)} "
            f"-c idle_in_transaction_session_timeout={int(self.idle_in_transaction * 1000)} -c timezone=UTC"
        )


DEFAULT_LIMITS: Final = Limits()


class BoundedConnection(psycopg.Connection[Any]):
    """A connection whose every wait ends; it remembers whether a standby's confirmation was given up."""

    deadline: float | None = None
    """Seconds that one wait may take; None for as long as it takes."""
    unconfirmed: bool = False

    _binary: psycopg.Cursor[Any] | None = None

    @property
    def binary(self) -> psycopg.Cursor[Any]:
        """A cursor for binary results, the same each time: a new one looks up anew how each type is converted."""
        if self._binary is None:
            self._binary = self.cursor(binary=True)
        return self._binary

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        limit = self.deadline if timeout is None else timeout
        begun = time.monotonic()
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            if limit is not None and time.monotonic() - begun >= limit:
                self.pgconn.finish()  # closes the socket; `close()` would be the same, `cancel()` a lie
            raise

    @contextlib.contextmanager
    def unbounded(self) -> Iterator[None]:
        """Without the client's deadline, for work whose pace is the caller's (a bulk copy)."""
        before, self.deadline = self.deadline, None
        try:
            yield
        finally:
            self.deadline = before

    def check_confirmed(self) -> None:
        """To be called after a commit: raises ReplicationUnconfirmed if its notice came."""
        if self.unconfirmed:
            self.unconfirmed = False
            raise ReplicationUnconfirmed("canceling wait for synchronous replication")


def _remember(connection: BoundedConnection) -> Any:
    def handler(notice: psycopg.errors.Diagnostic) -> None:
        if notice.sqlstate == SYNC_WAIT_CANCELLED and "synchronous replication" in (notice.message_primary or ""):
            connection.unconfirmed = True

    return handler


def connect(url: str, *, limits: Limits | None = DEFAULT_LIMITS, autocommit: bool = True) -> BoundedConnection:
    """One connection; without limits for long work by hand (migrations). Raises Unusable with a sentence."""
    given = make_conninfo(url, connect_timeout=10, **({"options": limits.options()} if limits else {}))
    try:
        connection = BoundedConnection.connect(given, autocommit=autocommit)
    except psycopg.OperationalError as error:
        raise Unusable(f"The database is out of reach: {str(error).strip()}") from error
    _set_up(connection, limits)
    return connection


def _set_up(connection: BoundedConnection, limits: Limits | None) -> None:
    connection.deadline = limits.statement + limits.beyond if limits else None
    connection.add_notice_handler(_remember(connection))


class Pool:
    """Connections of one login, made as they are needed and closed when they idle. Thread-safe."""

    def __init__(self, url: str, *, size: int = 8, limits: Limits = DEFAULT_LIMITS, name: str = "mlds") -> None:
        self.url = url
        self.limits = limits

        def configure(connection: BoundedConnection) -> None:
            _set_up(connection, limits)

        self._pool: ConnectionPool[BoundedConnection] = ConnectionPool(
            url,
            connection_class=BoundedConnection,
            kwargs={
                "autocommit": True,
                "options": limits.options(),
                "connect_timeout": 10,
                "application_name": name,
            },
            configure=configure,
            min_size=0,
            max_size=size,
            max_idle=60.0,
            timeout=10.0,
            reconnect_timeout=10.0,
            name=name,
            open=True,
        )

    @contextlib.contextmanager
    def connection(self) -> Iterator[BoundedConnection]:
        """A connection in autocommit mode. Raises Unusable when none can be had within 10 s."""
        try:
            connection = self._pool.getconn()
        except PoolTimeout as error:
            raise Unusable("The database is out of reach, or all connections to it are busy.") from error
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """One transaction, committed at the end. Raises ReplicationUnconfirmed when no standby confirmed it."""
        with self.connection() as connection:
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor
            connection.check_confirmed()

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
