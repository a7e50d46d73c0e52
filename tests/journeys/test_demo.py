"""`mlds demo` from an empty home to verified badges, on real PostgreSQL, in a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from apps.demo.driver import command_of
from apps.demo.plan import DAYS, Plan, make_plan
from tests.apps.demo.histories import levels
from tests.apps.demo.runs import MLDS, Home, arguments, expected, home

SEED, SIZE = 3, 5


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict[str, Any]]]:
    with home(tmp_path_factory.mktemp("demo")) as made:
        yield made, made.demo(seed=SEED, principals=SIZE)


def plan_in(place: Home) -> Plan:
    first: date = place.rows("SELECT min(recorded_at)::date FROM log.events WHERE type = 'PersonRegistered'")[0][0]
    return make_plan(SEED, SIZE, first + timedelta(days=DAYS))


def test_counts_agree_with_the_log(demo: tuple[Home, dict[str, Any]]) -> None:
    place, counts = demo
    by_type = dict(place.rows("SELECT type, count(*) FROM log.events GROUP BY type"))
    assert counts["events"] == by_type
    assert counts["principals"] == by_type["DossierOpened"] == SIZE
    assert counts["levels_reached"] == by_type["LevelReached"]
    assert counts["credentials_issued"] == by_type["CredentialIssued"]
    shared = place.rows("SELECT count(DISTINCT tags) FROM log.events WHERE type = 'ShareGranted'")[0][0]
    assert counts["credentials_verified"] == shared > 0


def test_the_log_holds_what_the_plan_leads_to(demo: tuple[Home, dict[str, Any]]) -> None:
    place, counts = demo
    wanted = expected(plan_in(place))
    assert {name: counts["events"].get(name) for name in wanted} == wanted


def test_steps_are_recorded_at_their_own_time(demo: tuple[Home, dict[str, Any]]) -> None:
    place, _ = demo
    recorded = dict(place.rows("SELECT command_id, recorded_at FROM log.events WHERE command_id IS NOT NULL"))
    for step in plan_in(place).steps:
        assert recorded[command_of(step.actor, step.key)] == step.at
    assert place.rows(
        "SELECT count(*) FROM log.events a JOIN log.events b ON b.position = a.position + 1 "
        "WHERE b.recorded_at < a.recorded_at"
    ) == [(0,)]


def test_levels_are_those_of_a_replay_of_the_plan(demo: tuple[Home, dict[str, Any]]) -> None:
    place, _ = demo
    stands: Counter[tuple[str, str]] = Counter()
    for line in levels(plan_in(place)):
        stands[line["principal"], str(line["competency"])] = len(line["reached"]) - len(line["lapsed"])
    recorded: Counter[tuple[str, str]] = Counter()
    for kind, principal, competency, number in place.rows(
        "SELECT type, data->>'principal_id', data->>'competency', count(*)::int "
        "FROM (SELECT type, convert_from(data, 'UTF8')::jsonb AS data FROM log.events) e "
        "WHERE type IN ('LevelReached', 'LevelLapsed') GROUP BY 1, 2, 3"
    ):
        recorded[principal, competency] += number if kind == "LevelReached" else -number
    assert +recorded == +stands


def test_exported_and_replayed_nothing_differs(demo: tuple[Home, dict[str, Any]], tmp_path: Path) -> None:
    place, counts = demo
    history = tmp_path / "history.jsonl"
    exported = place.run("export", "--demo", "--out", str(history))
    assert exported.returncode == 0, exported.stderr
    assert len(history.read_text().splitlines()) == sum(counts["events"].values())
    replayed = place.run("replay", str(history), "--check")
    assert replayed.returncode == 0, replayed.stderr


def test_run_again_it_finds_itself_finished(demo: tuple[Home, dict[str, Any]]) -> None:
    place, counts = demo
    head = place.rows("SELECT max(position) FROM log.events")
    assert place.demo(seed=SEED, principals=SIZE) == counts
    assert place.rows("SELECT max(position) FROM log.events") == head


def test_what_it_says_to_try_next_works(demo: tuple[Home, dict[str, Any]], tmp_path: Path) -> None:
    place, _ = demo
    program = tmp_path / "mlds"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(MLDS)} "$@"\n')
    program.chmod(0o755)
    environment = {**place.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    shown = place.run("demo", "--no-serve", "--seed", str(SEED), "--principals", str(SIZE), env=environment)
    assert shown.returncode == 0, shown.stderr
    assert "openbadgeslib" in shown.stdout
    picture = next(line.split()[-1] for line in shown.stdout.splitlines() if line.strip().startswith("picture"))
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    commands = [line for line in shown.stdout.partition("Try next:")[2].splitlines() if line.strip()]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout


def test_serving_it_shows_pages_takes_the_printed_token_and_is_not_pulled_away(
    demo: tuple[Home, dict[str, Any]],
) -> None:
    place, counts = demo
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with place.start("demo", "--seed", str(SEED), "--principals", str(SIZE), "--port", str(port)) as served:
        try:
            _look_at(served, f"http://127.0.0.1:{port}")
            assert place.demo(seed=SEED, principals=SIZE) == counts  # it is there, and stays
            other = place.run(*arguments(SEED + 1, SIZE))
            assert other.returncode == 3
            assert "Another process works on the demonstration" in other.stderr
            served.send_signal(signal.SIGINT)
            served.wait(30)
        finally:
            served.kill()
    assert served.returncode in (0, 130)


def _look_at(served: subprocess.Popen[str], base: str) -> None:
    assert served.stdout is not None
    assert served.stderr is not None
    badge = next(line.split()[-1] for line in served.stdout if line.startswith("A shared badge"))
    token = next(line.split()[-1] for line in served.stdout if "token" in line)
    assert any("Serving" in line for line in served.stderr)
    with httpx2.Client(transport=httpx2.HTTPTransport(retries=5)) as client:
        assert client.get(f"{base}/livez").status_code == 200
        page = client.get(f"{base}/", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "p-001" in page.text
        assert client.get(badge, headers={"Accept": "text/html"}).status_code == 200
        asked = f"{base}/api/v1/principals/p-001/continuum"
        assert client.get(asked).status_code == 401
        answer = client.get(asked, headers={"Authorization": f"Bearer {token}"}).json()
        assert answer["overall"]["level"] == "transformational"


def test_another_size_makes_it_anew(tmp_path: Path) -> None:
    with home(tmp_path / "home") as place:
        first = place.demo(seed=1, principals=2)
        other = place.demo(seed=1, principals=1)
        assert (first["principals"], other["principals"]) == (2, 1)
        assert place.rows("SELECT count(*) FROM log.events") == [(sum(other["events"].values()),)]
        assert json.loads(json.dumps(other))["credentials_verified"] == 1
