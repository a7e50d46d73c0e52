"""`kill -9` of a process that intends and signs, at any moment, many times: one credential for each attainment."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from foundation.eventlog import PostgresEventLog, catch_up
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from services.credentials.key_ring import KeyRing
from services.credentials.room import CredentialsRoom
from tests.databases import MASTER_KEY, Database
from tests.services.credentials.world import ORIGIN, World

KILLS = 12
LEVELS = ("aspiring", "emerging", "developing", "transformational")


def test_killed_again_and_again_it_resumes_and_issues_each_badge_once(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.principal()
    item = world.observed(level="transformational")
    for competency in range(1, 33):
        for level in LEVELS:
            world.reached(item, competency=competency, level=level)
    for competency in range(1, 6):
        world.lapsed(competency=competency, level="transformational", because=item.position)
    dice = random.Random(4)
    context = multiprocessing.get_context("spawn")
    killed = 0
    while killed < KILLS:
        ours, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(dict(database.urls), tmp_path, theirs))
        worker.start()
        assert ours.poll(60)
        ours.recv()
        worker.join(dice.uniform(0.0, 0.12))
        if worker.is_alive():
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        killed += 1

    world.settle()
    causes = [event.position for event in world.events("LevelReached")]
    intents = world.events("IssuanceIntended")
    issued = world.events("CredentialIssued")
    assert sorted(event.data["cause"] for event in intents) == causes
    assert sorted(event.data["intent"] for event in issued) == [event.position for event in intents]
    assert len({event.data["credential_id"] for event in issued}) == len(causes) == 128
    assert len(world.events("CredentialRevoked")) == 5
    assert world.query("SELECT count(*) FROM credentials.status_entries WHERE intent IS NULL") == [(0,)]


def _work(urls: Mapping[str, str], folder: Path, told: Any) -> None:
    pool, keys = Pool(urls["credentials"]), Pool(urls["keys"])
    log = PostgresEventLog(pool, keys=DataKeys(keys, MASTER_KEY))
    ring = KeyRing(folder / "keys", b"a passphrase of the tests")
    room = CredentialsRoom(log, pool, ring, ORIGIN, True, lambda: datetime.now(UTC))
    log.head()
    told.send("ready")
    signing = room.signing()
    catch_up(room.intend(), log)
    while signing.sign_some(7):
        catch_up(room.intend(), log)
    os._exit(0)
