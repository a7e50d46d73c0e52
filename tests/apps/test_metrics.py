"""What an operator's alarms are made from."""

from __future__ import annotations

from fastapi.testclient import TestClient

from apps.composition import System
from tests.databases import Database


def test_a_follower_that_stands_still_says_so(system: System, database: Database) -> None:
    system.catch_up()
    with TestClient(system.web_app(), base_url="http://127.0.0.1:8000") as client:
        assert 'mlds_follower_failing{follower="projections.attain"} 0' in client.get("/metrics").text.splitlines()
        with database.connect("projections") as connection:
            connection.execute("UPDATE projections.followers SET failing = 'ValueError at there.py:1'")
        lines = client.get("/metrics").text.splitlines()
    assert 'mlds_follower_failing{follower="projections.attain"} 1' in lines
    assert "# TYPE mlds_follower_failing gauge" in lines
