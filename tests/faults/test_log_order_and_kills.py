"""Commits held open, and processes killed at any moment: nobody is skipped, nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from foundation.eventlog import (
    FollowerTransaction,
    PostgresEventLog,
    Recorded,
    catch_up,
    run_follower,
    wait_for,
)
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import migrate
from tests.databases import MASTER_KEY, Database
from tests.foundation.eventlog.examples import observation


class Copying:
    """Writes down each position it is given; a second time would break the primary key."""

    name = "evidence.copying"
    types: frozenset[str] | None = None
    unseal = False

    def apply(self, batch: Sequence[Recorded], tx: FollowerTransaction) -> None:
        tx.cursor.executemany("INSERT INTO evidence.copied VALUES (%s)", [(event.position,) for event in batch])


def prepared(database: Database) -> PostgresEventLog:
    database.connect("evidence").execute("CREATE TABLE evidence.copied (position bigint PRIMARY KEY)")
    return database.log("evidence")


def copied(database: Database) -> list[int]:
    rows = database.connect().execute("SELECT position FROM evidence.copied ORDER BY position").fetchall()
    return [row[0] for row in rows]


def test_a_commit_held_open_skips_nobody(database: Database) -> None:
    log = prepared(database)
    stop = threading.Event()
    follower = threading.Thread(target=run_follower, args=(Copying(), log, stop))
    follower.start()
    try:
        for round_ in range(5):
            base = 2 * round_
            with log.pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
                held = log.append_on(cursor, [observation()])
                second = threading.Thread(target=log.append, args=([observation()],))
                second.start()
                # Nobody sees the held event, and nobody sees one behind it either.
                assert log.head() == base
                assert log.read(after=base) == []
                assert held[0].position == base + 1
                assert second.is_alive()
            second.join()
            assert wait_for(Copying(), log, base + 2, 10)
    finally:
        stop.set()
        follower.join()
    assert copied(database) == list(range(1, 11))


WRITER = """
import json, sys
from foundation.eventlog import PostgresEventLog
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from tests.databases import MASTER_KEY
from tests.foundation.eventlog.examples import observation
urls = json.loads(sys.argv[1])
log = PostgresEventLog(Pool(urls["evidence"]), keys=DataKeys(Pool(urls["keys"]), MASTER_KEY))
while True:
    event = observation()
    log.append([event, observation()])
    print(event.event_id, flush=True)
"""

FOLLOWER = """
import json, sys, threading
from foundation.eventlog import PostgresEventLog, run_follower
from foundation.postgres.connections import Pool
from tests.faults.test_log_order_and_kills import Copying
log = PostgresEventLog(Pool(json.loads(sys.argv[1])["evidence"]))
class Telling(Copying):
    def apply(self, batch, tx):
        super().apply(batch, tx)
        print(len(batch), flush=True)
run_follower(Telling(), log, threading.Event())
"""


def process(program: str, urls: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, json.dumps(urls)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def lines_until_killed(running: subprocess.Popen[str], lines: int) -> list[str]:
    """What it said before it was killed, at least so many lines."""
    assert running.stdout is not None
    said = [running.stdout.readline().strip() for _ in range(lines)]
    running.send_signal(signal.SIGKILL)
    said += [line.strip() for line in running.stdout if line.endswith("\n")]
    running.wait()
    running.stdout.close()
    return said


def test_what_a_killed_writer_was_told_is_there_and_nothing_half(database: Database) -> None:
    log = prepared(database)
    for kill in range(6):
        told = lines_until_killed(process(WRITER, dict(database.urls)), 1 + 3 * kill)
        database.connect().execute("SELECT pg_advisory_xact_lock(7811887, 1)")  # whatever was under way has ended
        found = {str(event.event_id) for event in log.scan()}
        assert set(told) <= found
        events = log.read()
        assert len(events) % 2 == 0
        assert [event.position for event in events] == list(range(1, len(events) + 1))


def test_a_follower_killed_in_mid_batch_doubles_and_loses_nothing(database: Database) -> None:
    log = prepared(database)
    for kill in range(6):
        running = process(FOLLOWER, dict(database.urls))
        log.append([observation() for _ in range(150)])
        lines_until_killed(running, 1 if kill % 2 else 0)
    assert catch_up(Copying(), log) == 900
    assert copied(database) == list(range(1, 901))


def test_a_killed_database_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "home").start()
    made = migrate(server.url(), database="mlds")
    told: list[str] = []
    for lines in (1, 5, 12):
        running = process(WRITER, dict(made.urls))
        assert running.stdout is not None
        told += [running.stdout.readline().strip() for _ in range(lines)]
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        running.send_signal(signal.SIGKILL)
        told += [line.strip() for line in running.stdout if line.endswith("\n")]
        running.wait()
        running.stdout.close()
        again = EmbeddedServer(tmp_path / "home").start()
        server.stop()
        server = again
        with Pool(made.urls["evidence"]) as pool, Pool(made.urls["keys"]) as keys:
            log = PostgresEventLog(pool, keys=DataKeys(keys, MASTER_KEY))
            events = list(log.scan(unseal=True))
            assert set(told) <= {str(event.event_id) for event in events}
            assert [event.position for event in events] == list(range(1, len(events) + 1))
            log.close()
    server.stop()


def test_a_server_that_restarts_under_a_log_is_met_again(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "home", durable=False).start()
    made = migrate(server.url(), database="mlds")
    with Pool(made.urls["evidence"]) as pool, Pool(made.urls["keys"]) as keys:
        log = PostgresEventLog(pool, keys=DataKeys(keys, MASTER_KEY))
        log.append([observation()])
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        again = EmbeddedServer(tmp_path / "home", durable=False).start()
        assert log.append([observation()])[0].position == 2
        assert [event.data["narrative"] for event in log.read(unseal=True)] == ["Asked open questions."] * 2
        log.close()
    server.stop()
    again.stop()
