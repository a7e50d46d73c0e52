"""`kill -9` of the demonstration at random points, then again: as if it had never been killed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.apps.demo.runs import Home, arguments, home

SEED, SIZE, KILLS = 5, 3, 6


def test_a_killed_demonstration_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with home(tmp_path / "whole") as place:
        undisturbed = place.demo(seed=SEED, principals=SIZE)
        last = place.rows("SELECT max(position) FROM log.events")[0][0]
    with home(tmp_path / "killed") as place:
        rng = Random(20)
        for position in sorted(rng.sample(range(2, last), KILLS)):
            _kill_at(place, position)
        assert place.demo(seed=SEED, principals=SIZE) == undisturbed
        _each_once(place)


def _kill_at(place: Home, position: int) -> None:
    """Starts it, and kills it as soon as the log holds this position."""
    running = place.start(*arguments(SEED, SIZE))
    try:
        with _database(place, running.poll) as connection:
            connection.execute("LISTEN mlds_log")
            while _head(connection) < position and running.poll() is None:
                list(connection.notifies(timeout=1, stop_after=1))
    finally:
        running.kill()
        running.communicate()


def _database(place: Home, ended: Any) -> psycopg.Connection[Any]:
    """The demonstration's database, as soon as it is there and has a log."""
    while ended() is None:
        try:
            connection = place.database()
        except psycopg.OperationalError:
            continue  # not made yet
        if connection.execute("SELECT to_regclass('log.events')").fetchone() != (None,):
            return connection
        connection.close()
    raise AssertionError("it ended before there was a database")


def _head(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT coalesce(max(position), 0) FROM log.events").fetchone()
    return int(row[0]) if row else 0


def _each_once(place: Home) -> None:
    """No command twice, no level twice from one event, no cause with two credentials, none signed twice."""
    recorded = "(SELECT type, command_id, tags, convert_from(data, 'UTF8')::jsonb AS data FROM log.events) e"
    for type_name, member in (("IssuanceIntended", "cause"), ("CredentialIssued", "credential_id")):
        asked = f"SELECT count(*) - count(DISTINCT data->>'{member}') FROM {recorded} WHERE type = '{type_name}'"
        assert place.rows(asked) == [(0,)], type_name
    level = "(tags[1], data->>'competency', data->>'level', data->>'because')"
    asked = f"SELECT count(*) - count(DISTINCT {level}) FROM {recorded} WHERE type = 'LevelReached'"
    assert place.rows(asked) == [(0,)]
    asked = f"SELECT count(*) - count(DISTINCT command_id) FROM {recorded} WHERE command_id IS NOT NULL"
    assert place.rows(asked) == [(0,)]
