"""A connection lost between the commit and its answer: nobody is told a wrong thing, nothing is recorded twice."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.refusals import Kind, Refusal
from foundation.eventlog import Command, PostgresEventLog, decide
from foundation.postgres.connections import BoundedConnection, Limits, Pool, ReplicationUnconfirmed, connect
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import migrate
from tests.databases import Database, Templates
from tests.faults.cutting import CuttingProxy
from tests.foundation.eventlog.examples import DOSSIER, observation


@pytest.fixture
def proxy(templates: Templates) -> Iterator[CuttingProxy]:
    with tempfile.TemporaryDirectory(prefix="cut-") as folder:
        made = CuttingProxy(Path(folder), templates.server.socket_folder)
        yield made
        made.close()


def log_through(proxy: CuttingProxy, database: Database, limits: Limits) -> Iterator[PostgresEventLog]:
    url = database.urls["evidence"].split("?")[0] + f"?host={str(proxy.folder).replace('/', '%2F')}"
    with Pool(url, limits=limits) as pool:
        log = PostgresEventLog(pool, keys=database.keys())
        log.append([observation()])
        yield log
        log.close()


@pytest.fixture
def log(proxy: CuttingProxy, database: Database) -> Iterator[PostgresEventLog]:
    yield from log_through(proxy, database, Limits())


@pytest.fixture
def hasty_log(proxy: CuttingProxy, database: Database) -> Iterator[PostgresEventLog]:
    yield from log_through(proxy, database, Limits(statement=0.3, beyond=0.1))


def test_an_append_whose_answer_was_lost_is_found_again(log: PostgresEventLog, proxy: CuttingProxy) -> None:
    proxy.cut_next_answer()
    recorded = log.append([observation("Once.")])
    assert proxy.cuts == 1
    assert [event.position for event in recorded] == [2]
    assert log.head() == 2
    assert log.read(after=1, unseal=True)[0].data["narrative"] == "Once."


def test_a_decision_whose_answer_was_lost_is_not_made_twice(log: PostgresEventLog, proxy: CuttingProxy) -> None:
    """Its own event would fail its condition: the event's id is looked at first."""
    command = Command.of("c", "k", "POST x")

    def cutting(known: list[object]) -> list[object]:
        proxy.cut_next_answer()
        return [observation("Once.")]

    decided = decide(log, DOSSIER, cutting, command=command)  # type: ignore[arg-type]
    assert [event.position for event in decided.events] == [2]
    assert log.head() == 2


def test_an_answer_that_never_comes_is_given_up_and_looked_for(
    hasty_log: PostgresEventLog, proxy: CuttingProxy
) -> None:
    proxy.swallow_next_answer()
    assert [event.position for event in hasty_log.append([observation()])] == [2]
    assert hasty_log.head() == 2


def test_reading_survives_a_cut(log: PostgresEventLog, proxy: CuttingProxy) -> None:
    proxy.cut_next_answer()
    assert log.head() == 1


def test_no_receipt_is_given_where_a_standby_did_not_confirm(database: Database) -> None:
    """PostgreSQL answers success with warning 01000 when the wait for a standby was cancelled."""
    with connect(database.urls["evidence"]) as connection:
        assert isinstance(connection, BoundedConnection)
        connection.execute(
            "DO $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication due to user request' "
            "USING ERRCODE = '01000'; END $$"
        )
        with pytest.raises(ReplicationUnconfirmed):
            connection.check_confirmed()
        connection.check_confirmed()


def test_a_real_wait_for_a_standby_that_is_cancelled_is_outcome_unknown(tmp_path: Path) -> None:
    """A server that waits for a standby which does not exist; an operator cancels the wait."""
    with EmbeddedServer(tmp_path / "home", durable=False) as server:
        made = migrate(server.url(), database="mlds")
        with psycopg.connect(server.url(), autocommit=True) as owner, Pool(made.urls["evidence"]) as pool:
            log = PostgresEventLog(pool)
            unsealed = dataclasses.replace(observation(), personal=frozenset())
            log.append([unsealed])
            owner.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            owner.execute("SELECT pg_reload_conf()")

            def cancel() -> None:
                with psycopg.connect(server.url(), autocommit=True) as operator:
                    while not operator.execute(
                        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
                        "AND usename LIKE '%evidence'"
                    ).fetchall():
                        pass

            thread = threading.Thread(target=cancel)
            thread.start()
            with pytest.raises(Refusal) as refused:
                append_until_refused(log)  # the setting takes a moment to reach every process
            assert refused.value.kind is Kind.OUTCOME_UNKNOWN
            thread.join()
            owner.execute("SET synchronous_commit = local")
            owner.execute("ALTER SYSTEM RESET synchronous_standby_names")
            owner.execute("SELECT pg_reload_conf()")
            log.close()


def append_until_refused(log: PostgresEventLog) -> None:
    while True:
        log.append([dataclasses.replace(observation(), personal=frozenset())])
