"""Evidence on the real log: at once, in bulk, and killed in the middle."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.events.evidence import Observation, ObservationRecorded
from contracts.events.governance import Assignment, AssignmentEnd, Person
from contracts.refusals import Kind, Refusal
from foundation.access.permissions import OPERATOR, Caller
from foundation.artifacts import ArtifactStore
from foundation.eventlog import Command, item, query
from foundation.postgres.data_keys import DataKeys
from services.evidence.application import Evidence
from services.governance.application import Governance
from tests.databases import MASTER_KEY, Database

OBSERVED = query(item(types=("ObservationRecorded",)))
OPERATORS = Caller(OPERATOR)


@pytest.fixture
def evidence(database: Database, tmp_path: Path) -> Evidence:
    governance = Governance(database.log("governance"))
    for person in ("p-heron", "c-otter", "c-wren"):
        governance.register(OPERATORS, Person(name="N"), person, None)
    governance.open_dossier(OPERATORS, "p-heron", None)
    assigned = Assignment.model_validate({"as": "coach", "from": date(2020, 1, 1)})
    for coach in ("c-otter", "c-wren"):
        governance.assign(OPERATORS, "p-heron", coach, assigned, None)
    store = ArtifactStore(tmp_path / "artifacts", DataKeys(database.pool("keys"), MASTER_KEY, "artifact"))
    return Evidence(database.log("evidence"), store)


def observe(evidence: Evidence, narrative: str, by: str = "c-otter", key: str | None = None, *, distinct: bool) -> int:
    body = {
        "occurred_on": "2026-02-03",
        "setting": "Retreats",
        "judgments": [{"competency": 6, "level": "emerging"}],
        "narrative": narrative,
    }
    command = Command.of(f"person:{by}", key or str(uuid4()), "POST /api/v1/principals/p-heron/observations")
    return evidence.begin(
        Caller(f"person:{by}"),
        "p-heron",
        ObservationRecorded,
        Observation.model_validate(body),
        None,
        command,
        distinct=distinct,
    ).position


def test_twenty_at_once_are_twenty_items(evidence: Evidence) -> None:
    """None is lost and none takes the position of another."""
    with ThreadPoolExecutor(20) as pool:
        coaches = ["c-otter", "c-wren"] * 10
        found = list(pool.map(lambda n: observe(evidence, f"n{n}", coaches[n], distinct=True), range(20)))
    assert len(set(found)) == len(evidence.log.read(OBSERVED)) == 20


def test_one_visit_typed_by_ten_hands_at_once_is_one_item(evidence: Evidence) -> None:
    def send(_: int) -> str:
        try:
            observe(evidence, "the same", distinct=False)
        except Refusal as refusal:
            return refusal.kind.slug
        return "recorded"

    with ThreadPoolExecutor(10) as pool:
        answers = sorted(pool.map(send, range(10)))
    assert answers == ["near-double"] * 9 + ["recorded"]


def test_one_key_ten_times_at_once_is_one_item(evidence: Evidence) -> None:
    """All ten get the answer of the one that was recorded."""
    key = str(uuid4())
    with ThreadPoolExecutor(10) as pool:
        found = set(pool.map(lambda _: observe(evidence, "the same", key=key, distinct=False), range(10)))
    assert len(found) == len(evidence.log.read(OBSERVED)) == 1


def test_an_assignment_that_ends_meanwhile_stops_the_entry(
    evidence: Evidence, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    governance = Governance(database.log("governance"))
    read = evidence.log.read_to_head

    def ended_after_reading(*arguments: object, **named: object) -> object:
        known = read(*arguments, **named)  # type: ignore[arg-type]  # passed through
        monkeypatch.undo()
        governance.end_assignment(OPERATORS, "p-heron", "c-otter", AssignmentEnd(on=date(2026, 1, 1)), None)
        return known

    monkeypatch.setattr(evidence.log, "read_to_head", ended_after_reading)
    with pytest.raises(Refusal) as refused:
        observe(evidence, "late", distinct=False)
    assert refused.value.kind is Kind.NOT_ASSIGNED


def visits(count: int) -> bytes:
    header = "type,principal,evidence_id,occurred_on,setting,competency,level,narrative,recorded_by,distinct\n"
    rows = (
        f"ObservationRecorded,p-heron,,{date.fromordinal(date(2021, 1, 1).toordinal() + n % 1500)},Retreats,"
        f"{1 + n % 32},emerging,visit {n},person:c-otter,yes\n"
        for n in range(count)
    )
    return (header + "".join(rows)).encode()


def test_an_import_goes_in_whole_and_again_adds_nothing(evidence: Evidence) -> None:
    data = visits(3_000)
    first = evidence.imports.run(OPERATORS, io.BytesIO(data))
    assert (first.items, first.added, first.position) == (3_000, 3_000, evidence.log.head())
    again = evidence.imports.run(OPERATORS, io.BytesIO(data))
    assert (again.added, again.already_there) == (0, 3_000)
    assert len(evidence.log.read(OBSERVED)) == 3_000


_CHILD = """
import sys
from pathlib import Path
from foundation.access.permissions import OPERATOR, Caller
from foundation.artifacts import ArtifactStore
from foundation.eventlog import PostgresEventLog
from foundation.postgres.connections import Pool
from foundation.postgres.data_keys import DataKeys
from services.evidence.application import Evidence
from tests.databases import MASTER_KEY
url, keys, file, stop = sys.argv[1:]
store = DataKeys(Pool(keys, size=2), MASTER_KEY)
evidence = Evidence(PostgresEventLog(Pool(url, size=2), keys=store), ArtifactStore(Path("unused"), store))
def progress(what, done, total):
    if what == stop and done >= 2_000:
        print("here", flush=True)
        sys.stdin.readline()
evidence.imports.run(Caller(OPERATOR), open(file, "rb"), progress=progress)
"""


@pytest.mark.parametrize("stop", ["Checking", "Recording"])
def test_an_import_that_is_killed_leaves_nothing_and_goes_in_once(
    evidence: Evidence, database: Database, tmp_path: Path, stop: str
) -> None:
    """kill -9 in mid-import, run again: each row once."""
    data = visits(3_000)
    file = tmp_path / "visits.csv"
    file.write_bytes(data)
    arguments = [sys.executable, "-c", _CHILD, database.urls["evidence"], database.urls["keys"], str(file), stop]
    root = Path(__file__).parents[3]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        os.kill(child.pid, signal.SIGKILL)
    assert evidence.log.read(OBSERVED) == []
    done = evidence.imports.run(OPERATORS, io.BytesIO(data))
    assert done.added == len(evidence.log.read(OBSERVED)) == 3_000


def test_too_many_items_need_the_exclusive_mode(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.evidence.importing.BULK_LIMIT", 5)
    with pytest.raises(Refusal) as refused:
        evidence.imports.run(OPERATORS, io.BytesIO(visits(6)))
    assert refused.value.kind is Kind.TOO_LARGE
    assert "exclusive" in refused.value.detail
    said: list[str] = []
    done = evidence.imports.run(
        OPERATORS, io.BytesIO(visits(6)), exclusive=True, progress=lambda what, *_: said.append(what)
    )
    assert done.added == 6
    assert any("held" in what for what in said)
