"""An append is visible a moment before it is durable, and nobody is told of it before it is."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from foundation.eventlog import Command, PostgresEventLog, decide
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import Provisioned, migrate
from tests.databases import MASTER_KEY
from tests.faults.test_log_order_and_kills import process
from tests.foundation.eventlog.examples import DOSSIER, observation

KILLS = 50

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
    log.append([event])
    print(event.event_id, flush=True)
"""


def kill_whole(server: EmbeddedServer) -> None:
    """Kills the server and all its processes at once: what stood in its memory only is gone."""
    pid = server.pid()
    assert pid is not None
    postmaster = psutil.Process(pid)
    all_of_it = [postmaster, *postmaster.children()]
    for one in all_of_it:
        one.send_signal(signal.SIGSTOP)  # so that none of them goes on while the others die
    for one in all_of_it:
        one.send_signal(signal.SIGKILL)


def test_fifty_killed_servers_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "home").start()
    made = migrate(server.url(), database="mlds")
    told: set[str] = set()
    for kill in range(KILLS):
        writers = [process(WRITER, dict(made.urls)) for _ in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            told |= {writer.stdout.readline().strip() for _ in range(1 + kill % 7)}
        kill_whole(server)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            assert writer.stdout is not None
            told |= {line.strip() for line in writer.stdout if line.endswith("\n")}
            writer.wait()
            writer.stdout.close()
        again = EmbeddedServer(tmp_path / "home").start()
        server.stop()
        server = again
        with psycopg.connect(server.url("mlds")) as owner:
            rows = owner.execute("SELECT position, event_id::text FROM log.events ORDER BY position").fetchall()
        assert told <= {row[1] for row in rows}
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    server.stop()


class Waits:
    """Counts the sessions that wait for the standby."""

    def __init__(self, owner: psycopg.Connection[object]) -> None:
        self._owner = owner

    def until(self, many: int) -> None:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while self._owner.execute(asked).fetchone() != (many,):
            os.sched_yield()


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[PostgresEventLog, Waits, Callable[[], None]]]:
    """A log on a server whose commits wait for a standby that does not exist; who waits; what ends the waiting."""
    with EmbeddedServer(tmp_path / "home", durable=False) as server:
        made: Provisioned = migrate(server.url(), database="mlds")
        with Pool(made.urls["evidence"]) as pool, Pool(made.urls["keys"]) as keys:
            log = PostgresEventLog(pool, keys=DataKeys(keys, MASTER_KEY))
            log.append([observation()])  # makes the subject's key
            with psycopg.connect(server.url(), autocommit=True) as owner:
                owner.execute("SET synchronous_commit = local")

                def standby(name: str) -> None:
                    owner.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
                    owner.execute("SELECT pg_reload_conf()")

                standby("nobody")
                waits = Waits(owner)
                with psycopg.connect(server.url(), autocommit=True) as probe:
                    # The setting has reached everybody when a commit of a new session waits.
                    thread = threading.Thread(target=probe.execute, args=("CREATE TABLE public.probe ()",))
                    thread.start()
                    waits.until(1)
                    yield log, waits, lambda: standby("")
                    standby("")
                    thread.join()
            log.close()


def test_no_answer_before_the_flush_neither_first_nor_repeated(
    waiting: tuple[PostgresEventLog, Waits, Callable[[], None]],
) -> None:
    log, waits, confirm = waiting
    command = Command.of("c", "k", "POST x")
    event = observation("Once.", evidence_id="o-1")
    answers: list[str] = []

    def asks(name: str, ask: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            ask()
            answers.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = [asks("first", lambda: decide(log, DOSSIER, lambda known: [event], command=command))]
    waits.until(2)
    # The log's lock is free and the event can be read; the answers that rest on it wait with it.
    assert [one.position for one in log.read()] == [1, 2]
    threads.append(asks("repeated", lambda: decide(log, DOSSIER, lambda known: [event], command=command)))
    waits.until(3)
    threads.append(asks("found", lambda: log.find([event.event_id])))
    waits.until(4)
    threads.append(asks("there already", lambda: decide(log, DOSSIER, lambda known: [])))
    waits.until(5)
    threads.append(asks("several", lambda: log.append([observation(), observation()])))
    waits.until(6)
    assert answers == []
    confirm()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["first", "found", "repeated", "several", "there already"]
    assert log.head() == 4
