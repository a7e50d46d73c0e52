"""The status list as it is published, asked for by many at once on a pool of the size that servers have."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.refusals import Kind, Refusal
from foundation.eventlog import PostgresEventLog
from foundation.postgres.connections import Limits, Pool
from services.credentials.queries import query
from services.credentials.room import CredentialsRoom
from tests.databases import Database
from tests.services.credentials.world import World, catch_up

ASKERS = 16


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = World(database, tmp_path)
    made.principal()
    made.reached(made.observed())
    made.settle()
    return made


@pytest.fixture
def room(world: World) -> Iterator[CredentialsRoom]:
    """A process of the deployment: list, log and signing share one pool of the usual size."""
    with Pool(world.database.urls["credentials"], limits=Limits(lock=1.0)) as pool:
        log = PostgresEventLog(pool, keys=world.database.keys())
        yield replace(world.room, pool=pool, log=log)
        log.close()


def test_many_who_ask_at_once_all_get_the_list(room: CredentialsRoom) -> None:
    with ThreadPoolExecutor(ASKERS) as threads:
        bodies = set(threads.map(lambda _: room.lists.current("r1").body, range(ASKERS)))
    assert len(bodies) == 1


def test_many_workers_sign_at_once_on_one_pool(world: World, room: CredentialsRoom) -> None:
    for competency in range(7, 7 + ASKERS):
        world.reached(world.observed(competency=competency), competency=competency)
    catch_up(room)
    with ThreadPoolExecutor(ASKERS) as threads:
        signed = list(threads.map(lambda _: room.signing().sign_some(1), range(ASKERS)))
    assert sum(signed) == ASKERS
    assert len(world.documents()) == 1 + ASKERS


def test_while_another_signs_the_last_list_is_served_as_long_as_it_is_valid(
    world: World, room: CredentialsRoom
) -> None:
    before = room.lists.current("r1")
    world.lapsed(because=1)
    world.settle()
    with world.room.pool.transaction() as cursor:
        cursor.execute(query("lock_list"), ("r1",))
        assert room.lists.current("r1") == before
        later = replace(room, clock=lambda: datetime.now(UTC) + timedelta(days=2))
        with pytest.raises(Refusal) as refused:
            later.lists.current("r1")
        assert refused.value.kind is Kind.UNAVAILABLE
    assert room.lists.current("r1").body != before.body


def test_the_first_list_is_waited_for_but_not_for_ever(world: World, room: CredentialsRoom) -> None:
    with world.room.pool.transaction() as cursor:
        cursor.execute(query("lock_list"), ("r1",))
        with pytest.raises(Refusal) as refused:
            room.lists.current("r1")
    assert refused.value.kind is Kind.UNAVAILABLE
    assert room.lists.current("r1").body
