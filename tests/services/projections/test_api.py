"""The continuum over HTTP: who reads it, what stands in it, and the forms of a wrong question."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.events.governance import AssessorAssigned, AssessorUnassigned, RoleGranted
from foundation.access.tokens import Tokens
from foundation.eventlog import catch_up, new_event
from foundation.web import Gate, create_app
from services.projections import api
from services.projections.application import Projections
from tests.databases import Database
from tests.services.projections.recording import record
from tests.story import Story, framework, policy

TOKEN = "t" * 32
Get = Callable[..., Any]
EMERGING = {6: "emerging"}


@pytest.fixture
def get(demo_database: Database) -> Get:
    """Asks as the operator, or as a person. Two visits are recorded, c-otter was assigned until the first."""
    story = Story()
    story.dossier()
    story.observed("e1", EMERGING, on="2026-02-03")
    story.observed("e2", EMERGING, by="c-wren", on="2026-02-10")
    record(demo_database, story.lines)
    governance = demo_database.log("governance")
    first = date(2026, 1, 1)
    for person in ("c-otter", "c-wren"):
        assigned = AssessorAssigned.model_validate({"principal_id": "p-heron", "as": "coach", "from": str(first)})
        governance.append(
            [new_event(assigned, recorded_by="service:operator", stream=f"person:{person}", tags=["principal:p-heron"])]
        )
    ended = AssessorUnassigned(principal_id="p-heron", on=date(2026, 2, 4))
    role = RoleGranted.model_validate({"person_id": "a-1", "role": "auditor", "from": "2026-01-01"})
    governance.append(
        [
            new_event(ended, recorded_by="service:operator", stream="person:c-otter", tags=["principal:p-heron"]),
            new_event(role, recorded_by="service:operator"),
        ]
    )
    log = demo_database.log("projections")
    projections = Projections(log, lambda: datetime(2026, 6, 1, tzinfo=UTC))
    catch_up(projections.follower, log)
    app = create_app([api.router(projections, Gate(Tokens([TOKEN])))], hosts=[])
    client = TestClient(app, base_url="http://127.0.0.1:8000")

    def ask(path: str, by: str | None = None, token: str | None = TOKEN) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if by:
            headers["On-Behalf-Of"] = f"person:{by}"
        return client.get(f"/api/v1/principals/{path}", headers=headers)

    return ask


def test_the_whole_continuum(get: Get) -> None:
    answer = get("p-heron/continuum")
    assert answer.status_code == 200
    found = answer.json()
    assert list(found) == ["principal", "position", "as_of", "known_at", "overall", "competencies"]
    assert found["principal"] == "p-heron"
    assert found["position"] >= 3
    assert found["as_of"] is None
    assert [one["competency"] for one in found["competencies"]] == list(range(1, 33))
    six = found["competencies"][5]
    assert six["level"] == "emerging"
    assert six == get("p-heron/continuum/6").json()
    assert found["overall"] == get("p-heron/continuum/overall").json()
    assert found["overall"]["competency"] == "overall"
    assert len(found["overall"]["next"]["missing"]) == 31


def test_min_position_waits_for_what_was_recorded(get: Get) -> None:
    assert get("p-heron/continuum/6?min_position=3").json()["level"] == "emerging"


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("p-none/continuum", 404, "unknown-principal"),
        ("p-none/continuum/6", 404, "unknown-principal"),
        ("p-heron/continuum/33", 404, "not-found"),
        ("p-heron/continuum/0", 422, "invalid-parameter"),
        ("p-heron/continuum/06", 422, "invalid-parameter"),
        ("p-heron/continuum/six", 422, "invalid-parameter"),
        ("p heron/continuum", 422, "invalid-parameter"),
        ("p-heron/continuum?as_of=2026-01-01", 422, "not-supported-yet"),
        ("p-heron/continuum/6?known_at=2026-01-01T00:00:00Z", 422, "not-supported-yet"),
        ("p-heron/continuum?colour=red", 422, "invalid-parameter"),
        ("p-heron/continuum?min_position=-1", 422, "invalid-parameter"),
        ("p-heron/continuum?min_position=x", 422, "invalid-parameter"),
    ],
)
def test_a_wrong_question_is_a_problem(get: Get, path: str, status: int, kind: str) -> None:
    answer = get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith(kind)


@pytest.mark.parametrize("reader", ["p-heron", "c-wren", "a-1", None])
def test_who_may_read_reads_all(get: Get, reader: str | None) -> None:
    assert get("p-heron/continuum/6", reader).json()["level"] == "emerging"


@pytest.mark.parametrize("reader", ["p-egret", "stranger"])
def test_who_may_not_read_is_refused(get: Get, reader: str) -> None:
    answer = get("p-heron/continuum/6", reader)
    assert answer.status_code == 403
    assert "emerging" not in answer.text
    assert get("p-heron/continuum/6", token=None).status_code == 401


def test_who_was_assigned_once_reads_what_was_known_on_their_last_day(get: Get) -> None:
    found = get("p-heron/continuum/6", "c-otter").json()
    assert found["level"] == "aspiring"
    assert [clause["have"] for clause in found["levels"][0]["clauses"]] == [1]


def test_what_was_adopted_after_their_last_day_is_not_known_to_who_was_assigned_once(
    get: Get, demo_database: Database
) -> None:
    """Neither a policy, though it says that it was in force before, nor a framework."""
    before = {path: get(path, "c-otter").json() for path in ("p-heron/continuum/6", "p-heron/continuum/overall")}
    story = Story()
    story.published(framework("later", 6, 40), on="2026-02-11")
    story.adopted(
        policy("later", framework="later", effective_from="2026-01-02", emerging={"items": 1}), on="2026-02-12"
    )
    record(demo_database, story.lines)
    for path, answer in before.items():
        assert get(path, "c-otter").json() == answer
    assert get("p-heron/continuum/40", "c-otter").status_code == 404
    assert len(get("p-heron/continuum", "c-otter").json()["competencies"]) == 32
    assert get("p-heron/continuum/40", "c-wren").status_code == 200
