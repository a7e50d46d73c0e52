"""The same log on a given PostgreSQL 15, under an owner who is no superuser."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import TestCase

import psycopg
import pytest
from eventsourcing.dcb.tests import DCBRecorderTestCase

from contracts.refusals import Refusal
from foundation.eventlog import Command, PostgresEventLog, catch_up, decide
from foundation.eventlog.postgres_recorder import PostgresRecorder
from foundation.postgres.binaries import server_user
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.provision import migrate
from tests.databases import MASTER_KEY, service_rooms
from tests.foundation.eventlog.examples import DOSSIER, observation
from tests.foundation.eventlog.test_conformance import TYPES
from tests.foundation.eventlog.test_followers import Counting

PROGRAMS = Path("/usr/lib/postgresql/15/bin")

pytestmark = pytest.mark.needs("postgresql-15")


@pytest.fixture(scope="module")
def owner_url() -> Iterator[str]:
    """A server of its own with a database `given`, and the URL of its owner, who may make roles and databases."""
    user = server_user()
    identity = {"user": user.uid, "group": user.gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg15-") as name:
        folder = Path(name)
        if identity:
            os.chown(folder, user.uid, user.gid)
        data = folder / "data"
        subprocess.run(
            [PROGRAMS / "initdb", "-D", data, "-U", "admin", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"],
            check=True,
            capture_output=True,
            cwd="/",
            **identity,
        )
        control = [PROGRAMS / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        subprocess.run(
            [*control, "-o", f"-k {folder} -c listen_addresses= -F", "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **identity,
        )
        try:
            host = f"?host={name.replace('/', '%2F')}"
            with psycopg.connect(f"postgresql://admin@/postgres{host}", autocommit=True) as admin:
                admin.execute("CREATE ROLE landlord LOGIN CREATEROLE CREATEDB PASSWORD 'x'")
                admin.execute("CREATE DATABASE given OWNER landlord")
            yield f"postgresql://landlord:x@/given{host}"
        finally:
            subprocess.run([*control, "-m", "fast", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/", **identity)


@pytest.fixture(scope="module")
def urls(owner_url: str) -> Mapping[str, str]:
    first = migrate(owner_url, rooms=service_rooms())
    assert (first.database, first.created) == ("given", False)
    again = migrate(owner_url, rooms=service_rooms(), passwords=first.new_passwords)
    assert again.applied == []
    return again.urls


@pytest.fixture
def log(urls: Mapping[str, str]) -> Iterator[PostgresEventLog]:
    with Pool(urls["evidence"], size=24) as pool, Pool(urls["keys"]) as keys:
        made = PostgresEventLog(pool, keys=DataKeys(keys, MASTER_KEY))
        yield made
        made.close()


def emptied(owner_url: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        assert owner.info.server_version // 10000 == 15
        owner.execute("TRUNCATE log.events, log.tags")
        for name in TYPES:
            owner.execute(
                "INSERT INTO log.event_types SELECT %s, owner FROM log.event_types WHERE type = 'ObservationRecorded' "
                "ON CONFLICT DO NOTHING",
                (name,),
            )


def test_the_library_accepts_the_recorder(owner_url: str, urls: Mapping[str, str]) -> None:
    emptied(owner_url)

    class Run(DCBRecorderTestCase):
        def runTest(self) -> None:  # unittest's name
            with Pool(urls["evidence"]) as pool:
                self._test_append_read(PostgresRecorder(pool))

    case: TestCase = Run()
    result = case.run()
    assert result is not None
    assert result.wasSuccessful(), result.failures + result.errors


def test_deciding_bulk_and_following(owner_url: str, log: PostgresEventLog) -> None:
    emptied(owner_url)
    command = Command.of("c", "k", "POST x")
    first = decide(log, DOSSIER, lambda known: [observation("Listened.")], command=command)
    assert decide(log, DOSSIER, lambda known: [observation("Listened.")], command=command).events == first.events
    with pytest.raises(Refusal):
        decide(log, DOSSIER, lambda known: [observation("Slept.")], command=command)
    assert log.append_bulk(observation() for _ in range(700)) == (2, 701)
    with psycopg.connect(log.pool.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE evidence.counted (principal text PRIMARY KEY, positions bigint[] NOT NULL)")
    assert catch_up(Counting(), log) == 701
    with (
        psycopg.connect(log.pool.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("DELETE FROM log.events")
