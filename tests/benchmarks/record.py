"""How many observations are recorded in a second by the service of evidence: read, decide, append, no HTTP.

`python -m tests.benchmarks.record [--seconds N] [--writers N …] [--rounds N]` prints, for each number of writer
processes, the baseline of `tests.benchmarks.append` (a bare INSERT) and ours: the whole decision, with standing,
dossier and near doubles. Each writer is an assessor with principals of their own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg

from contracts.events.evidence import Observation, ObservationRecorded
from contracts.events.governance import Assignment, Person
from foundation.access.permissions import OPERATOR, Caller
from foundation.artifacts import ArtifactStore
from foundation.eventlog import Command, PostgresEventLog
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from foundation.postgres.embedded import EmbeddedServer
from foundation.postgres.provision import migrate
from services.evidence.application import Evidence
from services.governance.application import Governance
from tests.benchmarks.append import MASTER_KEY, beside_bare_insert

PRINCIPALS: Final = 100
WRITERS: Final = 8


def measure(seconds: float = 3.0, writers: tuple[int, ...] = (1, 4, 8), rounds: int = 3) -> list[dict[str, Any]]:
    """One row for each number of writers: per second of baseline and ours, ratio, percentiles in ms."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="mlds-bench-") as folder, EmbeddedServer(Path(folder) / "home") as server:
        made = migrate(server.url(), database="mlds")
        with psycopg.connect(server.url("mlds"), autocommit=True) as owner:
            owner.execute(
                "CREATE TABLE public.floor (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                "stream text NOT NULL, data bytea NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id())"
            )
            owner.execute(f"GRANT INSERT ON public.floor TO {made.logins['evidence']}")
        settle(made.urls)
        for count in writers:
            rows.append(beside_bare_insert(count, seconds, rounds, _record, made.urls))
    return rows


def settle(urls: Mapping[str, str], writers: int = WRITERS) -> None:
    """Assessors `c-0`, … with principals `p-0-0`, … assigned to them."""
    pools = [Pool(urls["governance"], size=2), Pool(urls["keys"], size=2)]
    log = PostgresEventLog(pools[0], keys=DataKeys(pools[1], MASTER_KEY))
    governance, operator = Governance(log), Caller(OPERATOR)
    assigned = Assignment.model_validate({"as": "coach", "from": date(2020, 1, 1)})
    for writer in range(writers):
        governance.register(operator, Person(name="A coach"), f"c-{writer}", None)
        for number in range(PRINCIPALS):
            principal = f"p-{writer}-{number}"
            governance.register(operator, Person(name="A principal"), principal, None)
            governance.open_dossier(operator, principal, None)
            governance.assign(operator, principal, f"c-{writer}", assigned, None)
    log.close()
    for pool in pools:
        pool.close()


def open_evidence(urls: Mapping[str, str]) -> tuple[Evidence, Callable[[], None]]:
    pools = [Pool(urls["evidence"], size=2), Pool(urls["keys"], size=2)]
    log = PostgresEventLog(pools[0], keys=DataKeys(pools[1], MASTER_KEY))
    store = ArtifactStore(
        Path(tempfile.gettempdir()) / "mlds-bench-artifacts", DataKeys(pools[1], MASTER_KEY, "artifact")
    )

    def close() -> None:
        log.close()
        for pool in pools:
            pool.close()

    return Evidence(log, store), close


def visit(number: int) -> Observation:
    return Observation.model_validate(
        {
            "occurred_on": date(2021, 1, 1) + timedelta(days=number % 1_700),
            "setting": "Learning Labs",
            "judgments": [{"competency": 1 + (number + n) % 32, "level": "emerging"} for n in range(3)],
            "narrative": f"Visit {number}: " + "led the data meeting with the whole team. " * 5,
        }
    )


def _record(urls: Mapping[str, str], worker: int) -> tuple[Callable[[int], None], Callable[[], None]]:
    evidence, close = open_evidence(urls)
    caller = Caller(f"person:c-{worker}")
    start = int(datetime.now(UTC).timestamp()) % 1_000_000

    def step(number: int) -> None:
        principal = f"p-{worker}-{number % PRINCIPALS}"
        command = Command.of(caller.actor, str(uuid4()), f"POST /api/v1/principals/{principal}/observations")
        evidence.begin(caller, principal, ObservationRecorded, visit(start + number), None, command)

    return step, close


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 4, 8])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"record: fsync on, {os.cpu_count()} cores, {chosen.seconds} s a run")
    for row in measure(chosen.seconds, tuple(chosen.writers), chosen.rounds):
        print("  " + "  ".join(f"{name}={value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
